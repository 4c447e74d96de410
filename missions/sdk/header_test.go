package sdk_test

import (
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/perilune/perilune/hvt"
)

// The C headers and package hvt name the same numbers.
func TestHeaders(t *testing.T) {
	want := map[string]map[string]uint64{
		"lib/hvt.h": {"HVT_VCPUS": uint64(hvt.VCPUs), "HVT_BLOCK_RING": uint64(hvt.BlockRing), "HVT_NET_RING": uint64(hvt.NetRing),
			"HVT_CHANNEL": uint64(hvt.Channel), "HVT_SEED": uint64(hvt.Seed), "HVT_FEATURE_EXTENSION": hvt.FeatureExtension,
			"HVT_RECORD_MAGIC": hvt.RecordMagic, "HVT_RECORD_VERSION": hvt.RecordVersion, "HVT_ITEM_OK": hvt.ItemOK},
		"include/perilune_ring.h": {"PERILUNE_BLOCK_RING": uint64(hvt.BlockRing), "PERILUNE_NET_RING": uint64(hvt.NetRing),
			"PERILUNE_RING_READ": hvt.RingRead, "PERILUNE_RING_WRITE": hvt.RingWrite, "PERILUNE_RING_SEND": hvt.RingSend,
			"PERILUNE_RING_RECEIVE": hvt.RingReceive, "PERILUNE_RING_TRANSFER_MAX": hvt.MaxRingTransfer},
	}
	define := regexp.MustCompile(`(?m)^#define (\w+) +(0x[0-9a-f]+|\d+)u?\b`)
	for file, names := range want {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]uint64{}
		for _, m := range define.FindAllStringSubmatch(string(text), -1) {
			if found[m[1]], err = strconv.ParseUint(m[2], 0, 64); err != nil {
				t.Errorf("%s: %s: %v", file, m[1], err)
			}
		}
		for name, v := range names {
			if found[name] != v {
				t.Errorf("%s: %s is %#x, in package hvt %#x", file, name, found[name], v)
			}
		}
	}
}

// Package layertest is what the tests of several layers and codes have in common.
package layertest

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/google/gopacket"

	"github.com/perilune/perilune/ccsds"
)

// Seal makes the 16-bit FECF at the end of a frame anew and returns the frame.
func Seal(frame []byte) []byte {
	end := len(frame) - 2
	return binary.BigEndian.AppendUint16(frame[:end], ccsds.CRC16(frame[:end]))
}

// Serializes checks that SerializeTo of a layer around data gives what Append gave. t may be
// of package rapid.
func Serializes(t interface {
	Helper()
	Fatalf(string, ...any)
}, layer gopacket.SerializableLayer, data, appended []byte) {
	t.Helper()
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{}, layer, gopacket.Payload(data)); err != nil || !bytes.Equal(buf.Bytes(), appended) {
		t.Fatalf("SerializeTo differs from Append (%v)", err)
	}
}

// Allocates checks that decoding octets makes no allocation.
func Allocates(t *testing.T, layer gopacket.DecodingLayer, octets []byte) {
	t.Helper()
	if n := testing.AllocsPerRun(100, func() { _ = layer.DecodeFromBytes(octets, nil) }); n != 0 {
		t.Errorf("decoding makes %g allocations", n)
	}
}

// Random gives n octets.
func Random(rnd *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	return b
}

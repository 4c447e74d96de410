//go:build interop

package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
)

// dissect writes the packets to a capture of link type DLT_USER0 and returns the fields
// that tshark finds in them with the dissector of that name.
func dissect(t *testing.T, dissector string, packets [][]byte, fields ...string) []string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "capture.pcap")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w := pcapgo.NewWriter(f)
	if err := w.WriteFileHeader(65536, layers.LinkType(147)); err != nil {
		t.Fatal(err)
	}
	for i, p := range packets {
		ci := gopacket.CaptureInfo{Timestamp: time.Unix(int64(i), 0), CaptureLength: len(p), Length: len(p)}
		if err := w.WritePacket(ci, p); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	args := []string{"-n", "-r", name, "-o", fmt.Sprintf(`uat:user_dlts:"User 0 (DLT=147)","%s","0","","0",""`, dissector),
		"-T", "fields", "-E", "separator=,", "-E", "occurrence=f"}
	for _, f := range append([]string{"_ws.malformed"}, fields...) {
		args = append(args, "-e", f)
	}
	var lines []string
	for _, line := range strings.Split(output(t, "tshark", args...), "\n") {
		if strings.HasPrefix(line, ",") || strings.HasPrefix(line, "[") {
			lines = append(lines, line)
		}
	}
	if len(lines) != len(packets) {
		t.Fatalf("tshark: %d lines for %d packets: %q", len(lines), len(packets), lines)
	}
	return lines
}

// TestTsharkPackets has tshark dissect space packets. It takes each secondary header
// for one of ten octets, so a shorter packet than that would be malformed to it.
func TestTsharkPackets(t *testing.T) {
	tc, err := pus.BuildTC(100, 16383, pus.AckAll, 8, 1, 0, make([]byte, 30))
	if err != nil {
		t.Fatal(err)
	}
	tm, err := pus.BuildTM(1, 5, 17, 2, 0, 0, 0, timecode.Free, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := dissect(t, "ccsds", [][]byte{tc, tm}, "ccsds.version", "ccsds.type", "ccsds.secheader", "ccsds.apid",
		"ccsds.seqflag", "ccsds.seqnum", "ccsds.length")
	for i, want := range []string{
		fmt.Sprintf(",0,1,1,100,3,16383,%d", len(tc)-7), fmt.Sprintf(",0,0,1,1,3,5,%d", len(tm)-7),
	} {
		if got[i] != want {
			t.Errorf("got %s, want %s", got[i], want)
		}
	}
}

// TestTsharkCFDP has tshark dissect each kind of PDU of a file's way and back.
func TestTsharkCFDP(t *testing.T) {
	h := cfdp.Header{EntityLength: 2, SequenceLength: 2, Source: 1, Sequence: 7, Destination: 2}
	var pdus [][]byte
	bodies := []cfdp.Body{
		&cfdp.Metadata{Checksum: cfdp.ChecksumModular, FileSize: 5, Source: "from", Dest: "to"},
		&cfdp.FileData{Offset: 0, Data: []byte("hello")},
		&cfdp.EOF{Checksum: 1, FileSize: 5},
		&cfdp.ACK{Of: cfdp.DirectiveEOF, Status: 1},
		&cfdp.NAK{End: 5, Segments: []cfdp.Segment{{Start: 1, End: 3}}},
		&cfdp.Finished{Status: cfdp.FileRetained},
	}
	for _, b := range bodies {
		_, data := b.(*cfdp.FileData)
		h.FileData = data
		pdu, err := cfdp.Append(nil, h, b)
		if err != nil {
			t.Fatal(err)
		}
		pdus = append(pdus, pdu)
	}
	got := dissect(t, "cfdp", pdus, "cfdp.srcid", "cfdp.transeqnum", "cfdp.dstid", "cfdp.offset", "cfdp.file_size", "cfdp.src_file_name", "cfdp.nak_sp_scope")
	for i, want := range []string{
		",1,7,2,,5,from,", ",1,7,2,0,,,", ",1,7,2,,5,,", ",1,7,2,,,,", ",1,7,2,,,,5", ",1,7,2,,,,",
	} {
		if got[i] != want {
			t.Errorf("%T: got %s, want %s", bodies[i], got[i], want)
		}
	}
}

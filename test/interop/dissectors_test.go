//go:build interop

package interop

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/perilune/perilune/ccsds/wireshark"
)

// The dissectors for Wireshark, run by tshark over frames that programs which are not ours
// have made: the golden files say with what.

// table reads a golden file of another package, one slice of columns a row.
func table(t *testing.T, name string) [][]string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../ccsds", name))
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, "#") {
			rows = append(rows, strings.Fields(line))
		}
	}
	return rows
}

func hexColumn(t *testing.T, column string) []byte {
	t.Helper()
	if column == "-" {
		return nil
	}
	b, err := hex.DecodeString(column)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// capture writes one frame a record.
func capture(t *testing.T, linkType int, frames [][]byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "frames.pcap")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := pcapgo.NewWriter(f)
	if err := w.WriteFileHeader(65536, layers.LinkType(linkType)); err != nil {
		t.Fatal(err)
	}
	for i, p := range frames {
		ci := gopacket.CaptureInfo{Timestamp: time.Unix(int64(i), 0), CaptureLength: len(p), Length: len(p)}
		if err := w.WritePacket(ci, p); err != nil {
			t.Fatal(err)
		}
	}
	return name
}

// dissectFrames runs tshark with our plugin and returns the fields of each frame, a line
// each, separated by commas; all occurrences of a field by semicolons.
func dissectFrames(t *testing.T, linkType int, frames [][]byte, prefs []string, fields ...string) []string {
	t.Helper()
	script := filepath.Join(t.TempDir(), "ccsds.lua")
	if err := os.WriteFile(script, wireshark.Script, 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"-n", "-r", capture(t, linkType, frames), "-X", "lua_script:" + script,
		"-T", "fields", "-E", "separator=,", "-E", "aggregator=;", "-e", "frame.number"}
	for _, p := range prefs {
		args = append(args, "-o", p)
	}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	var lines []string
	for _, line := range strings.Split(output(t, "tshark", args...), "\n") {
		if number, rest, ok := strings.Cut(line, ","); ok && number == fmt.Sprint(len(lines)+1) {
			lines = append(lines, rest)
		} else if strings.Contains(line, "Lua") {
			t.Fatal(line)
		}
	}
	if len(lines) != len(frames) {
		t.Fatalf("tshark: %d lines for %d frames", len(lines), len(frames))
	}
	return lines
}

func compare(t *testing.T, got, want []string) {
	t.Helper()
	wrong := 0
	for i := range want {
		if got[i] != want[i] && wrong < 5 {
			t.Errorf("frame %d: got %s, want %s", i+1, got[i], want[i])
			wrong++
		}
	}
}

// onOff is how tshark prints a flag.
func onOff(column string) string {
	return map[string]string{"0": "0", "1": "1"}[column]
}

func TestDissectorTM(t *testing.T) {
	var frames [][]byte
	var want []string
	for _, r := range table(t, "tm/testdata/frames.txt") {
		frame := hexColumn(t, r[8])
		frames = append(frames, frame)
		ocf := ""
		if r[2] == "1" && frame[len(frame)-6]&0x80 == 0 {
			ocf = fmt.Sprint(frame[len(frame)-3]) // report value: the last octet of the control word
		}
		want = append(want, strings.Join([]string{r[0], r[1], r[3], r[4], r[5], "1", ocf}, ","))
	}
	got := dissectFrames(t, wireshark.LinkTypeTM, frames, nil, "ccsds_tm.scid", "ccsds_tm.vcid", "ccsds_tm.mcfc",
		"ccsds_tm.vcfc", "ccsds_tm.fhp", "ccsds_tm.fecf.good", "clcw.report")
	compare(t, got, want)
}

func TestDissectorTC(t *testing.T) {
	var frames [][]byte
	var want []string
	for _, r := range table(t, "tc/testdata/frames.txt") {
		frame := hexColumn(t, r[6])
		frames = append(frames, frame)
		want = append(want, strings.Join([]string{r[0], r[1], onOff(r[2]), onOff(r[3]), r[4], fmt.Sprint(len(frame)), "1"}, ","))
	}
	got := dissectFrames(t, wireshark.LinkTypeTC, frames, nil, "ccsds_tc.scid", "ccsds_tc.vcid", "ccsds_tc.bypass",
		"ccsds_tc.control", "ccsds_tc.seq", "ccsds_tc.length", "ccsds_tc.fecf.good")
	compare(t, got, want)
}

func TestDissectorAOS(t *testing.T) {
	groups := map[string][][]string{}
	for _, r := range table(t, "aos/testdata/frames.txt") {
		prefs := fmt.Sprintf("ccsds_aos.insert:%d ccsds_aos.fhec:%s ccsds_aos.ocf:%s ccsds_aos.fecf:%s",
			len(hexColumn(t, r[10])), truth(r[7]), truth(r[8]), truth(r[9]))
		groups[prefs] = append(groups[prefs], r)
	}
	for prefs, rows := range groups {
		t.Run(prefs, func(t *testing.T) {
			var frames [][]byte
			var want []string
			for _, r := range rows {
				frames = append(frames, hexColumn(t, r[13]))
				good := ""
				if r[9] == "1" {
					good = "1"
				}
				want = append(want, strings.Join([]string{r[0], r[1], r[2], r[3], r[4], r[5], good}, ","))
			}
			got := dissectFrames(t, wireshark.LinkTypeAOS, frames, strings.Fields(prefs), "ccsds_aos.scid", "ccsds_aos.vcid",
				"ccsds_aos.vcfc", "ccsds_aos.replay", "ccsds_aos.cycle_used", "ccsds_aos.cycle", "ccsds_aos.fecf.good")
			compare(t, got, want)
		})
	}
}

// TestDissectorServices: data fields of B_PDUs and access data, in frames by somebody else; and a
// B_PDU of which ten bits are the user's.
func TestDissectorServices(t *testing.T) {
	partial := append([]byte{0x60, 0x05, 0, 0, 7, 0, 0, 9}, 0xab, 0xcd, 0xef)
	if got := dissectFrames(t, wireshark.LinkTypeAOS, [][]byte{partial}, []string{"ccsds_aos.bpdu:5", "ccsds_aos.ocf:FALSE", "ccsds_aos.fecf:FALSE"},
		"ccsds_aos.vcid", "ccsds_aos.bits", "ccsds_aos.data"); got[0] != "5,10,abcdef" {
		t.Errorf("ten bits: %s", got[0])
	}
	for _, r := range table(t, "aos/testdata/services.txt") {
		zone, ocf := "0", "TRUE"
		if r[4] != "-" {
			zone = fmt.Sprint(len(hexColumn(t, r[4])))
		}
		if r[5] == "-" {
			ocf = "FALSE"
		}
		prefs := []string{"ccsds_aos.insert:" + zone, "ccsds_aos.ocf:" + ocf, "ccsds_aos.fecf:" + truth(r[6])}
		want := r[2] + ",," + r[7]
		if r[0] == "bitstream" {
			prefs = append(prefs, "ccsds_aos.bpdu:62 "+r[2])
			want = fmt.Sprintf("%s,%d,%s", r[2], 4*len(r[7]), r[7])
		} else {
			prefs = append(prefs, "ccsds_aos.access:"+r[2]+" 1")
		}
		got := dissectFrames(t, wireshark.LinkTypeAOS, [][]byte{hexColumn(t, r[8])}, prefs, "ccsds_aos.vcid", "ccsds_aos.bits", "ccsds_aos.data")
		if got[0] != want {
			t.Errorf("%s: got %s, want %s", r[0], got[0], want)
		}
	}
	var frames [][]byte
	var want []string
	for _, r := range table(t, "tm/testdata/access.txt") {
		if r[6] == "1" {
			frames, want = append(frames, hexColumn(t, r[8])), append(want, r[2]+",1,"+r[7])
		}
	}
	compare(t, dissectFrames(t, wireshark.LinkTypeTM, frames, nil, "ccsds_tm.vcid", "ccsds_tm.sync", "ccsds_tm.data"), want)
}

func truth(column string) string {
	if column == "1" {
		return "TRUE"
	}
	return "FALSE"
}

func TestDissectorUSLP(t *testing.T) {
	groups := map[string][][]string{}
	for _, r := range table(t, "uslp/testdata/frames.txt") {
		prefs := fmt.Sprintf("ccsds_uslp.fecf:%s ccsds_uslp.insert:%d", r[14], len(hexColumn(t, r[15])))
		groups[prefs] = append(groups[prefs], r)
	}
	for prefs, rows := range groups {
		t.Run(prefs, func(t *testing.T) {
			var frames [][]byte
			var want []string
			for _, r := range rows {
				frames = append(frames, hexColumn(t, r[18]))
				count, good := r[9], ""
				if r[4] == "1" || r[8] == "0" {
					count = ""
				}
				if r[14] != "0" {
					good = "1"
				}
				want = append(want, strings.Join([]string{r[0], r[1], r[2], r[3], r[4], count, r[10], r[11], good}, ","))
			}
			got := dissectFrames(t, wireshark.LinkTypeUSLP, frames, strings.Fields(prefs), "ccsds_uslp.scid", "ccsds_uslp.destination",
				"ccsds_uslp.vcid", "ccsds_uslp.map", "ccsds_uslp.truncated", "ccsds_uslp.count", "ccsds_uslp.rule", "ccsds_uslp.upid", "ccsds_uslp.fecf.good")
			for i := range want {
				if rows[i][1] == "" || rows[i][2] == "63" { // an idle frame's field is not taken apart
					want[i], got[i] = "", ""
				}
			}
			compare(t, got, want)
		})
	}
}

// TestDissectorCLCW: the word of 232.0-B-4 section 4.2, made bit by bit here.
func TestDissectorCLCW(t *testing.T) {
	// type 0, version 0, status 5, COP 1 | VC 33, spare | no RF, lockout, retransmit, FARM-B 2 | N(R) 200
	word := []byte{5<<2 | 1, 33 << 2, 0x80 | 0x20 | 0x08 | 2<<1, 200}
	got := dissectFrames(t, wireshark.LinkTypeCLCW, [][]byte{word}, nil, "clcw.status", "clcw.cop", "clcw.vcid", "clcw.no_rf",
		"clcw.no_bit_lock", "clcw.lockout", "clcw.wait", "clcw.retransmit", "clcw.farm_b", "clcw.report")
	compare(t, got, []string{"5,1,33,1,0,1,0,1,2,200"})
}

// TestDissectorBad: what is wrong is said, and nothing stops tshark.
func TestDissectorBad(t *testing.T) {
	good := hexColumn(t, table(t, "tm/testdata/frames.txt")[0][8])
	flipped := append([]byte(nil), good...)
	flipped[20] ^= 1
	frames := [][]byte{good, flipped, good[:5], good[:9], {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}
	got := dissectFrames(t, wireshark.LinkTypeTM, frames, nil, "ccsds_tm.bad_fecf", "ccsds_tm.short", "ccsds_tm.bad_version")
	for i, want := range []string{",,", "1,,", ",1,", ",1,", ",,1"} {
		if strings.Map(mark, got[i]) != want {
			t.Errorf("frame %d: %q, want the marks %q", i+1, got[i], want)
		}
	}
	for _, linkType := range []int{wireshark.LinkTypeTM, wireshark.LinkTypeTC, wireshark.LinkTypeAOS, wireshark.LinkTypeUSLP, wireshark.LinkTypeCLCW} {
		var short [][]byte
		for n := range 40 { // every length, under every protocol's own version number
			for _, v := range []byte{0x00, 0x40, 0xc0, 0xff} {
				b := make([]byte, n+1)
				for i := range b {
					b[i] = v + byte(i*37)
				}
				b[0] = v
				short = append(short, b)
			}
		}
		for i, line := range dissectFrames(t, linkType, short, nil, "_ws.lua.error", "_ws.malformed") {
			if strings.Contains(line, "rror") {
				t.Errorf("link type %d, frame %d: %s", linkType, i+1, line)
			}
		}
	}
}

// mark keeps the commas, and of everything between them one digit.
func mark(r rune) rune {
	switch {
	case r == ',' || r == '1':
		return r
	}
	return -1
}

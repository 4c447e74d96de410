package coding_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/perilune/perilune/ccsds/coding"
)

// golden reads the columns of a file that test/golden/coding.py made; the file's head says
// with which outside tools.
func golden(t testing.TB, name string) [][]string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, "#") {
			rows = append(rows, strings.Fields(line))
		}
	}
	if len(rows) == 0 {
		t.Fatalf("%s holds no vectors", name)
	}
	return rows
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func number(t testing.TB, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestReedSolomonGolden(t *testing.T) {
	for _, row := range golden(t, "rs.txt") {
		e, depth, dual := number(t, row[0]), number(t, row[2]), row[1] == "dual"
		data, block := unhex(t, row[3]), unhex(t, row[4])
		rs, err := coding.NewRS(e, depth, dual)
		if err != nil {
			t.Fatal(err)
		}
		got, err := rs.Encode(nil, data)
		if err != nil || !bytes.Equal(got, block) {
			t.Errorf("E=%d %s I=%d: encoded block differs from libfec's (%v)", e, row[1], depth, err)
		}
		if n, err := rs.Decode(block); n != 0 || err != nil {
			t.Errorf("E=%d %s I=%d: libfec's block decodes with %d corrections, %v", e, row[1], depth, n, err)
		}
	}
}

func TestReedSolomonReceivedGolden(t *testing.T) {
	for _, row := range golden(t, "rs_received.txt") {
		depth, each := number(t, row[0]), number(t, row[1])
		data, block := unhex(t, row[3]), unhex(t, row[4])
		rs, err := coding.NewRS(16, depth, true)
		if err != nil {
			t.Fatal(err)
		}
		n, err := rs.Decode(block)
		if row[2] == "ok" {
			if err != nil || n != depth*each || !bytes.Equal(block[:len(data)], data) {
				t.Errorf("I=%d, %d errors each: corrected %d, %v", depth, each, n, err)
			}
		} else if !errors.Is(err, coding.ErrUncorrectable) {
			t.Errorf("I=%d, %d errors each: %d corrections, error %v, want ErrUncorrectable", depth, each, n, err)
		}
	}
}

func TestRandomiseGolden(t *testing.T) {
	for _, row := range golden(t, "randomise.txt") {
		want := unhex(t, row[1])
		got := make([]byte, 3*len(want)) // over the table's end
		if row[0] == "tm" {
			coding.Randomise(got)
		} else {
			coding.RandomiseTC(got)
		}
		for i, v := range got {
			if v != want[i%255] {
				t.Fatalf("%s octet %d: %02x, want %02x", row[0], i, v, want[i%255])
			}
		}
	}
}

func TestCLTUGolden(t *testing.T) {
	for _, row := range golden(t, "bch.txt") {
		info, block := unhex(t, row[0]), unhex(t, row[1])
		if got := coding.EncodeCLTU(nil, info); !bytes.Equal(got[2:10], block) {
			t.Errorf("codeblock of %x is %x, want %x", info, got[2:10], block)
		}
	}
	for _, row := range golden(t, "cltu.txt") {
		frame, cltu := unhex(t, row[0]), unhex(t, row[1])
		if got := coding.EncodeCLTU(nil, frame); !bytes.Equal(got, cltu) {
			t.Errorf("CLTU of %d octets differs", len(frame))
		}
		if len(cltu) != coding.CLTULength(len(frame)) {
			t.Errorf("CLTULength(%d) = %d, want %d", len(frame), coding.CLTULength(len(frame)), len(cltu))
		}
		got := receive(cltu)
		if len(got) != 1 || !bytes.Equal(got[0].data[:len(frame)], frame) || got[0].info.Ended != coding.EndTail {
			t.Errorf("CLTU of %d octets: received %+v", len(frame), got)
		}
	}
}

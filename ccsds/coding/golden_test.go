package coding_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/internal/golden"
)

func TestReedSolomonGolden(t *testing.T) {
	for _, row := range golden.Read(t, "rs.txt") {
		e, depth, dual := row.Int(0), row.Int(2), row.Columns[1] == "dual"
		data, block := row.Hex(3), row.Hex(4)
		rs, err := coding.NewRS(e, depth, dual)
		if err != nil {
			t.Fatal(err)
		}
		got, err := rs.Encode(nil, data)
		if err != nil || !bytes.Equal(got, block) {
			t.Errorf("E=%d %s I=%d: encoded block differs from libfec's (%v)", e, row.Columns[1], depth, err)
		}
		if n, err := rs.Decode(block); n != 0 || err != nil {
			t.Errorf("E=%d %s I=%d: libfec's block decodes with %d corrections, %v", e, row.Columns[1], depth, n, err)
		}
	}
}

func TestReedSolomonReceivedGolden(t *testing.T) {
	for _, row := range golden.Read(t, "rs_received.txt") {
		depth, each := row.Int(0), row.Int(1)
		data, block := row.Hex(3), row.Hex(4)
		rs, err := coding.NewRS(16, depth, true)
		if err != nil {
			t.Fatal(err)
		}
		n, err := rs.Decode(block)
		if row.Columns[2] == "ok" {
			if err != nil || n != depth*each || !bytes.Equal(block[:len(data)], data) {
				t.Errorf("I=%d, %d errors each: corrected %d, %v", depth, each, n, err)
			}
		} else if !errors.Is(err, coding.ErrUncorrectable) {
			t.Errorf("I=%d, %d errors each: %d corrections, error %v, want ErrUncorrectable", depth, each, n, err)
		}
	}
}

func TestRandomiseGolden(t *testing.T) {
	for _, row := range golden.Read(t, "randomise.txt") {
		want := row.Hex(1)
		got := make([]byte, 3*len(want)) // over the table's end
		if row.Columns[0] == "tm" {
			coding.Randomise(got)
		} else {
			coding.RandomiseTC(got)
		}
		for i, v := range got {
			if v != want[i%255] {
				t.Fatalf("%s octet %d: %02x, want %02x", row.Columns[0], i, v, want[i%255])
			}
		}
	}
}

// The whole chain, both ways, as the link runs it.
func TestCADUGolden(t *testing.T) {
	for _, row := range golden.Read(t, "cadu.txt") {
		depth, frame, cadu := row.Int(0), row.Hex(1), row.Hex(2)
		rs := newRS(t, 16, depth, true)
		got, err := rs.Encode(coding.AppendASM(nil), frame)
		if err != nil {
			t.Fatal(err)
		}
		coding.Randomise(got[coding.ASMLength:])
		if !bytes.Equal(got, cadu) {
			t.Errorf("I=%d: CADU differs", depth)
		}
		s, err := coding.NewSync(rs.BlockLength(), coding.SyncOptions{})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		s.Push(cadu, func(block []byte, bit uint64, _ coding.State) {
			n++
			coding.Randomise(block)
			if corrected, err := rs.Decode(block); err != nil || corrected != 0 || bit != 0 || !bytes.Equal(block[:len(frame)], frame) {
				t.Errorf("I=%d: received at bit %d with %d corrections, %v", depth, bit, corrected, err)
			}
		})
		if n != 1 {
			t.Errorf("I=%d: received %d frames", depth, n)
		}
	}
}

func TestCLTUGolden(t *testing.T) {
	for _, row := range golden.Read(t, "bch.txt") {
		info, block := row.Hex(0), row.Hex(1)
		if got := coding.EncodeCLTU(nil, info); !bytes.Equal(got[2:10], block) {
			t.Errorf("codeblock of %x is %x, want %x", info, got[2:10], block)
		}
	}
	for _, row := range golden.Read(t, "cltu.txt") {
		frame, cltu := row.Hex(0), row.Hex(1)
		if got := coding.EncodeCLTU(nil, frame); !bytes.Equal(got, cltu) {
			t.Errorf("CLTU of %d octets differs", len(frame))
		}
		if len(cltu) != coding.CLTULength(len(frame)) {
			t.Errorf("CLTULength(%d) = %d, want %d", len(frame), coding.CLTULength(len(frame)), len(cltu))
		}
		calls := 0
		coding.NewCLTUDecoder().Push(cltu, func(got []byte, info coding.CLTUInfo) (taken bool) {
			if calls++; !bytes.Equal(got[:len(frame)], frame) || info.Ended != coding.EndTail {
				t.Errorf("CLTU of %d octets: received %x, %+v", len(frame), got, info)
			}
			return true
		})
		if calls != 1 {
			t.Errorf("CLTU of %d octets: received %d times", len(frame), calls)
		}
	}
}

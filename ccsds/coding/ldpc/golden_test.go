package ldpc_test

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/coding/ldpc"
	"github.com/perilune/perilune/ccsds/internal/golden"
)

func byLength(t *testing.T, k, n int) *ldpc.Code {
	t.Helper()
	name, err := ldpc.ByLength(k, n)
	if err != nil {
		t.Fatal(err)
	}
	return newCode(t, name)
}

// Codewords of labrador-ldpc: ours are the same, and its decode.
func TestCodewordsGolden(t *testing.T) {
	for _, row := range golden.Read(t, "codewords.txt") {
		c := byLength(t, row.Int(0), row.Int(1))
		data, word := row.Hex(2), row.Hex(3)
		got, err := c.Encode(nil, data)
		if err != nil || !bytes.Equal(got, word) {
			t.Errorf("%v: codeword differs from labrador's, %v", c.Name(), err)
		}
		d := newDecoder(t, c.Name(), ldpc.Options{})
		if back, err := d.Decode(nil, coding.AppendSoft(nil, word, 60)); err != nil || !bytes.Equal(back, data) {
			t.Errorf("%v: labrador's codeword does not decode, %v", c.Name(), err)
		}
	}
}

// Parity-check matrices of ldpc-toolbox: every one of ours is at the same place.
func TestMatricesGolden(t *testing.T) {
	for _, row := range golden.Read(t, "matrices.txt") {
		c := byLength(t, row.Int(0), row.Int(1))
		if c.Checks() != row.Int(2) {
			t.Errorf("%v: %d checks, want %d", c.Name(), c.Checks(), row.Int(2))
			continue
		}
		digest := fnv.New64a()
		for i := range c.Checks() {
			for _, v := range sorted(c.Check(i)) {
				digest.Write(binary.BigEndian.AppendUint32(nil, uint32(v)))
			}
			digest.Write([]byte{255, 255, 255, 255})
		}
		if got := strconv.FormatUint(digest.Sum64(), 16); got != strings.TrimLeft(row.Columns[4], "0") {
			t.Errorf("%v: digest %s, want %s", c.Name(), got, row.Columns[4])
		}
		for _, text := range row.Columns[5:] {
			number, ones, _ := strings.Cut(text, ":")
			i, err := strconv.Atoi(number)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, v := range sorted(c.Check(i)) {
				got = append(got, strconv.Itoa(int(v)))
			}
			if strings.Join(got, ",") != ones {
				t.Errorf("%v row %d: %v, want %s", c.Name(), i, got, ones)
			}
		}
	}
}

func sorted(v []int32) []int32 {
	v = slices.Clone(v)
	slices.Sort(v)
	return v
}

// The generator of the code of rate 7/8 is the one that the book prints, though the
// encoder derives it from the parity checks.
func TestGeneratorGolden(t *testing.T) {
	const size, short = 511, 18
	c := newCode(t, ldpc.TM7136R78)
	for _, row := range golden.Read(t, "c2_generator.txt") {
		bit := (row.Int(0)-1)*size - short
		shift := 0
		if bit < 0 { // the first bits of the first block are not sent: take a later row
			bit, shift = 0, short
		}
		data := make([]byte, c.DataBits()/8)
		data[bit/8] = 0x80 >> (bit % 8)
		word, err := c.Encode(nil, data)
		if err != nil {
			t.Fatal(err)
		}
		for b := range 2 {
			want := row.Hex(1 + b)
			for i := range size {
				at := c.DataBits() + b*size + (i+shift)%size
				if word[at/8]>>(7-at%8)&1 != want[(i+1)/8]>>(7-(i+1)%8)&1 {
					t.Fatalf("row block %d, circulant %d: bit %d differs from the book's", row.Int(0), b+1, i)
				}
			}
		}
		if word[len(word)-1]&3 != 0 {
			t.Error("the fill behind the codeword is not zero")
		}
	}
}

// Every codeword that the encoder makes meets every check of its matrix.
func TestParity(t *testing.T) {
	for _, n := range []ldpc.Name{ldpc.TC64, ldpc.TC256, ldpc.TM7136R78} {
		c := newCode(t, n)
		data := bytes.Repeat([]byte{0xA5, 0x17, 0xC3, 0x99}, c.DataBits()/32)
		word, err := c.Encode(nil, data)
		if err != nil {
			t.Fatal(err)
		}
		short := 0
		if n == ldpc.TM7136R78 {
			short = 18
		}
		for i := range c.Checks() {
			var sum byte
			for _, v := range c.Check(i) {
				if at := int(v) - short; at >= 0 {
					sum ^= word[at/8] >> (7 - at%8) & 1
				}
			}
			if sum != 0 {
				t.Fatalf("%v: check %d is not met", n, i)
			}
		}
	}
}

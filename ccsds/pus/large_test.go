package pus_test

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds/pus"
)

// A packet in parts comes together once, in whatever order its parts come and however often.
func TestLargeAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		packet := rapid.SliceOfN(rapid.Byte(), 1, 3000).Draw(t, "packet")
		parts, kinds := pus.SplitLarge(rapid.Bool().Draw(t, "down"), 7, packet, rapid.IntRange(100, 3500).Draw(t, "octets"))
		var order []int
		for i := range parts {
			order = append(order, i)
			if rapid.Bool().Draw(t, "twice") {
				order = append(order, i)
			}
		}
		var a pus.Assembler
		whole := 0
		for _, i := range rapid.Permutation(order).Draw(t, "order") {
			got, lost, err := a.Add(kinds[i], parts[i])
			if err != nil || len(lost) > 0 {
				t.Fatalf("part %d: %v, lost %v", i, err, lost)
			}
			if got != nil {
				if whole++; !bytes.Equal(got, packet) {
					t.Fatalf("it came together as %x", got)
				}
			}
		}
		if whole != 1 || len(a.Open()) != 0 {
			t.Fatalf("it came together %d times, open: %v", whole, a.Open())
		}
	})
}

// Transfers that nobody completes give way, and one that is too long ends.
func TestLargeBounds(t *testing.T) {
	var a pus.Assembler
	first := pus.Kind{TM: true, Service: 13, Subtype: 1}
	next := pus.Kind{TM: true, Service: 13, Subtype: 2}
	for n := range uint16(5) {
		_, lost, err := a.Add(first, pus.LargePart{Transaction: n, Number: 1, Data: []byte{1}})
		if err != nil || (len(lost) == 1) != (n == 4) {
			t.Errorf("transfer %d: lost %v (%v)", n, lost, err)
		}
	}
	var err error
	for n := uint16(2); err == nil && n < 100; n++ {
		_, _, err = a.Add(next, pus.LargePart{Transaction: 4, Number: n, Data: make([]byte, 1000)})
	}
	if !errors.Is(err, pus.ErrLarge) {
		t.Errorf("a transfer without end: %v", err)
	}
	for _, bad := range []struct {
		k pus.Kind
		n uint16
	}{{first, 2}, {next, 1}, {next, 0}, {next, 65535}} {
		if _, _, err := a.Add(bad.k, pus.LargePart{Transaction: 9, Number: bad.n}); err == nil {
			t.Errorf("%s as part %d is taken", bad.k, bad.n)
		}
	}
}

// FuzzLarge: no row of parts panics, and no more is kept than is bounded.
func FuzzLarge(f *testing.F) {
	f.Add([]byte{0, 1, 2, 1, 2, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		var a pus.Assembler
		for len(b) >= 4 {
			k := pus.Kind{TM: true, Service: 13, Subtype: 1 + b[0]%3}
			p := pus.LargePart{Transaction: uint16(b[1] % 8), Number: uint16(b[2]), Data: bytes.Repeat(b[3:4], int(b[3])*64)}
			if packet, _, err := a.Add(k, p); err != nil && packet != nil || len(packet) > 65542 || len(a.Open()) > 4 {
				t.Fatalf("%d octets, open %v (%v)", len(packet), a.Open(), err)
			}
			b = b[4:]
		}
	})
}

// A part behind the last one does not stand for one that is missing.
func TestLargePartBehindTheLast(t *testing.T) {
	var a pus.Assembler
	for i, step := range []struct {
		subtype uint8
		number  uint16
	}{{9, 1}, {10, 4}, {11, 3}} {
		k := pus.Kind{Service: pus.ServiceLarge, Subtype: step.subtype}
		packet, _, err := a.Add(k, pus.LargePart{Transaction: 1, Number: step.number, Data: []byte{byte(i)}})
		if packet != nil || (i == 2) != errors.Is(err, pus.ErrLarge) {
			t.Errorf("part %d: packet %x, %v", step.number, packet, err)
		}
	}
}

package pus

import (
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
)

// Bounds of an Assembler.
const (
	maxLargeTransactions = 4
	maxLargeParts        = 1024
	maxLargeOctets       = primaryLength + 65536 // a whole packet
	largeRemembered      = 8
)

// ErrLarge says that a transfer in parts came to nothing.
var ErrLarge = errors.New("large packet transfer")

// SplitLarge cuts a packet into parts of at most that many octets, and says of which kind
// the message of each is: TM[13,1] to TM[13,3], or TC[13,9] to TC[13,11]. One that is no
// longer than a part has an empty last part.
func SplitLarge(tm bool, transaction uint16, packet []byte, octets int) (parts []LargePart, kinds []Kind) {
	for chunk := range slices.Chunk(packet, max(1, octets)) {
		parts = append(parts, LargePart{Transaction: transaction, Number: uint16(len(parts) + 1), Data: chunk})
	}
	for len(parts) < 2 {
		parts = append(parts, LargePart{Transaction: transaction, Number: uint16(len(parts) + 1)})
	}
	first := uint8(9)
	if tm {
		first = 1
	}
	for i := range parts {
		subtype := first + 1
		switch i {
		case 0:
			subtype = first
		case len(parts) - 1:
			subtype = first + 2
		}
		kinds = append(kinds, Kind{TM: tm, Service: ServiceLarge, Subtype: subtype})
	}
	return parts, kinds
}

// Assembler puts packets together from their parts, which may come twice and in any order
// (ECSS-E-ST-70-41C §6.13). What it holds is bounded: the oldest of too many transfers is
// given up. It is for one direction, and not for concurrent use.
type Assembler struct {
	open []*assembly
	done []finished
}

type assembly struct {
	transaction uint16
	parts       map[uint16][]byte
	octets      int
	last        uint16 // number of the last part, 0 before it has come
	highest     uint16 // number that has come
}

// finished is a transfer whose parts may still come again.
type finished struct {
	transaction uint16
	first       uint32
}

// Add takes a part of the message of kind k. It returns the whole packet with the part that
// completes it, and transactions that were given up for this one.
func (a *Assembler) Add(k Kind, p LargePart) (packet []byte, lost []uint16, err error) {
	isLast := k.Subtype == 3 || k.Subtype == 11
	isFirst := k.Subtype == 1 || k.Subtype == 9
	if p.Number == 0 || p.Number > maxLargeParts || isFirst != (p.Number == 1) {
		return nil, nil, fmt.Errorf("%w: %s is part %d", ErrLarge, k, p.Number)
	}
	if a.again(&p) {
		return nil, nil, nil
	}
	t, lost := a.find(&p)
	if old, there := t.parts[p.Number]; there {
		t.octets -= len(old)
	}
	t.parts[p.Number] = slices.Clone(p.Data)
	t.octets += len(p.Data)
	t.highest = max(t.highest, p.Number)
	if isLast {
		t.last = p.Number
	}
	if t.octets > maxLargeOctets || t.last != 0 && t.highest > t.last {
		a.Forget(p.Transaction)
		return nil, lost, fmt.Errorf("%w: transaction %d: %d octets, part %d where the last is %d", ErrLarge, p.Transaction, t.octets, t.highest, t.last)
	}
	if t.last == 0 || len(t.parts) < int(t.last) {
		return nil, lost, nil
	}
	for n := uint16(1); n <= t.last; n++ {
		packet = append(packet, t.parts[n]...)
	}
	a.Forget(p.Transaction)
	a.done = append(a.done, finished{p.Transaction, crc32.ChecksumIEEE(t.parts[1])})
	a.done = a.done[max(0, len(a.done)-largeRemembered):]
	return packet, lost, nil
}

// again says whether a part is of a transfer that is complete; another first part begins a
// new one.
func (a *Assembler) again(p *LargePart) bool {
	i := slices.IndexFunc(a.done, func(f finished) bool { return f.transaction == p.Transaction })
	if i < 0 {
		return false
	}
	if p.Number == 1 && crc32.ChecksumIEEE(p.Data) != a.done[i].first {
		a.done = slices.Delete(a.done, i, i+1)
		return false
	}
	return true
}

// find is the transfer that a part belongs to. A first part that differs from the one that
// was there begins anew.
func (a *Assembler) find(p *LargePart) (t *assembly, lost []uint16) {
	i := slices.IndexFunc(a.open, func(t *assembly) bool { return t.transaction == p.Transaction })
	if i >= 0 {
		t = a.open[i]
		if first, there := t.parts[1]; p.Number != 1 || !there || slices.Equal(first, p.Data) {
			return t, nil
		}
		a.open = slices.Delete(a.open, i, i+1)
		lost = append(lost, p.Transaction)
	}
	if len(a.open) >= maxLargeTransactions {
		lost = append(lost, a.open[0].transaction)
		a.open = a.open[1:]
	}
	t = &assembly{transaction: p.Transaction, parts: map[uint16][]byte{}}
	a.open = append(a.open, t)
	return t, lost
}

// Forget gives a transfer up.
func (a *Assembler) Forget(transaction uint16) {
	a.open = slices.DeleteFunc(a.open, func(t *assembly) bool { return t.transaction == transaction })
}

// Open are the transfers under way, the oldest first.
func (a *Assembler) Open() (out []uint16) {
	for _, t := range a.open {
		out = append(out, t.transaction)
	}
	return out
}

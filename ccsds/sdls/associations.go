package sdls

import (
	"encoding/binary"
	"fmt"

	"github.com/perilune/perilune/ccsds"
)

// association carries out a procedure on an association. None may change the one under
// which it came: an error in it would lock its sender out.
func (m *Manager) association(control uint16, p PDU) (reply []byte, answers bool, err error) {
	if len(p.Data) < 2 {
		return nil, false, ccsds.Errorf("sdls procedure", pduHeaderLength, ccsds.ErrTruncated, "no association")
	}
	if p.Procedure == SACreate {
		return nil, false, m.create(p)
	}
	spi, rest := binary.BigEndian.Uint16(p.Data), p.Data[2:]
	r := m.sas[spi]
	if r == nil {
		return nil, false, fmt.Errorf("association %d: %w", spi, ErrSPI)
	}
	switch p.Procedure {
	case SAStatus, SAReadARSN:
		if len(rest) != 0 {
			return nil, false, tooMany(rest)
		}
		reply = append(reply, p.Data...)
		if p.Procedure == SAStatus {
			return append(reply, r.Last), true, nil
		}
		return appendNumber(reply, m.number(r), r.width()), true, nil
	}
	if spi == control {
		return nil, false, fmt.Errorf("association %d carries the command: %w", spi, ErrInUse)
	}
	before := r.State
	if err := m.change(r, p, rest); err != nil {
		return nil, false, fmt.Errorf("association %d: %w", spi, err)
	}
	if r.State != before {
		r.Last = p.Tag()
	}
	return nil, false, nil
}

func tooMany(rest []byte) error {
	return ccsds.Errorf("sdls procedure", pduHeaderLength+2, ccsds.ErrLength, "%d octets too many", len(rest))
}

// width is the octets of an anti-replay number in the procedures.
func (r *Record) width() int {
	l := r.SA.Layout
	if l == (Layout{}) {
		l = DefaultLayout(r.SA.Algorithm, r.SA.Service)
	}
	if l.SN > 0 {
		return l.SN
	}
	return l.IV
}

// number is the highest anti-replay number taken, or given.
func (m *Manager) number(r *Record) uint64 {
	switch {
	case r.State != Operational:
		return r.ARSN
	case r.Sends:
		return m.c.Sender.Number(r.SA.SPI)
	}
	return m.recv.Floor(r.SA.SPI)
}

func (r *Record) expect(s State) error {
	if r.State != s {
		return fmt.Errorf("it is %s: %w", r.State, ErrState)
	}
	return nil
}

// change carries out the procedures that move an association from state to state.
func (m *Manager) change(r *Record, p PDU, rest []byte) error {
	switch p.Procedure {
	case SAStart:
		return m.start(r, rest)
	case SARekey:
		return m.rekey(r, rest)
	case SASetARSN:
		return m.setARSN(r, rest)
	case SASetWindow:
		return m.setWindow(r, rest)
	}
	if len(rest) != 0 {
		return tooMany(rest)
	}
	switch p.Procedure {
	case SAStop:
		if err := r.expect(Operational); err != nil {
			return err
		}
		r.ARSN = m.number(r)
		m.keys.used(r.KeyID, r.ARSN)
		if r.Sends {
			m.c.Sender.Remove(r.SA.SPI)
		} else {
			m.recv.Remove(r.SA.SPI)
		}
		r.State = Keyed
	case SAExpire:
		if err := r.expect(Keyed); err != nil {
			return err
		}
		r.State, r.KeyID = Unkeyed, 0
	case SADelete:
		if err := r.expect(Unkeyed); err != nil {
			return err
		}
		delete(m.sas, r.SA.SPI)
	default:
		return unknown(p)
	}
	return nil
}

// start makes a keyed association operational, on the channels that the command lists, or
// on those of before if it lists none.
func (m *Manager) start(r *Record, rest []byte) error {
	if err := r.expect(Keyed); err != nil {
		return err
	}
	if len(rest)%4 != 0 {
		return ccsds.Errorf("sdls procedure", pduHeaderLength+2, ccsds.ErrLength, "%d octets are no whole number of channels", len(rest))
	}
	next := *r
	if len(rest) > 0 {
		next.SA.VCs = nil
	}
	for _, l := range ParseLinks(rest) {
		next.SA.VCs = append(next.SA.VCs, l.VCID)
	}
	if err := m.put(&next); err != nil {
		return err
	}
	if !r.Sends {
		m.recv.Rebase(r.SA.SPI, r.ARSN)
	}
	m.order++
	next.State, next.Order = Operational, m.order
	*r = next
	return nil
}

// rekey gives an unkeyed association a key and its first anti-replay number.
func (m *Manager) rekey(r *Record, rest []byte) error {
	if err := r.expect(Unkeyed); err != nil {
		return err
	}
	if len(rest) != 2+r.width() {
		return ccsds.Errorf("sdls procedure", pduHeaderLength+2, ccsds.ErrLength, "key and number of %d octets, want %d", len(rest), 2+r.width())
	}
	id := binary.BigEndian.Uint16(rest)
	key, err := m.keys.session(id)
	if err != nil {
		return err
	}
	n, ok := number(rest[2:])
	if !ok {
		return ccsds.Errorf("sdls procedure", pduHeaderLength+4, ccsds.ErrReserved, "anti-replay number %x", rest[2:])
	}
	if err := r.lasts(n); err != nil {
		return err
	}
	if n < key.High {
		return fmt.Errorf("key %d has been used up to %d, not %d: %w", id, key.High, n, ErrReplayed)
	}
	r.KeyID, r.ARSN, r.State = id, n, Keyed
	return nil
}

// lasts refuses a number after which hardly any are left: of those that a counter can have, a
// sixteenth.
func (r *Record) lasts(n uint64) error {
	l := association{SA: SA{Layout: Layout{SN: min(r.width(), 8)}}}
	if limit := l.limit(); n > limit-limit/16 {
		return fmt.Errorf("anti-replay number %d of at most %d: %w", n, limit, ErrExhausted)
	}
	return nil
}

// setARSN moves the anti-replay number forward; back would let frames in again.
func (m *Manager) setARSN(r *Record, rest []byte) error {
	n, ok := number(rest)
	if len(rest) != r.width() || !ok {
		return ccsds.Errorf("sdls procedure", pduHeaderLength+2, ccsds.ErrLength, "anti-replay number of %d octets, want %d", len(rest), r.width())
	}
	if err := r.lasts(n); err != nil {
		return err
	}
	if n < m.number(r) {
		return fmt.Errorf("anti-replay number %d, highest is %d: %w", n, m.number(r), ErrReplayed)
	}
	switch {
	case r.State != Operational:
	case r.Sends:
		if err := m.c.Sender.Raise(r.SA.SPI, n); err != nil {
			return err
		}
	default:
		m.recv.SetFloor(r.SA.SPI, n)
	}
	r.ARSN = n
	return nil
}

func (m *Manager) setWindow(r *Record, rest []byte) error {
	n, ok := number(rest)
	if len(rest) == 0 || len(rest) > 8 || !ok || n > MaxWindow {
		return ccsds.Errorf("sdls procedure", pduHeaderLength+2, ccsds.ErrReserved, "window %x, want at most %d", rest, MaxWindow)
	}
	if r.Sends {
		return fmt.Errorf("it protects what is sent, and has no window: %w", ErrState)
	}
	next := *r
	next.SA.Window = int(n)
	if r.State == Operational {
		if err := m.put(&next); err != nil {
			return err
		}
	}
	*r = next
	return nil
}

package sdls

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"

	"github.com/perilune/perilune/ccsds"
)

// Saver keeps anti-replay floors where a restart does not reach them. SaveFloor
// returns once n is durable.
type Saver interface {
	SaveFloor(spi uint16, n uint64) error
}

// Receiver removes security (CCSDS 355.0-B-2 §3.3.2, ProcessSecurity) and refuses
// replays. Frames are opened in batches: Open as often as needed, then Commit,
// and only then may the data be acted upon. If the craft dies in between, the
// frames are lost but never taken twice.
type Receiver struct {
	sas   map[uint16]*association
	seen  map[uint16]window // as of now
	saved map[uint16]window // as of the last Commit
}

// NewReceiver returns a Receiver that has seen nothing.
func NewReceiver(sas []SA) (*Receiver, error) {
	m, err := associations(sas)
	if err != nil {
		return nil, err
	}
	r := &Receiver{sas: m, seen: map[uint16]window{}, saved: map[uint16]window{}}
	return r, nil
}

// SetFloor makes n the highest number seen, as loaded after a restart: n and
// everything below is refused from now on. It never lowers a floor.
func (r *Receiver) SetFloor(spi uint16, n uint64) {
	if r.sas[spi] == nil || n <= r.seen[spi].top {
		return
	}
	w := floor(n)
	r.seen[spi], r.saved[spi] = w, w
}

// Floor is the highest number seen under spi, 0 if none.
func (r *Receiver) Floor(spi uint16) uint64 { return r.seen[spi].top }

// Layout is that of the association which a protected frame data field names; zero if there
// is none.
func (r *Receiver) Layout(field []byte) Layout {
	if len(field) < spiLength {
		return Layout{}
	}
	a := r.sas[binary.BigEndian.Uint16(field)]
	if a == nil {
		return Layout{}
	}
	return a.Layout
}

// Number is the anti-replay number that a protected frame data field claims, under the SPI that
// it names; 0 if it is too short to have one, or there is no such association.
func (r *Receiver) Number(field []byte) (spi uint16, n uint64) {
	if len(field) < spiLength {
		return 0, 0
	}
	spi = binary.BigEndian.Uint16(field)
	if a := r.sas[spi]; a != nil && len(field) >= a.Layout.Header() {
		n = a.number(field[:a.Layout.Header()])
	}
	return spi, n
}

// Open checks a protected frame data field and returns its data in clear, in new
// memory. frameHeader is as for Apply. The error wraps one of ErrTruncated,
// ErrSPI, ErrVC, ErrForged, ErrReplayed.
func (r *Receiver) Open(vc ccsds.VCID, frameHeader, field []byte) ([]byte, error) {
	if len(field) < spiLength {
		return nil, ccsds.Errorf("sdls", len(field), ErrTruncated, "shorter than %d octets", spiLength)
	}
	spi := binary.BigEndian.Uint16(field)
	a := r.sas[spi]
	switch {
	case a == nil && len(field) < Overhead:
		return nil, ccsds.Errorf("sdls", len(field), ErrTruncated, "shorter than %d octets", Overhead)
	case a == nil:
		return nil, fmt.Errorf("open frame, SPI %d: %w", spi, ErrSPI)
	case !a.allows(vc):
		return nil, fmt.Errorf("open frame, SPI %d, virtual channel %d: %w", spi, vc, ErrVC)
	case len(field) < a.Layout.Overhead():
		return nil, ccsds.Errorf("sdls", len(field), ErrTruncated, "shorter than %d octets", a.Layout.Overhead())
	}
	header := field[:a.Layout.Header()]
	if a.strange(header) {
		return nil, fmt.Errorf("open frame, SPI %d, initialisation vector: %w", spi, ErrForged)
	}
	// The MAC first: only then are SPI and number facts and not claims.
	n := a.number(header)
	data, ok := a.open(header, a.aad(frameHeader, header), field[len(header):])
	if !ok {
		return nil, fmt.Errorf("open frame, SPI %d, number %d: %w", spi, n, ErrForged)
	}
	if a.Service == Encryption {
		return data, nil // a number that anybody can write proves nothing
	}
	w, ok := r.seen[spi].take(n, a.Window)
	if !ok {
		return nil, fmt.Errorf("open frame, SPI %d, number %d, highest %d: %w", spi, n, r.seen[spi].top, ErrReplayed)
	}
	r.seen[spi] = w
	return data, nil
}

// Put adds an association, or puts it in the place of the one with the same SPI, whose
// anti-replay numbers it takes over.
func (r *Receiver) Put(sa SA) error {
	a, err := newAssociation(sa)
	if err != nil {
		return err
	}
	r.sas[sa.SPI] = a
	return nil
}

// Remove makes frames under spi refused. Its anti-replay numbers are kept: the same key
// may come back.
func (r *Receiver) Remove(spi uint16) { delete(r.sas, spi) }

// Rebase makes n the highest number seen, also a lower one than before. It is for a new
// key under an old SPI: under the old key every frame could come again.
func (r *Receiver) Rebase(spi uint16, n uint64) {
	w := floor(n)
	r.seen[spi], r.saved[spi] = w, w
}

// Commit saves each floor that rose since the last Commit. On error the batch is
// as if never received: nothing of it may be delivered.
func (r *Receiver) Commit(s Saver) error {
	var errs []error
	for spi, w := range r.seen {
		if w.top == r.saved[spi].top {
			continue
		}
		if err := s.SaveFloor(spi, w.top); err != nil {
			errs = append(errs, fmt.Errorf("save anti-replay floor, SPI %d: %w", spi, err))
		}
	}
	if len(errs) > 0 {
		r.Rollback()
		return errors.Join(errs...)
	}
	r.saved = maps.Clone(r.seen)
	return nil
}

// Rollback forgets what was opened since the last Commit.
func (r *Receiver) Rollback() { r.seen = maps.Clone(r.saved) }

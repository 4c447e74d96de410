package sdls

import (
	"errors"
	"fmt"
	"maps"

	"github.com/google/gopacket"

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

// Open checks a protected frame data field and returns its data in clear, in new
// memory. frameHeader is as for Apply. The error wraps one of ErrTruncated,
// ErrSPI, ErrVC, ErrForged, ErrReplayed.
func (r *Receiver) Open(vc ccsds.VCID, frameHeader, field []byte) ([]byte, error) {
	var f Field
	if err := f.DecodeFromBytes(field, gopacket.NilDecodeFeedback); err != nil {
		return nil, err
	}
	a := r.sas[f.SPI]
	switch {
	case a == nil:
		return nil, fmt.Errorf("open frame, SPI %d: %w", f.SPI, ErrSPI)
	case !a.allows(vc):
		return nil, fmt.Errorf("open frame, SPI %d, virtual channel %d: %w", f.SPI, vc, ErrVC)
	case f.Fixed != uint32(f.SPI):
		return nil, fmt.Errorf("open frame, SPI %d, initialisation vector: %w", f.SPI, ErrForged)
	}
	// The MAC first: only then are SPI and number facts and not claims.
	data, err := a.aead.Open(nil, field[HeaderLength-ivLength:HeaderLength], field[HeaderLength:],
		a.aad(frameHeader, f.Contents))
	if err != nil {
		return nil, fmt.Errorf("open frame, SPI %d, number %d: %w", f.SPI, f.Counter, ErrForged)
	}
	w, ok := r.seen[f.SPI].take(f.Counter, a.Window)
	if !ok {
		return nil, fmt.Errorf("open frame, SPI %d, number %d, highest %d: %w", f.SPI, f.Counter, r.seen[f.SPI].top, ErrReplayed)
	}
	r.seen[f.SPI] = w
	return data, nil
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

package link

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/sdls"
)

// MasterKey is the number of the key under which others travel. A session key has any other;
// the one that a craft is built with has that of its association.
const MasterKey uint16 = 0

// ErrUnmanaged says that keys and associations cannot be changed over this link.
var ErrUnmanaged = errors.New("link: keys are not managed over this link")

// Spare is the partner of an association: each uplink channel has two, of which one is in use
// while the other takes the next key.
func Spare(spi uint16) uint16 { return spi ^ 0x8000 }

// FirstKeys are the keys of a craft that nobody has rekeyed yet.
func (p Profile) FirstKeys(master [32]byte) []sdls.Key {
	keys := []sdls.Key{{ID: MasterKey, Value: master, State: sdls.Active, Master: true}}
	for _, spi := range slices.Sorted(maps.Values(p.SPI)) {
		keys = append(keys, sdls.Key{ID: spi, Value: p.Keys[spi], State: sdls.Active})
	}
	return keys
}

// FirstRecords are the associations of the uplink of such a craft: those of the profile, and
// for each an unkeyed spare.
func (p Profile) FirstRecords() []sdls.Record {
	var out []sdls.Record
	for _, vc := range slices.Sorted(maps.Keys(p.SPI)) {
		spi := p.SPI[vc]
		out = append(out,
			sdls.Record{SA: p.association(vc, spi, [32]byte{}), KeyID: spi, State: sdls.Operational},
			sdls.Record{SA: p.association(vc, Spare(spi), [32]byte{})})
	}
	return out
}

// Manage puts keys and associations in the place of those of the profile, so that Procedure
// can change them. nonce gives vectors for proofs, each only once ever. Who cannot be sure
// that a command came from the ground must not change keys by it: an uplink channel that is
// not authenticated makes it ErrUnmanaged. On error the associations of the profile are in use.
func (s *Space) Manage(keys []sdls.Key, records []sdls.Record, nonce func() ([12]byte, error)) error {
	for _, vc := range s.p.uplink() {
		if _, ok := s.p.SPI[vc]; !ok || s.p.UpMode[vc] == ModeEncrypt {
			return fmt.Errorf("%w: uplink channel %d is not authenticated", ErrUnmanaged, vc)
		}
	}
	ring, err := sdls.NewKeyring(keys...)
	if err != nil {
		return err
	}
	for _, spi := range s.p.SPI {
		s.sdls.Remove(spi)
		s.sdls.Remove(Spare(spi))
	}
	m, err := sdls.NewManager(ring, records, s.sdls, nil, nonce)
	if err != nil {
		s.keys, s.manager = nil, nil
		for _, sa := range s.p.associations(false) {
			err = errors.Join(err, s.sdls.Put(sa))
		}
		return fmt.Errorf("space link: %w", err)
	}
	for _, r := range records {
		n, err := s.saver.LoadFloor(r.SA.SPI)
		if err != nil {
			return fmt.Errorf("space link: load anti-replay floor, SPI %d: %w", r.SA.SPI, err)
		}
		s.sdls.SetFloor(r.SA.SPI, n)
	}
	s.keys, s.manager = ring, m
	return nil
}

// Managed are the keys and associations of now. They hold secrets.
func (s *Space) Managed() ([]sdls.Key, []sdls.Record) {
	if s.manager == nil {
		return nil, nil
	}
	return s.keys.Keys(), s.manager.Records()
}

// Procedure carries out an extended procedure of CCSDS 355.1-B-1 that came in a packet, and
// returns the reply, nil if it has none. What Managed says then must be durable before
// anything else is done with this Space. On error nothing has changed, and it is counted.
func (s *Space) Procedure(command []byte) (reply []byte, err error) {
	if s.manager == nil {
		err = ErrUnmanaged
	} else if err = s.keepsWay(command); err == nil {
		reply, err = s.manager.Handle(0, command)
	}
	if err != nil {
		s.stats.Refused["sdls procedure: "+procedureReason(err)]++
	}
	return reply, err
}

// keepsWay refuses to touch the only association by which a channel can still be commanded.
func (s *Space) keepsWay(command []byte) error {
	p, err := sdls.ParsePDU(command)
	if err != nil {
		return err
	}
	switch p.Procedure {
	case sdls.SAStop, sdls.SASetARSN, sdls.SASetWindow:
	default:
		return nil
	}
	if len(p.Data) < 2 {
		return nil // the manager says what is wrong with it
	}
	spi := uint16(p.Data[0])<<8 | uint16(p.Data[1])
	ways := map[ccsds.VCID]int{}
	var touched []ccsds.VCID
	for _, r := range s.manager.Records() {
		if r.State != sdls.Operational {
			continue
		}
		for _, vc := range r.SA.VCs {
			ways[vc]++
		}
		if r.SA.SPI == spi {
			touched = r.SA.VCs
		}
	}
	for _, vc := range touched {
		if ways[vc] < 2 {
			return fmt.Errorf("association %d is the only one of channel %d: %w", spi, vc, sdls.ErrInUse)
		}
	}
	return nil
}

func procedureReason(err error) string {
	for _, c := range []struct {
		err    error
		reason string
	}{
		{sdls.ErrForged, "forged"}, {sdls.ErrReplayed, "replayed"}, {sdls.ErrNoKey, "no such key"}, {sdls.ErrMaster, "master key"},
		{sdls.ErrState, "not in this state"}, {sdls.ErrInUse, "in use"}, {sdls.ErrSPI, "unknown SPI"}, {ErrUnmanaged, "unmanaged"},
	} {
		if errors.Is(err, c.err) {
			return c.reason
		}
	}
	return "malformed"
}

// Associate makes the ground protect what it sends from now on uplink channel vc under spi
// with key. Frames that are under way keep theirs. The craft must have it in operation.
func (g *Ground) Associate(vc ccsds.VCID, spi uint16, key [32]byte) error {
	if _, ok := g.p.SPI[vc]; !ok {
		return fmt.Errorf("associate uplink channel %d: %w", vc, ErrUnmanaged)
	}
	if err := g.sdls.Put(g.p.association(vc, spi, key)); err != nil {
		return fmt.Errorf("associate uplink channel %d: %w", vc, err)
	}
	g.p.SPI[vc] = spi
	return nil
}

// Association is the SPI under which the ground sends on uplink channel vc.
func (g *Ground) Association(vc ccsds.VCID) (spi uint16, ok bool) {
	spi, ok = g.p.SPI[vc]
	return spi, ok
}

package link

import (
	"errors"
	"fmt"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/sdls"
)

// ErrUnmanaged says that keys and associations cannot be changed over this link.
var ErrUnmanaged = errors.New("link: keys are not managed over this link")

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
	err := s.manage(keys, records, nonce)
	if err == nil {
		return nil
	}
	s.keys, s.manager = nil, nil
	for _, r := range records {
		s.sdls.Remove(r.SA.SPI)
	}
	for _, sa := range s.p.associations(false) {
		err = errors.Join(err, s.sdls.Put(sa))
	}
	if sec := s.down.frames.sec; sec != nil {
		err = errors.Join(err, sec.restart())
	}
	return fmt.Errorf("space link: %w", err)
}

func (s *Space) manage(keys []sdls.Key, records []sdls.Record, nonce func() ([12]byte, error)) error {
	ring, err := sdls.NewKeyring(keys...)
	if err != nil {
		return err
	}
	if s.manager != nil {
		for _, r := range s.manager.Records() {
			s.sdls.Remove(r.SA.SPI)
		}
	}
	for _, spi := range s.p.SPI {
		s.sdls.Remove(spi)
	}
	c := sdls.Config{Keys: ring, Records: records, Receiver: s.sdls, Sends: s.p.sends, FSR: &s.fsr, Log: &s.log, Nonce: nonce}
	if sec := s.down.frames.sec; sec != nil {
		sec.clear()
		c.Sender = managedSender{sec, &s.down.reserve}
	}
	m, err := sdls.NewManager(c)
	if err != nil {
		return err
	}
	for _, r := range records {
		if r.Sends {
			continue
		}
		n, err := s.saver.LoadFloor(r.SA.SPI)
		if err != nil {
			return fmt.Errorf("load anti-replay floor, SPI %d: %w", r.SA.SPI, err)
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

// SecurityLog is the log that the ground reads by procedures.
func (s *Space) SecurityLog() *sdls.Log { return &s.log }

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

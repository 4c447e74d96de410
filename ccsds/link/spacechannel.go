package link

import (
	"fmt"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/cop1"
	"github.com/perilune/perilune/ccsds/sdls"
)

// spaceVC is one uplink virtual channel.
type spaceVC struct {
	id      ccsds.VCID
	bdOnly  bool
	farm    cop1.FARM
	savedVR uint8
	dirty   bool // a directive or a change of state: save V(R) at once
	ad, bd  upJoiner
	last    adNumbers

	before      cop1.FARM // as they were when Receive was called
	beforeDirty bool
	beforeLast  adNumbers
}

// adNumbers are those of the last sequence-controlled frame, and of the last one under the association
// before its own. Frames are protected in the order of N(S), which itself is not authenticated: their
// numbers rise, and none comes under an association that another has followed. What does otherwise stands
// in another's place. Only frames that bypass the sequence may overtake others, within the window.
type adNumbers [2]adNumber

type adNumber struct {
	association
	n uint64
}

// association is one from its start to its stop: another start may let lower numbers come, under another key.
type association struct {
	spi   uint16
	start uint64 // see sdls.Manager.Started
}

func newSpaceVC(p Profile, s Saver, vc ccsds.VCID) (*spaceVC, error) {
	vr, _, err := s.LoadVR(vc)
	if err != nil {
		return nil, fmt.Errorf("load V(R), virtual channel %d: %w", vc, err)
	}
	farm, err := cop1.NewFARM(p.FARMWindow, vr)
	if err != nil {
		return nil, err
	}
	f := p.upFraming()
	return &spaceVC{id: vc, farm: farm, savedVR: vr, ad: f.joiner(), bd: f.joiner()}, nil
}

// ordered notes a sequence-controlled frame that was opened, unless one that was protected after it has
// been taken. A retransmission is no exception: it repeats the octets of a frame that FARM-1 still waits
// for, so nothing behind it has been taken.
func (s *Space) ordered(vc *spaceVC, field []byte) error {
	spi, n := s.sdls.Number(field)
	a, _ := s.association(spi)
	last := vc.last
	if now := last[0].association; a != now {
		if b, operational := s.association(now.spi); operational && b == now && b.start > a.start {
			return fmt.Errorf("SPI %d, number %d behind SPI %d: %w", spi, n, now.spi, sdls.ErrReplayed)
		}
		last[0], last[1] = last[1], last[0]
		if last[0].association != a {
			last[0] = adNumber{association: a}
		}
	}
	if n <= last[0].n {
		return fmt.Errorf("SPI %d, number %d behind %d: %w", spi, n, last[0].n, sdls.ErrReplayed)
	}
	last[0].n = n
	vc.last = last
	return nil
}

// association is the present one of an SPI, and whether it is operational.
func (s *Space) association(spi uint16) (a association, operational bool) {
	a.spi = spi
	if s.manager != nil {
		a.start, operational = s.manager.Started(spi)
	}
	return a, operational
}

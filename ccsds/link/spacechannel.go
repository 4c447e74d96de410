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
	last    adNumber

	before      cop1.FARM // as they were when Receive was called
	beforeDirty bool
	beforeLast  adNumber
}

// adNumber is the anti-replay number of the last sequence-controlled frame. Their numbers rise
// in the order of N(S), which itself is not authenticated: a lower one stands in another's place.
// Only frames that bypass the sequence may overtake others, within the window.
type adNumber struct {
	spi uint16
	n   uint64
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

// ordered takes the number of a sequence-controlled frame, if it rises.
func (vc *spaceVC) ordered(spi uint16, n uint64) error {
	if spi == vc.last.spi && n <= vc.last.n {
		return fmt.Errorf("SPI %d, number %d behind %d: %w", spi, n, vc.last.n, sdls.ErrReplayed)
	}
	vc.last = adNumber{spi, n}
	return nil
}

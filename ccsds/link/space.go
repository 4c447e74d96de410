package link

import (
	"fmt"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/sdls"
)

// SpaceEvents are what a Space reports. Any may be nil.
type SpaceEvents struct {
	// Packet is a packet from the ground; the callee may keep it.
	Packet func(vc ccsds.VCID, packet []byte)
	// Refused says that n things were refused in one Receive, by which layer and why.
	// Layers "tc" and "uslp" are mostly noise, "sdls" never is.
	Refused func(layer, reason string, n int)
	// UpLock says whether frames for this craft are being heard.
	UpLock func(locked bool)
}

// Saver keeps what must outlive a restart. SaveFloor and SaveVR return once the value
// is durable; LoadVR's bool says whether one was ever saved.
//
// What is saved of the uplink may take long, and the downlink need not wait for it: until such a
// SaveFloor or SaveVR has returned, NextCADU, Send, Room and Stats may be called, by the Saver or
// by somebody whom it lets. CLCWs speak of what is durable.
type Saver interface {
	LoadFloor(spi uint16) (uint64, error)
	SaveFloor(spi uint16, n uint64) error
	LoadVR(vc ccsds.VCID) (uint8, bool, error)
	SaveVR(vc ccsds.VCID, v uint8) error
}

// vrEvery is how many frames V(R) may be ahead of its checkpoint.
const vrEvery = 16

// upLockSeconds is how long, in bits at the up rate, a lock holds without a frame: the
// ground may have nothing to say for a while.
const upLockSeconds = 60

// Space is the end of the link on board. Use NewSpace.
type Space struct {
	p     Profile
	saver Saver
	ev    SpaceEvents

	up      *UpDecoder
	framing upFraming
	sdls    *sdls.Receiver
	keys    *sdls.Keyring // with manager, nil while the profile's associations are in use
	manager *sdls.Manager
	fsr     sdls.FSR
	log     sdls.Log
	vcs     map[ccsds.VCID]*spaceVC
	order   []ccsds.VCID // for CLCWs
	batch   []delivery
	refused map[refusal]int
	locked  bool
	saving  bool   // floors or V(R) are on their way to the Saver: CLCWs tell what was before
	heard   uint64 // bit at which the last frame for us was heard
	stats   SpaceStats

	down downlink
}

type refusal struct{ layer, reason string }

// NewSpace returns the board's end of a link, with floors and V(R) loaded from s.
func NewSpace(p Profile, s Saver, ev SpaceEvents) (*Space, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p = p.WithDefaults()
	sp := &Space{p: p, saver: s, ev: ev, framing: p.upFraming(), vcs: map[ccsds.VCID]*spaceVC{},
		order: p.reported(), refused: map[refusal]int{}}
	var err error
	if sp.up, err = NewUpDecoder(p); err != nil {
		return nil, fmt.Errorf("space link: %w", err)
	}
	if sp.sdls, err = sdls.NewReceiver(p.associations(false)); err != nil {
		return nil, fmt.Errorf("space link: %w", err)
	}
	for _, spi := range p.SPI {
		n, err := s.LoadFloor(spi)
		if err != nil {
			return nil, fmt.Errorf("space link: load anti-replay floor, SPI %d: %w", spi, err)
		}
		sp.sdls.SetFloor(spi, n)
	}
	for _, vc := range p.uplink() {
		if sp.vcs[vc], err = newSpaceVC(p, s, vc); err != nil {
			return nil, fmt.Errorf("space link: %w", err)
		}
	}
	for _, vc := range p.BD {
		sp.vcs[vc].bdOnly = true
	}
	sp.stats.Refused = map[string]uint64{}
	return sp, sp.down.init(p, s)
}

func (s *Space) refuse(layer, reason string) { s.refused[refusal{layer, reason}]++ }

// report gives out what was refused in this Receive and changes of the lock.
func (s *Space) report() {
	for r, n := range s.refused {
		s.stats.Refused[r.layer+": "+r.reason] += uint64(n)
		if s.ev.Refused != nil {
			s.ev.Refused(r.layer, r.reason, n)
		}
	}
	clear(s.refused)
	locked := s.heard > 0 && s.up.Bits()-s.heard < upLockSeconds*uint64(s.p.UpRate)
	if locked != s.locked {
		s.locked = locked
		if s.ev.UpLock != nil {
			s.ev.UpLock(locked)
		}
	}
}

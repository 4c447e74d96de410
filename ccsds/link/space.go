package link

import (
	"errors"
	"fmt"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/cop1"
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

// delivery is what a batch holds back until its anti-replay floor is durable: a
// unit in clear, or a directive that ends what was being reassembled.
type delivery struct {
	vc     *spaceVC
	bypass bool
	unit   []byte
	reset  bool
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

// Receive takes the next bits of the uplink, any number of octets at any alignment.
// All frames in them are one batch: packets are delivered once the anti-replay floors
// are durable. On an error of the Saver nothing of the batch is delivered and FARM-1
// stands where it stood, so that the ground sends it again.
func (s *Space) Receive(bits []byte) error { return s.receive(bits, nil) }

// ReceiveSoft is Receive for soft symbols as package coding has them.
func (s *Space) ReceiveSoft(soft []int8) error { return s.receive(nil, soft) }

func (s *Space) receive(bits []byte, soft []int8) error {
	for _, vc := range s.vcs {
		vc.before, vc.beforeDirty, vc.beforeLast = vc.farm, vc.dirty, vc.last
	}
	s.batch = s.batch[:0]
	if soft != nil {
		s.up.PushSoft(soft, s.frame)
	} else {
		s.up.Push(bits, s.frame)
	}
	defer s.report()
	s.saving = true
	defer func() { s.saving = false }()
	if err := s.sdls.Commit(s.saver); err != nil {
		for _, vc := range s.vcs {
			vc.farm, vc.dirty, vc.last = vc.before, vc.beforeDirty, vc.beforeLast
		}
		return fmt.Errorf("space link: %w", err)
	}
	err := s.checkpoint()
	for _, d := range s.batch {
		s.deliver(d)
	}
	return err
}

// frame takes what a CLTU carried: a transfer frame and fill. It says whether that was a
// frame, whatever becomes of it.
func (s *Space) frame(data []byte, info UpInfo) (taken bool) {
	if s.p.Up == FramingPackets {
		s.packet(data)
		return true
	}
	f, err := s.framing.decode(data)
	if err != nil {
		_, reason := Reason(err)
		s.refuse(string(s.p.Up), reason)
		return false
	}
	vc := s.vcs[f.vc]
	if vc == nil {
		s.refuse(string(s.p.Up), "unknown virtual channel")
		return true
	}
	s.stats.Frames++
	s.stats.Corrected += uint64(info.Corrected)
	s.heard = s.up.Bits()
	state := vc.farm.State()
	switch {
	case f.control:
		s.control(vc, f.field)
	case f.bypass:
		vc.farm.BD()
		s.stats.BD++
		s.open(vc, &f)
	case vc.bdOnly:
		s.refuse("farm", "sequence-controlled frame on a recovery channel")
	default:
		if v := vc.farm.AD(f.seq, true); v != cop1.Accepted {
			s.refuse("farm", v.String())
			break
		}
		s.stats.AD++
		s.open(vc, &f)
	}
	vc.dirty = vc.dirty || vc.farm.State() != state
	return true
}

// packet takes a packet that came without a frame, for the first channel.
func (s *Space) packet(data []byte) {
	s.stats.Frames++
	s.heard = s.up.Bits()
	s.batch = append(s.batch, delivery{vc: s.vcs[s.order[0]], unit: append([]byte(nil), data...)})
}

func (s *Space) control(vc *spaceVC, directive []byte) {
	if v := vc.farm.Control(directive); v != cop1.Accepted {
		s.refuse("farm", v.String())
		return
	}
	s.stats.BC++
	vc.dirty = true
	s.batch = append(s.batch, delivery{vc: vc, reset: true})
}

// open removes security from the data field of a frame that FARM-1 accepted.
func (s *Space) open(vc *spaceVC, f *upFrame) {
	unit := append([]byte(nil), f.clear...)
	if len(s.p.SPI) == 0 {
		unit = append(unit, f.field...)
	} else {
		clear, err := s.sdls.Open(vc.id, f.header, f.field)
		if err == nil && !f.bypass {
			err = vc.ordered(s.sdls.Number(f.field))
		}
		layout := s.sdls.Layout(f.field)
		s.fsr.Note(f.field, layout, err)
		s.log.Frame(f.field, layout, err)
		if err != nil {
			_, reason := Reason(err)
			s.refuse(layerSDLS, reason)
			return
		}
		unit = append(unit, clear...)
	}
	s.batch = append(s.batch, delivery{vc: vc, bypass: f.bypass, unit: unit})
}

// ordered takes the number of a sequence-controlled frame, if it rises.
func (vc *spaceVC) ordered(spi uint16, n uint64) error {
	if spi == vc.last.spi && n <= vc.last.n {
		return fmt.Errorf("SPI %d, number %d behind %d: %w", spi, n, vc.last.n, sdls.ErrReplayed)
	}
	vc.last = adNumber{spi, n}
	return nil
}

// checkpoint saves each V(R) that has moved far or for a special reason.
func (s *Space) checkpoint() error {
	var errs []error
	for id, vc := range s.vcs {
		vr := vc.farm.VR()
		if vc.bdOnly || !vc.dirty && vr-vc.savedVR < vrEvery {
			continue
		}
		if err := s.saver.SaveVR(id, vr); err != nil {
			errs = append(errs, fmt.Errorf("space link: save V(R), virtual channel %d: %w", id, err))
			continue
		}
		vc.savedVR, vc.dirty = vr, false
	}
	return errors.Join(errs...)
}

func (s *Space) deliver(d delivery) {
	r := d.vc.ad
	if d.bypass {
		r = d.vc.bd
	}
	if d.reset {
		r.reset()
		return
	}
	if s.p.Up == FramingPackets {
		s.deliverPacket(d.vc.id, d.unit)
		return
	}
	if r.push(d.unit, func(packet []byte) { s.deliverPacket(d.vc.id, packet) }) != nil {
		s.refuse("segment", "segment out of place")
	}
}

func (s *Space) deliverPacket(vc ccsds.VCID, packet []byte) {
	s.stats.Packets++
	if s.ev.Packet != nil {
		s.ev.Packet(vc, packet)
	}
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

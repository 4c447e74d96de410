package link

import (
	"errors"
	"fmt"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/cop1"
	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/ccsds/tc"
)

// SpaceEvents are what a Space reports. Any may be nil.
type SpaceEvents struct {
	// Packet is a packet from the ground; the callee may keep it.
	Packet func(vc ccsds.VCID, packet []byte)
	// Refused says that n things were refused in one Receive, by which layer and why.
	// Layer "cltu" and "tc" are mostly noise, "sdls" never is.
	Refused func(layer, reason string, n int)
	// UpLock says whether frames for this craft are being heard.
	UpLock func(locked bool)
}

// Saver keeps what must outlive a restart. SaveFloor and SaveVR return once the value
// is durable; LoadVR's bool says whether one was ever saved.
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

	cltu    *coding.CLTUDecoder
	sdls    *sdls.Receiver
	vcs     map[ccsds.VCID]*spaceVC
	order   []ccsds.VCID // for CLCWs
	batch   []delivery
	refused map[refusal]int
	locked  bool
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
	ad, bd  *tc.Reassembler
}

// delivery is what a batch holds back until its anti-replay floor is durable: a
// segment in clear, or a directive that ends what was being reassembled.
type delivery struct {
	vc      *spaceVC
	bypass  bool
	segment []byte
	reset   bool
}

type refusal struct{ layer, reason string }

// NewSpace returns the board's end of a link, with floors and V(R) loaded from s.
func NewSpace(p Profile, s Saver, ev SpaceEvents) (*Space, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p = p.WithDefaults()
	sp := &Space{p: p, saver: s, ev: ev, cltu: coding.NewCLTUDecoder(), vcs: map[ccsds.VCID]*spaceVC{},
		order: p.reported(), refused: map[refusal]int{}}
	var err error
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
	return sp, sp.down.init(p)
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
	return &spaceVC{id: vc, farm: farm, savedVR: vr,
		ad: tc.NewReassembler(maxPacket), bd: tc.NewReassembler(maxPacket)}, nil
}

// Receive takes the next bits of the uplink, any number of octets at any alignment.
// All frames in them are one batch: packets are delivered once the anti-replay floors
// are durable. On an error of the Saver nothing of the batch is delivered and FARM-1
// stands where it stood, so that the ground sends it again.
func (s *Space) Receive(bits []byte) error {
	before := make(map[ccsds.VCID]spaceVC, len(s.vcs))
	for id, vc := range s.vcs {
		before[id] = *vc
	}
	s.batch = s.batch[:0]
	s.cltu.Push(bits, s.frame)
	defer s.report()
	if err := s.sdls.Commit(s.saver); err != nil {
		for id, vc := range s.vcs {
			vc.farm, vc.dirty = before[id].farm, before[id].dirty
		}
		return fmt.Errorf("space link: %w", err)
	}
	err := s.checkpoint()
	for _, d := range s.batch {
		s.deliver(d)
	}
	return err
}

// frame takes what a CLTU carried: a transfer frame and fill.
func (s *Space) frame(data []byte, info coding.CLTUInfo) {
	f := tc.Frame{Params: s.p.tc()}
	if err := f.DecodeFromBytes(data, nil); err != nil {
		s.refuse("tc", frameReason(err))
		return
	}
	vc := s.vcs[f.VCID]
	if vc == nil {
		s.refuse("tc", "unknown virtual channel")
		return
	}
	s.stats.Frames++
	s.stats.Corrected += uint64(info.Corrected)
	s.heard = s.cltu.Bits()
	state := vc.farm.State()
	switch {
	case f.Control:
		s.control(vc, f.Payload)
	case f.Bypass:
		vc.farm.BD()
		s.stats.BD++
		s.open(vc, &f)
	case vc.bdOnly:
		s.refuse("farm", "sequence-controlled frame on a recovery channel")
	default:
		if v := vc.farm.AD(f.Seq, true); v != cop1.Accepted {
			s.refuse("farm", v.String())
			break
		}
		s.stats.AD++
		s.open(vc, &f)
	}
	vc.dirty = vc.dirty || vc.farm.State() != state
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
func (s *Space) open(vc *spaceVC, f *tc.Frame) {
	field := f.Payload
	segment := append([]byte(nil), field...)
	if len(s.p.SPI) > 0 {
		header := append(append(make([]byte, 0, tc.HeaderLength+1), f.Contents...), field[:tc.SegmentHeaderLength]...)
		clear, err := s.sdls.Open(vc.id, header, field[tc.SegmentHeaderLength:])
		if err != nil {
			s.refuse("sdls", securityReason(err))
			return
		}
		segment = append(segment[:tc.SegmentHeaderLength], clear...)
	}
	s.batch = append(s.batch, delivery{vc: vc, bypass: f.Bypass, segment: segment})
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
		r.Reset()
		return
	}
	err := r.Push(d.segment, func(_ ccsds.MAPID, packet []byte) {
		s.stats.Packets++
		if s.ev.Packet != nil {
			s.ev.Packet(d.vc.id, packet)
		}
	})
	if err != nil {
		s.refuse("segment", "segment out of place")
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
	locked := s.heard > 0 && s.cltu.Bits()-s.heard < upLockSeconds*uint64(s.p.UpRate)
	if locked != s.locked {
		s.locked = locked
		if s.ev.UpLock != nil {
			s.ev.UpLock(locked)
		}
	}
}

func frameReason(err error) string {
	for _, c := range []struct {
		err    error
		reason string
	}{
		{ccsds.ErrTruncated, "truncated"}, {ccsds.ErrLength, "wrong length"}, {ccsds.ErrVersion, "wrong version"},
		{ccsds.ErrChecksum, "frame error control"}, {ccsds.ErrForeign, "other spacecraft"}, {ccsds.ErrReserved, "reserved bits"},
	} {
		if errors.Is(err, c.err) {
			return c.reason
		}
	}
	return "malformed"
}

func securityReason(err error) string {
	for _, c := range []struct {
		err    error
		reason string
	}{
		{sdls.ErrTruncated, "truncated"}, {sdls.ErrSPI, "unknown SPI"}, {sdls.ErrVC, "wrong virtual channel"},
		{sdls.ErrForged, "forged"}, {sdls.ErrReplayed, "replayed"},
	} {
		if errors.Is(err, c.err) {
			return c.reason
		}
	}
	return "malformed"
}

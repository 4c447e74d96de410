package link

import (
	"errors"
	"fmt"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/cop1"
)

// delivery is what a batch holds back until its anti-replay floor is durable: a
// unit in clear, or a directive that ends what was being reassembled.
type delivery struct {
	vc     *spaceVC
	bypass bool
	unit   []byte
	reset  bool
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
			err = s.ordered(vc, f.field)
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

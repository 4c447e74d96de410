package main

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/spp"
)

const (
	vc    = 2 // of files
	apid  = 2
	ahead = 2 // packets that wait for the next frame
)

// way is one direction of the link: the frames that the craft makes, at even intervals,
// of which some are lost whole, and delay.
type way struct {
	from, to *cfdp.Entity
	every    time.Duration
	delay    time.Duration
	loss     float64
	rng      *rand.Rand
	framer   *link.Framer
	deframer *link.Deframer

	next time.Time // when the next frame goes
	air  []arrival
	seq  spp.Counter

	frames, lost int
	data         uint64 // octets of file data sent
}

type arrival struct {
	at    time.Time
	frame []byte
}

func newWay(p link.Profile, from, to *cfdp.Entity, w way) (*way, error) {
	var err1, err2 error
	w.from, w.to = from, to
	w.framer, err1 = link.NewFramer(p, nil)
	w.deframer, err2 = link.NewDeframer(p, nil)
	return &w, errors.Join(err1, err2)
}

// frame sends one frame at now: packets, or idle data where there are none.
func (w *way) frame(now time.Time, depth int) error {
	for depth-w.framer.Room(vc) < ahead {
		pdu, ok := w.from.Next(now)
		if !ok {
			break
		}
		if _, b, err := cfdp.Decode(pdu); err == nil {
			if d, ok := b.(*cfdp.FileData); ok {
				w.data += uint64(len(d.Data))
			}
		}
		packet, err := spp.Append(nil, &spp.Packet{APID: apid, SeqFlags: spp.Unsegmented, SeqCount: w.seq.Next(apid)}, pdu)
		if err == nil {
			err = w.framer.Send(vc, packet)
		}
		if err != nil {
			return err
		}
	}
	frame, _ := w.framer.Next(nil, [4]byte{})
	w.frames++
	if w.rng.Float64() < w.loss {
		w.lost++
		return nil
	}
	w.air = append(w.air, arrival{now.Add(w.delay), frame})
	return nil
}

// deliver hands over what has arrived.
func (w *way) deliver(now time.Time) error {
	n := 0
	for ; n < len(w.air) && !w.air[n].at.After(now); n++ {
		if _, err := w.deframer.Decode(w.air[n].frame); err != nil {
			return err
		}
		var errs error
		err := w.deframer.Packets(func(packet []byte) {
			err := w.to.Receive(now, packet[ccsds.PacketHeaderLength:])
			if err != nil && !errors.Is(err, cfdp.ErrUnknown) {
				errs = errors.Join(errs, err)
			}
		})
		if err = errors.Join(err, errs); err != nil {
			return err
		}
	}
	w.air = w.air[n:]
	return nil
}

// run lets time pass, in steps of the faster way's frames, until done; it returns
// how long that took.
func run(a, b *way, start time.Time, limit time.Duration, done func() bool) (time.Duration, error) {
	a.next, b.next = start, start
	depth := a.framer.Room(vc)
	now := start
	for ; !done(); now = now.Add(min(a.every, b.every)) {
		if now.Sub(start) > limit {
			return 0, errors.New("not done in time")
		}
		for _, w := range []*way{a, b} {
			if err := w.deliver(now); err != nil {
				return 0, err
			}
			for !w.next.After(now) {
				if err := w.frame(now, depth); err != nil {
					return 0, err
				}
				w.next = w.next.Add(w.every)
			}
			w.from.Tick(now)
		}
	}
	return now.Sub(start), nil
}

package station

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/ccsds/spp"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/internal/clock"
)

// fileBacklog is how many file packets wait in the link at most. The rest waits in the
// file entity, which knows better what to send next.
const fileBacklog = 4

// filePDU is the tag of a packet with a PDU of a file: "data", or the directive's name.
type filePDU string

// kindOf names a PDU.
func kindOf(pdu []byte) filePDU {
	switch _, body, err := cfdp.Decode(pdu); body := body.(type) {
	case *cfdp.FileData:
		return "data"
	case *cfdp.NAK:
		return "NAK"
	default:
		if err != nil {
			return "unknown"
		}
		return filePDU(strings.TrimPrefix(fmt.Sprintf("%T", body), "*cfdp."))
	}
}

// transmit radiates what there is, at the pace of the channel.
func (s *Station) transmit(ctx context.Context) error {
	pace := pacer{rate: s.cfg.Profile.UpRate}
	idle := s.ground.UpIdle()
	trailing := false
	for ctx.Err() == nil {
		bits, wake := s.next()
		if bits == nil && trailing {
			bits, trailing = idle, false
		} else {
			trailing = bits != nil
		}
		if bits == nil {
			s.wait(ctx, wake)
			continue
		}
		if err := s.radiate(ctx, bits); err != nil {
			return err
		}
		if err := clock.Sleep(ctx, s.cfg.Clock, pace.after(s.now(), len(bits))); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// next lets timers run and returns the next CLTU, or nil and when to look again.
func (s *Station) next() (bits []byte, wake time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.ground.Tick(now)
	wake = soonest(soonest(s.cfg.Files.Tick(now), s.ground.NextTimer()), s.repeat(now))
	s.feed(now)
	return s.ground.NextCLTU(now), wake
}

// feed hands file packets to the link while few of them wait there.
func (s *Station) feed(now time.Time) {
	for s.fileRoom() {
		pdu, ok := s.cfg.Files.Next(now)
		if !ok {
			return
		}
		p := spp.Packet{Type: spp.TC, APID: apidFiles, SeqFlags: spp.Unsegmented, SeqCount: s.filePackets}
		s.filePackets = (s.filePackets + 1) & 0x3FFF
		packet, err := spp.Append(nil, &p, pdu)
		if err == nil {
			err = s.ground.Send(vcFiles, packet, false, kindOf(pdu))
		}
		if err != nil {
			s.cfg.Log.Warn("file packet dropped", "err", err)
			return
		}
	}
}

func (s *Station) fileRoom() bool {
	return s.cfg.Profile.Queue-s.ground.Room(vcFiles) < min(fileBacklog, s.cfg.Profile.Queue)
}

// radiate writes bits to the radio, however long it takes to accept them.
func (s *Station) radiate(ctx context.Context, bits []byte) error {
	for len(bits) > 0 && ctx.Err() == nil {
		// An error means that the port is away or busy; the radio waits by itself.
		n, _ := s.cfg.Radio.Write(ctx, bits)
		bits = bits[n:]
		s.mu.Lock()
		s.sent += uint64(n)
		if n == 0 {
			s.ground.Tick(s.now()) // who waits for the radio still notices that it is silent
		}
		s.mu.Unlock()
	}
	return ctx.Err()
}

// wait sleeps until there may be work.
func (s *Station) wait(ctx context.Context, until time.Time) {
	var timer <-chan time.Time
	if !until.IsZero() {
		timer = s.cfg.Clock.After(max(until.Sub(s.now()), time.Millisecond))
	}
	select {
	case <-s.wake:
	case <-timer:
	case <-ctx.Done():
	}
}

func soonest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// pacer keeps the average rate: what was late is not made up for by a rush.
type pacer struct {
	rate int // bit/s
	due  time.Time
}

// after is how long to wait after n octets have left at now.
func (p *pacer) after(now time.Time, n int) time.Duration {
	if p.due.Before(now) {
		p.due = now
	}
	p.due = p.due.Add(time.Duration(n) * 8 * time.Second / time.Duration(p.rate))
	return p.due.Sub(now)
}

// sentAs notes that the frame that goes out next is the last one of tag. The offset is
// that of its CLTU's start sequence, behind the acquisition pattern.
func (s *Station) sentAs(vc ccsds.VCID, tag any) {
	bit := (s.sent + uint64(s.ground.Lead())) * 8
	switch t := tag.(type) {
	case *command:
		s.radiated(t, bit)
	case filePDU:
		if t == "NAK" || s.seldom("file radiated") {
			s.record(client.Event{Kind: client.KindFileRadiated, VC: uint8(vc), APID: apidFiles, Stream: client.StreamUp, Bit: bit, Text: "file " + string(t)})
		}
	}
}

package station

import (
	"fmt"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/cop1"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/internal/client"
)

// events are the link's callbacks. They run inside its methods, with the lock held.
func (s *Station) events() link.GroundEvents {
	return link.GroundEvents{
		Packet: func(vc ccsds.VCID, packet []byte, at link.Offset) { s.packet(vc, packet, at.Bit) },
		Frame:  s.frame,
		Data:   s.data,
		Bad: func(reason string, bit uint64) {
			s.recordState(bit)
			s.record(client.Event{Kind: client.KindBad, Stream: client.StreamDown, Bit: bit, Text: reason})
		},
		CLCW:  s.clcw,
		State: s.state,
		FOP:   s.fop,

		FSR:     s.securityReport,
		Secured: s.downSecured,
	}
}

// securityReport notes a frame security report that says something new.
func (s *Station) securityReport(f sdls.FSR, bit uint64) {
	if s.fsr != nil && s.fsr.Alarm == f.Alarm && s.fsr.BadNumber == f.BadNumber && s.fsr.BadMAC == f.BadMAC && s.fsr.BadSA == f.BadSA {
		return
	}
	s.fsr = &f
	text := fmt.Sprintf("SPI %d", f.SPI)
	for _, flag := range []struct {
		on   bool
		word string
	}{{f.Alarm, ", alarm"}, {f.BadNumber, ", bad number"}, {f.BadMAC, ", bad MAC"}, {f.BadSA, ", bad association"}} {
		if flag.on {
			text += flag.word
		}
	}
	s.record(client.Event{Kind: client.KindFSR, Stream: client.StreamDown, Bit: bit, Text: text, Fields: map[string]any{
		"alarm": f.Alarm, "bad_number": f.BadNumber, "bad_mac": f.BadMAC, "bad_sa": f.BadSA, "spi": f.SPI, "number": f.Number,
	}})
}

// downSecured notes that the craft has changed the association of a downlink channel.
func (s *Station) downSecured(vc ccsds.VCID, spi uint16) {
	before := s.secured[vc]
	s.secured[vc] = spi
	e := client.Event{Kind: client.KindKeys, VC: uint8(vc), Stream: client.StreamDown, Text: fmt.Sprintf("downlink channel %d comes under SPI %d", vc, spi)}
	e.Fields = map[string]any{"spi": spi, "before": before}
	s.record(e)
}

// frame notes what the coding layer had to repair, and what is missing.
func (s *Station) frame(f link.FrameInfo) {
	s.recordState(f.Bit)
	e := client.Event{VC: uint8(f.VC), Stream: client.StreamDown, Bit: f.Bit}
	if f.Lost > 0 {
		e.Kind, e.Text = client.KindLost, fmt.Sprintf("%d frames missing", f.Lost)
		e.Fields = map[string]any{"lost": f.Lost, "reacquired": f.Reacquired}
		s.record(e)
	}
	s.repaired.frames++
	s.repaired.symbols += f.Corrected
	if f.Corrected > 0 && s.seldom(client.KindCorrected) {
		e.Kind, e.Text = client.KindCorrected, fmt.Sprintf("%d symbols corrected", f.Corrected)
		e.Fields = map[string]any{"symbols": f.Corrected, "symbols_since": s.repaired.symbols, "frames_since": s.repaired.frames}
		if f.Rounds > 0 {
			e.Fields["iterations"] = f.Rounds
		}
		s.repaired = repaired{}
		s.record(e)
	}
}

// repaired counts since the last event about corrected frames.
type repaired struct{ frames, symbols int }

func (s *Station) clcw(vc ccsds.VCID, c cop1.CLCW, bit uint64) {
	known := s.channels[vc]
	if known == nil {
		known = &channel{}
		s.channels[vc] = known
	}
	was, first := known.clcw, !known.heard
	known.clcw, known.heard = c, true
	flags := was.Lockout != c.Lockout || was.Wait != c.Wait || was.Retransmit != c.Retransmit || was.NoBitLock != c.NoBitLock
	moved := was.ReportValue != c.ReportValue || was.FARMB != c.FARMB
	// Sequence numbers move with every frame of a file; flags are worth each change.
	if !first && !flags && !(moved && s.seldom(fmt.Sprint(client.KindCLCW, vc))) {
		return
	}
	s.record(client.Event{
		Kind: client.KindCLCW, VC: uint8(vc), Stream: client.StreamDown, Bit: bit,
		Text: fmt.Sprintf("V(R) %d%s", c.ReportValue, flagWords(c)),
		Fields: map[string]any{
			"report": c.ReportValue, "lockout": c.Lockout, "wait": c.Wait, "retransmit": c.Retransmit,
			"no_bit_lock": c.NoBitLock, "farm_b": c.FARMB,
		},
	})
}

func flagWords(c cop1.CLCW) (text string) {
	for _, f := range []struct {
		on   bool
		word string
	}{{c.Lockout, ", lockout"}, {c.Wait, ", wait"}, {c.Retransmit, ", retransmit"}, {c.NoBitLock, ", no bit lock"}} {
		if f.on {
			text += f.word
		}
	}
	return text
}

// state notes a new state of the synchroniser. The event waits for the frame that
// brought it about, whose offset it is to carry.
func (s *Station) state(st link.SyncState) {
	s.link.State, s.link.Since = st.String(), s.now().UTC()
	s.changed = true
	if st == link.Search {
		s.recordState(s.link.BitsReceived)
	}
	s.cfg.Files.Freeze(s.now(), st != link.Lock)
}

// recordState records a change of state, if there is one, as seen at bit.
func (s *Station) recordState(bit uint64) {
	if s.changed {
		s.changed = false
		s.record(client.Event{Kind: client.KindState, Stream: client.StreamDown, Bit: bit, Text: s.link.State})
	}
}

func (s *Station) fop(e link.FOPEvent) {
	switch e.Kind {
	case link.FOPRadiated:
		s.sentAs(e.VC, e.Tag)
		return
	case link.FOPAccepted:
		if c, ok := e.Tag.(*command); ok {
			s.accepted(c)
		}
		s.poke()
		return
	}
	text := string(e.Kind)
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	if e.Frames > 0 {
		text += fmt.Sprintf(" %d frames", e.Frames)
	}
	s.record(client.Event{
		Kind: client.KindFOP, VC: uint8(e.VC), Stream: client.StreamUp, Bit: s.sent * 8, Text: text,
		Fields: map[string]any{"kind": string(e.Kind), "seq": e.Seq, "frames": e.Frames, "reason": e.Reason},
	})
}

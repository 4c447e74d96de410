package link

import (
	"bytes"
	"slices"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/cop1"
	"github.com/perilune/perilune/ccsds/sdls"
)

// arrival is what Receive leaves for Tick, which knows the time.
type arrival struct {
	kind arrivalKind
	clcw cop1.CLCW
}

type arrivalKind uint8

const (
	gotCLCW arrivalKind = iota
	gotLock
	lostLock
)

// maxPending bounds the control words that wait for a Tick; older ones say nothing that
// newer ones do not.
const maxPending = 256

// Receive takes the next bits of the downlink, any number of octets at any alignment.
// What the control words in them mean for the uplink is worked out by the next Tick or
// NextCLTU, which know the time; call Tick after Receive.
func (g *Ground) Receive(bits []byte) {
	if g.stream != nil {
		g.bits += 8 * uint64(len(bits))
		g.stream.push(bits, g.packet)
		return
	}
	g.decoder.Push(bits, g.coded)
	g.setState(g.decoder.State())
}

// ReceiveSoft is Receive for soft symbols as package coding has them. Places in the stream
// are then those of symbols. A stream of packets has none.
func (g *Ground) ReceiveSoft(soft []int8) {
	if g.stream != nil {
		g.hard, g.rest = appendSigns(g.hard[:0], g.rest, soft)
		g.Receive(g.hard)
		return
	}
	g.decoder.PushSoft(soft, g.coded)
	g.setState(g.decoder.State())
}

// packet takes a packet that came without a frame: while some do, the link is in lock.
func (g *Ground) packet(data []byte, bit uint64) {
	g.setState(Lock)
	g.decoded(data, Coded{Bit: bit})
}

func (g *Ground) setState(s SyncState) {
	if s == g.state {
		return
	}
	again := s == Verify && g.state == Lock // lock was lost and a marker found within one call
	g.state = s
	if s == Search || again {
		g.lost()
	}
	if g.ev.State != nil {
		g.ev.State(s)
	}
}

// lost notes that the good frames have ended.
func (g *Ground) lost() {
	g.fresh = true
	if g.flowing {
		g.flowing = false
		g.pend(arrival{kind: lostLock})
	}
}

// pend leaves a for the next Tick. When nobody calls it, the oldest control words go
// first.
func (g *Ground) pend(a arrival) {
	if len(g.pending) >= maxPending {
		i := max(0, slices.IndexFunc(g.pending, func(a arrival) bool { return a.kind == gotCLCW }))
		g.pending = slices.Delete(g.pending, i, i+1)
	}
	g.pending = append(g.pending, a)
}

// coded takes what the channel decoder found.
func (g *Ground) coded(c Coded) {
	g.setState(c.State)
	if g.seen && c.Bit <= g.last {
		return // the synchroniser looked at these bits twice
	}
	if c.Frame == nil {
		g.bad(c.Refused, c.Bit)
		return
	}
	g.decoded(c.Frame, c)
}

func (g *Ground) decoded(frame []byte, c Coded) {
	h, err := g.frames.Decode(frame)
	if err != nil {
		g.bad(Refusal(err), c.Bit)
		return
	}
	g.good(h, c)
}

func (g *Ground) bad(reason string, bit uint64) {
	g.stats.Bad++
	if g.ev.Bad != nil {
		g.ev.Bad(reason, bit)
	}
}

func (g *Ground) good(h FrameHeader, c Coded) {
	info := FrameInfo{VC: h.VC, Count: h.Count, Corrected: c.Corrected, Rounds: c.Rounds, Lost: h.Lost, Bit: c.Bit, Reacquired: g.fresh}
	g.seen, g.fresh, g.last, g.alive = true, false, c.Bit, true
	g.stats.Frames++
	g.stats.Symbols += uint64(c.Corrected)
	if info.Reacquired {
		g.stats.Gaps++
	} else {
		g.stats.Lost += uint64(info.Lost)
	}
	if c.Corrected > 0 {
		g.stats.Corrected++
	}
	if !g.flowing {
		g.flowing = true
		g.pend(arrival{kind: gotLock})
	}
	if g.ev.Frame != nil {
		g.ev.Frame(info)
	}
	if h.HasOCF {
		g.clcw(h.OCF, c.Bit)
	}
	if h.Idle {
		g.stats.Idle++
		return
	}
	errPackets := g.frames.Packets(func(packet []byte) {
		g.stats.Packets++
		if g.ev.Packet != nil {
			g.ev.Packet(h.VC, bytes.Clone(packet), Offset{Bit: c.Bit})
		}
	})
	errData := g.frames.Data(func(d Data) {
		g.stats.Data[h.VC] += uint64(len(d.Octets))
		if g.ev.Data != nil {
			d.Octets = bytes.Clone(d.Octets)
			g.ev.Data(h.VC, d, Offset{Bit: c.Bit})
		}
	})
	if errPackets != nil || errData != nil {
		g.stats.Senseless++
	}
}

func (g *Ground) clcw(ocf [4]byte, bit uint64) {
	if f, err := sdls.DecodeFSR(ocf); err == nil {
		if g.ev.FSR != nil {
			g.ev.FSR(f, bit)
		}
		return
	}
	var c cop1.CLCW
	if c.DecodeFromBytes(ocf[:], nil) != nil || g.vcs[c.VC] == nil {
		return // another kind of control word, or not about us
	}
	c.BaseLayer = ccsds.BaseLayer{} // it points into the frame
	if g.ev.CLCW != nil {
		g.ev.CLCW(c.VC, c, bit)
	}
	if c.COP == cop1.COPInEffect { // what others report are no sequence numbers of ours
		g.pend(arrival{kind: gotCLCW, clcw: c})
	}
}

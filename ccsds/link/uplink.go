package link

import (
	"fmt"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/cop1"
)

// upPacket is a packet on its way up.
type upPacket struct {
	data     []byte
	tag      any
	segments [][]byte // nil until the first is wanted
	next     int      // segment to frame next
	acked    int      // segments acknowledged
}

// segmentRef ties a frame data unit to its packet. n is the anti-replay number under spi, drawn
// once: a retransmission is the identical octets.
type segmentRef struct {
	packet *upPacket
	index  int
	spi    uint16 // 0: unprotected
	n      uint64
}

// groundVC is one uplink virtual channel.
type groundVC struct {
	id    ccsds.VCID
	fop   *cop1.FOP   // nil on a recovery channel
	queue []*upPacket // not all of it given to FOP-1 yet
	bd    []*upPacket
	stats FOPStats

	returned  []cop1.Notice // frames that an alert gave back
	last      *cop1.CLCW    // the latest control word
	wait      bool          // hold until the next control word
	unlocking bool          // the directive under way is Unlock
}

// Send queues a space packet for uplink virtual channel vc; the octets are copied. With
// bd, or on a recovery channel, it goes as Type-BD: at once, once, with or without a
// return link, and without any word whether it arrived. tag comes back in events.
func (g *Ground) Send(vc ccsds.VCID, packet []byte, bd bool, tag any) error {
	c := g.vcs[vc]
	if c == nil {
		return fmt.Errorf("link: send on virtual channel %d: no such uplink channel", vc)
	}
	n, err := ccsds.PacketLength(packet)
	if err != nil {
		return fmt.Errorf("link: send on virtual channel %d: %w", vc, err)
	}
	if n != len(packet) {
		return fmt.Errorf("link: send on virtual channel %d: packet says %d octets, have %d", vc, n, len(packet))
	}
	p := &upPacket{data: append([]byte(nil), packet...), tag: tag}
	queue := &c.queue
	if bd || c.fop == nil {
		queue = &c.bd
	}
	if len(*queue) >= g.p.Queue {
		return ErrFull
	}
	*queue = append(*queue, p)
	return nil
}

// Room is how many packets the queue of uplink virtual channel vc still takes.
func (g *Ground) Room(vc ccsds.VCID) int {
	c := g.vcs[vc]
	switch {
	case c == nil:
		return 0
	case c.fop == nil:
		return g.p.Queue - len(c.bd)
	}
	return max(0, g.p.Queue-len(c.queue))
}

// NextCLTU returns the next unit to radiate, with an acquisition pattern in front, or
// nil when there is nothing: then the caller sends idle pattern or waits. The caller
// paces; the last bit is taken to be radiated when the next call is made.
func (g *Ground) NextCLTU(now time.Time) []byte {
	g.Tick(now)
	if g.p.Up == FramingPackets {
		return g.nextPacket()
	}
	for _, id := range g.order {
		if frame := g.nextBD(g.vcs[id]); frame != nil {
			return g.unit(frame)
		}
	}
	if !g.up {
		return nil
	}
	for _, id := range g.p.AD {
		if frame := g.nextAD(g.vcs[id]); frame != nil {
			return g.unit(frame)
		}
	}
	return nil
}

func (g *Ground) unit(frame []byte) []byte {
	out, err := g.coder.Append(nil, frame)
	if err != nil { // Validate made sure that there is such a code
		return nil
	}
	g.stats.CLTUs++
	return out
}

// nextPacket is the next packet of an uplink without frames. The stream loses nothing, so
// what is sent is accepted.
func (g *Ground) nextPacket() []byte {
	for _, id := range g.order {
		c := g.vcs[id]
		queue := &c.bd
		if len(*queue) == 0 {
			queue = &c.queue
		}
		if len(*queue) == 0 {
			continue
		}
		p := (*queue)[0]
		(*queue)[0], *queue = nil, (*queue)[1:]
		c.stats.Radiated++
		c.stats.Accepted++
		g.event(FOPEvent{VC: c.id, Kind: FOPRadiated, Tag: p.tag})
		g.accepted = append(g.accepted, FOPEvent{VC: c.id, Kind: FOPAccepted, Tag: p.tag})
		return g.unit(p.data)
	}
	return nil
}

// nextBD frames the next segment of a Type-BD packet (E21).
func (g *Ground) nextBD(c *groundVC) []byte {
	if len(c.bd) == 0 {
		return nil
	}
	p := c.bd[0]
	ref, err := g.segment(c, p)
	if err != nil {
		return nil // counted; tried again at the next call
	}
	frame, err := g.frame(c, true, 0, ref, p.segments[ref.index])
	p.next++
	if p.next == len(p.segments) || err != nil {
		c.bd[0] = nil
		c.bd = c.bd[1:]
	}
	if err != nil {
		g.stats.Counter++
		return nil
	}
	c.stats.Radiated++
	if p.next == len(p.segments) {
		g.event(FOPEvent{VC: c.id, Kind: FOPRadiated, Tag: p.tag})
	}
	return frame
}

// nextAD asks FOP-1 for the next frame, feeding it from the queue.
func (g *Ground) nextAD(c *groundVC) []byte {
	for {
		g.feed(c)
		t, ok := c.fop.Next(g.now)
		if !ok {
			return nil
		}
		if t.Kind == cop1.BC {
			return g.control(c, t.FDU.Data)
		}
		if t.Again && g.p.Faults.NoRetransmit {
			continue
		}
		if frame := g.data(c, t); frame != nil {
			return frame
		}
	}
}

// feed gives FOP-1 the next segment when it can take one. On any error the segment
// stays and is tried again.
func (g *Ground) feed(c *groundVC) {
	if len(c.queue) == 0 || !c.fop.Ready() {
		return
	}
	p := c.queue[0]
	ref, err := g.segment(c, p)
	if err != nil || c.fop.Send(&cop1.FDU{Data: p.segments[ref.index], Tag: ref}) != nil {
		return
	}
	p.next++
	if p.next == len(p.segments) {
		c.queue[0] = nil
		c.queue = c.queue[1:]
	}
}

// segment cuts the packet if it is not cut yet and draws the anti-replay number of its
// next segment.
func (g *Ground) segment(c *groundVC, p *upPacket) (*segmentRef, error) {
	if p.segments == nil {
		var err error
		if p.segments, err = g.framing.cut(p.data, g.p.overhead(c.id)); err != nil {
			g.stats.Counter++
			return nil, err
		}
	}
	ref := &segmentRef{packet: p, index: p.next}
	if spi, ok := g.p.SPI[c.id]; ok {
		n, err := g.counter.Next(spi)
		if err != nil {
			g.stats.Counter++
			return nil, fmt.Errorf("link: anti-replay number for SPI %d: %w", spi, err)
		}
		ref.spi, ref.n = spi, n
	}
	return ref, nil
}

// data is the Type-AD frame of a transmission, made once.
func (g *Ground) data(c *groundVC, t cop1.Transmission) []byte {
	ref := t.FDU.Tag.(*segmentRef)
	if t.FDU.Frame == nil {
		frame, err := g.frame(c, false, t.Seq, ref, t.FDU.Data)
		if err != nil {
			g.stats.Counter++
			c.fop.Reject()
			return nil
		}
		t.FDU.Frame = frame
	}
	if t.Again {
		c.stats.Again++
		return t.FDU.Frame
	}
	c.stats.Radiated++
	if p := ref.packet; ref.index == len(p.segments)-1 {
		g.event(FOPEvent{VC: c.id, Kind: FOPRadiated, Tag: p.tag, Seq: t.Seq})
	}
	return t.FDU.Frame
}

// frame makes a data frame of a segment, protected if the channel is.
func (g *Ground) frame(c *groundVC, bypass bool, seq uint8, ref *segmentRef, unit []byte) ([]byte, error) {
	if ref.spi == 0 {
		return g.framing.data(c.id, bypass, seq, unit, 0, nil)
	}
	return g.framing.data(c.id, bypass, seq, unit, g.p.overhead(c.id), func(dst, header, clear []byte) ([]byte, error) {
		return g.sdls.Apply(dst, ref.spi, c.id, ref.n, header, clear)
	})
}

// control is a Type-BC frame: neither segmented nor protected.
func (g *Ground) control(c *groundVC, directive []byte) []byte {
	frame, err := g.framing.control(c.id, directive)
	if err != nil {
		return nil // three octets always fit
	}
	return frame
}

func (g *Ground) event(e FOPEvent) {
	if g.ev.FOP != nil {
		g.ev.FOP(e)
	}
}

package uslp

import (
	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/internal/packets"
)

// nextVariable is Next for frames of variable length.
func (b *Builder) nextVariable(dst []byte, c Channel, q *packets.Queue, ocf *[4]byte, flush bool) (frame []byte, ok bool) {
	room := b.room(c.VC, 1, ocf != nil)
	if n := q.Pending(); n == 0 || n < room && !flush {
		return dst, false
	}
	var n int
	if n = q.Head(); n > 0 && n == b.truncatedRoom(c) {
		data, _, _ := q.Units(n)
		frame, b.err = b.Truncated(dst, c, Packets, data)
	} else {
		data, first, last := q.Units(room)
		n = len(data)
		f := segment(data, first, last)
		f.UPID = Packets
		frame, b.err = b.frame(dst, c, ocf, f)
	}
	if b.err != nil {
		return dst, false
	}
	q.Drop(n)
	return frame, true
}

// truncatedRoom is what a truncated frame on c carries in octets, 0 or less if there are
// none. Such frames have no bypass flag.
func (b *Builder) truncatedRoom(c Channel) int {
	if b.p.TruncatedLength == 0 || c.Expedited {
		return 0
	}
	return b.p.TruncatedLength - TruncatedHeaderLength - 1 - int(b.p.FECF) - ccsds.Overhead(b.sec, c.VC)
}

// segment is the data field of frames of variable length for whole units, or for a piece of
// one.
func segment(data []byte, first, last bool) Field {
	f := Field{Rule: ContinuingSegment, Zone: data}
	switch {
	case first && last:
		f.Rule = NoSegmentation
	case first:
		f.Rule = StartingSegment
	case last:
		f.Rule = LastSegment
	}
	return f
}

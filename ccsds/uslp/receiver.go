package uslp

import (
	"iter"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/internal/packets"
)

// Unit is what a Receiver delivers: a packet, a service data unit or a piece of a stream.
type Unit struct {
	MAP    ccsds.MAPID
	UPID   UPID
	Stream bool   // Data is a piece of an octet stream without boundaries
	Data   []byte // valid only during the call
}

// ReceiverStats count what a Receiver did.
type ReceiverStats struct {
	Units   uint64 // delivered
	Idle    uint64 // idle packets, not delivered
	Dropped uint64 // units begun and not finished, or too long, or not packets
	Lost    uint64 // frames missing by their counts
}

// Receiver takes the frames of one virtual channel apart: packets, service data units and
// streams of each access point. After lost frames it goes on where the next one begins.
type Receiver struct {
	max       int
	stats     ReceiverStats
	qualities [2]quality // sequence controlled, expedited
}

// quality is one quality of service, which has frame counts, and units under way, of its own.
type quality struct {
	maps   [MaxMAP + 1]accessPoint
	seen   bool
	length uint8 // of the last count, which was
	last   uint64
}

// accessPoint is what is unfinished on one MAP.
type accessPoint struct {
	packets *packets.Joiner // rule 000
	open    bool            // part belongs to a unit that has begun
	upid    UPID
	part    []byte
}

// NewReceiver returns a Receiver that drops packets and units longer than max octets; 0 or
// too much means as long as a space packet can be. With encap, packets of the
// Encapsulation Packet Protocol are found too.
func NewReceiver(max int, encap bool) *Receiver {
	if max <= 0 || max > ccsds.MaxPacketLength {
		max = ccsds.MaxPacketLength
	}
	r := &Receiver{max: max}
	for m := range r.points() {
		m.packets = packets.NewJoiner(max, encap)
	}
	return r
}

// Stats returns the counters so far.
func (r *Receiver) Stats() ReceiverStats {
	s := r.stats
	for m := range r.points() {
		p := m.packets.Stats
		s.Units, s.Idle, s.Dropped = s.Units+p.Packets, s.Idle+p.Idle, s.Dropped+p.Dropped
	}
	return s
}

// Frame takes the next frame and calls emit for each unit that is complete with it, idle
// packets excepted. It returns how many frames of the virtual channel are missing before f
// by its count; frames without count, or truncated, do not tell. A data field that cannot
// be read is an error and breaks what is unfinished on its access point.
func (r *Receiver) Frame(f *Frame, emit func(Unit)) (lost uint64, err error) {
	q := &r.qualities[0]
	if f.Bypass {
		q = &r.qualities[1]
	}
	if lost = q.missing(f); lost > 0 {
		r.stats.Lost += lost
		for i := range q.maps {
			r.drop(&q.maps[i])
		}
	}
	if f.Idle() {
		return lost, nil
	}
	m := &q.maps[f.MAP&MaxMAP]
	d, err := f.Field()
	if err != nil {
		r.drop(m)
		return lost, err
	}
	if d.UPID == IdleData {
		return lost, nil
	}
	return lost, r.field(m, f, d, emit)
}

func (q *quality) missing(f *Frame) (lost uint64) {
	if f.Truncated || f.CountLength == 0 {
		return 0
	}
	if q.seen && q.length == f.CountLength {
		lost = (f.Count - q.last - 1) & (1<<(8*f.CountLength) - 1)
	}
	q.seen, q.length, q.last = true, f.CountLength, f.Count
	return lost
}

// points goes through all access points of both qualities.
func (r *Receiver) points() iter.Seq[*accessPoint] {
	return func(yield func(*accessPoint) bool) {
		for k := range r.qualities {
			for i := range r.qualities[k].maps {
				if !yield(&r.qualities[k].maps[i]) {
					return
				}
			}
		}
	}
}

// Reset gives up all that is unfinished. The counts go on.
func (r *Receiver) Reset() {
	for m := range r.points() {
		r.drop(m)
	}
}

// drop gives up what is unfinished on an access point.
func (r *Receiver) drop(m *accessPoint) {
	m.packets.Break()
	if m.open {
		r.stats.Dropped++
	}
	m.open, m.part = false, m.part[:0]
}

func (r *Receiver) field(m *accessPoint, f *Frame, d Field, emit func(Unit)) error {
	if d.Rule.HasPointer() && f.Truncated || d.Rule.HasPointer() && !f.Params.Fixed() {
		r.drop(m)
		return ccsds.Errorf("uslp data field", 0, ccsds.ErrReserved, "rule %q in a frame of variable length", d.Rule)
	}
	switch d.Rule {
	case PacketsSpanning:
		return r.spanning(m, f, d, emit)
	case StartOfSDU, ContinuesSDU:
		end := len(d.Zone)
		if d.Pointer != NoPointer {
			end = int(d.Pointer) + 1
		}
		r.collect(m, f, d.UPID, d.Zone[:end], d.Rule == StartOfSDU, d.Pointer != NoPointer, emit)
	case OctetStream:
		r.stats.Units++
		emit(Unit{MAP: f.MAP, UPID: d.UPID, Stream: true, Data: d.Zone})
	case StartingSegment, ContinuingSegment, LastSegment:
		r.collect(m, f, d.UPID, d.Zone, d.Rule == StartingSegment, d.Rule == LastSegment, emit)
	default:
		r.whole(m, f, d, emit)
	}
	return nil
}

func (r *Receiver) spanning(m *accessPoint, f *Frame, d Field, emit func(Unit)) error {
	if d.UPID != Packets {
		r.drop(m)
		return ccsds.Errorf("uslp data field", 0, ccsds.ErrReserved, "packets of protocol %d are not known", d.UPID)
	}
	first := int(d.Pointer)
	if d.Pointer == NoPointer {
		first = -1
	}
	m.packets.Push(d.Zone, first, func(p []byte) { emit(Unit{MAP: f.MAP, UPID: Packets, Data: p}) })
	return nil
}

// collect joins the pieces of one unit.
func (r *Receiver) collect(m *accessPoint, f *Frame, id UPID, data []byte, first, last bool, emit func(Unit)) {
	switch {
	case first:
		if m.open {
			r.stats.Dropped++
		}
		m.open, m.upid, m.part = true, id, m.part[:0]
	case !m.open:
		if last {
			r.stats.Dropped++
		}
		return
	case m.upid != id:
		r.drop(m)
		return
	}
	if len(m.part)+len(data) > r.max {
		r.drop(m)
		return
	}
	m.part = append(m.part, data...)
	if !last {
		return
	}
	m.open = false
	if n, ok := packets.Length(m.part, true); id == Packets && (!ok || n != len(m.part)) {
		r.stats.Dropped++
		return
	}
	r.stats.Units++
	emit(Unit{MAP: f.MAP, UPID: id, Data: m.part})
}

// whole delivers a zone without segmentation: packets end to end, or one unit.
func (r *Receiver) whole(m *accessPoint, f *Frame, d Field, emit func(Unit)) {
	if m.open && !f.Truncated { // what is under way has no end; a truncated frame may go in between
		r.stats.Dropped++
		m.open, m.part = false, m.part[:0]
	}
	if d.UPID == Packets {
		m.packets.Push(d.Zone, 0, func(p []byte) { emit(Unit{MAP: f.MAP, UPID: Packets, Data: p}) })
		m.packets.Break() // a packet cut by the end of the zone does not go on
		return
	}
	if len(d.Zone) > r.max {
		r.stats.Dropped++
		return
	}
	r.stats.Units++
	emit(Unit{MAP: f.MAP, UPID: d.UPID, Data: d.Zone})
}

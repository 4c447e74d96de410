package spp

import (
	"errors"
	"fmt"

	"github.com/perilune/perilune/ccsds"
)

// ErrSegment is wrapped by all errors of a Reassembler: a packet did not fit what came
// before it, and what had been collected of its application process is dropped.
var ErrSegment = errors.New("segment out of place")

// Secondary is the form of the secondary header of one application process, which is
// managed and the same in all its packets (§4.1.4.2): a time code, other data, or both.
type Secondary struct {
	Time      int // octets of the time code field
	Ancillary int // octets of the ancillary data field
}

// Length is the secondary header in octets.
func (s Secondary) Length() int { return s.Time + s.Ancillary }

// Split takes the data field of a packet apart: the time code and ancillary data of its
// secondary header, and the user data. A packet whose flag says that it has no secondary
// header is all user data.
func (s Secondary) Split(p *Packet) (time, ancillary, user []byte, err error) {
	if !p.SecondaryHeader {
		return nil, nil, p.Payload, nil
	}
	if s.Time < 0 || s.Ancillary < 0 || s.Length() == 0 {
		return nil, nil, nil, ccsds.Errorf("space packet", HeaderLength, ccsds.ErrReserved, "secondary header of an application process without")
	}
	if len(p.Payload) < s.Length() {
		return nil, nil, nil, ccsds.Errorf("space packet", HeaderLength+len(p.Payload), ccsds.ErrTruncated, "secondary header needs %d octets, have %d", s.Length(), len(p.Payload))
	}
	return p.Payload[:s.Time:s.Time], p.Payload[s.Time:s.Length():s.Length()], p.Payload[s.Length():], nil
}

// Segment cuts user data that is too long for one packet into a group of packets of at
// most max octets each, and calls emit for each, in order (§4.1.3.4.2). Every packet
// carries the same secondary header, which may be nil, and the next count of c. Type and
// APID are those of p.
func Segment(p Packet, secondary, user []byte, max int, c *Counter, emit func(packet []byte)) error {
	room := min(max-HeaderLength, MaxData) - len(secondary)
	if room < 1 {
		return fmt.Errorf("segment user data: packets of %d octets leave no room", max)
	}
	if len(user) == 0 {
		return errors.New("segment user data: there are none")
	}
	p.SecondaryHeader = len(secondary) > 0
	p.SeqCount = 0
	if err := p.check(1); err != nil {
		return err
	}
	for at := 0; at < len(user); at += room {
		end := min(at+room, len(user))
		p.SeqFlags = Continuation
		switch {
		case at == 0 && end == len(user):
			p.SeqFlags = Unsegmented
		case at == 0:
			p.SeqFlags = First
		case end == len(user):
			p.SeqFlags = Last
		}
		p.SeqCount = c.Next(p.APID)
		packet := make([]byte, HeaderLength, HeaderLength+len(secondary)+end-at)
		p.putHeader(packet, len(secondary)+end-at)
		emit(append(append(packet, secondary...), user[at:end]...))
	}
	return nil
}

// Group is user data that came in one packet or several.
type Group struct {
	Type      Type
	APID      ccsds.APID
	Packets   int    // how many there were
	Secondary []byte // secondary header of the first packet
	User      []byte // valid only during the call
}

// DefaultMaxOpen bounds how many application processes may have an unfinished group: beyond it
// the one that nothing was added to for longest gives way.
const DefaultMaxOpen = 16

// Reassembler joins the packets of groups, for many application processes at a time.
type Reassembler struct {
	max   int
	forms map[source]Secondary
	open  map[source]*group
	turn  uint64 // packets taken
}

// source tells the sequences of packets apart.
type source struct {
	kind Type
	apid ccsds.APID
}

type group struct {
	last      uint16
	turn      uint64 // when something was added
	packets   int
	secondary []byte
	user      []byte
}

// NewReassembler returns a Reassembler for at most max octets of user data a group.
func NewReassembler(max int) *Reassembler {
	return &Reassembler{max: max, forms: make(map[source]Secondary), open: make(map[source]*group)}
}

// SetSecondary tells the form of the secondary headers of one application process.
func (r *Reassembler) SetSecondary(kind Type, apid ccsds.APID, s Secondary) {
	r.forms[source{kind, apid}] = s
}

// Push takes one packet and calls emit when a group is complete with it. Idle packets are
// taken and forgotten.
func (r *Reassembler) Push(p *Packet, emit func(Group)) error {
	if p.Idle() {
		return nil
	}
	s := source{p.Type, p.APID}
	r.turn++
	_, _, user, err := r.forms[s].Split(p)
	if err != nil {
		delete(r.open, s)
		return fmt.Errorf("reassemble packets: %w", err)
	}
	secondary := p.Payload[:len(p.Payload)-len(user)]
	g := r.open[s]
	switch {
	case p.SeqFlags == Unsegmented || p.SeqFlags == First:
		return r.begin(s, g, p, secondary, user, emit)
	case g == nil:
		return fmt.Errorf("reassemble packets: APID %d: continues a group that never began: %w", p.APID, ErrSegment)
	case Gap(g.last, p.SeqCount) != 0:
		delete(r.open, s)
		return fmt.Errorf("reassemble packets: APID %d: %d packets of a group are missing: %w", p.APID, Gap(g.last, p.SeqCount), ErrSegment)
	case len(g.user)+len(user) > r.max:
		delete(r.open, s)
		return fmt.Errorf("reassemble packets: APID %d: group exceeds %d octets: %w", p.APID, r.max, ErrSegment)
	}
	g.last, g.turn, g.packets, g.user = p.SeqCount, r.turn, g.packets+1, append(g.user, user...)
	if p.SeqFlags == Last {
		delete(r.open, s)
		emit(Group{Type: s.kind, APID: s.apid, Packets: g.packets, Secondary: g.secondary, User: g.user})
	}
	return nil
}

// begin takes a packet that begins a group. If one was open, or another has to give way, it
// is lost, which is an error, but the new one is taken all the same.
func (r *Reassembler) begin(s source, old *group, p *Packet, secondary, user []byte, emit func(Group)) error {
	delete(r.open, s)
	switch {
	case len(user) > r.max:
		return fmt.Errorf("reassemble packets: APID %d: group exceeds %d octets: %w", p.APID, r.max, ErrSegment)
	case p.SeqFlags == Unsegmented:
		emit(Group{Type: s.kind, APID: s.apid, Packets: 1, Secondary: secondary, User: user})
	default:
		if len(r.open) >= DefaultMaxOpen {
			s, old = r.oldest()
			delete(r.open, s)
		}
		r.open[source{p.Type, p.APID}] = &group{
			last: p.SeqCount, turn: r.turn, packets: 1, secondary: append([]byte(nil), secondary...),
			user: append(make([]byte, 0, 2*len(user)), user...),
		}
	}
	if old != nil {
		return fmt.Errorf("reassemble packets: APID %d: group of %d octets so far never ended: %w", s.apid, len(old.user), ErrSegment)
	}
	return nil
}

// oldest is the group that nothing was added to for longest.
func (r *Reassembler) oldest() (s source, g *group) {
	for at, open := range r.open {
		if g == nil || open.turn < g.turn {
			s, g = at, open
		}
	}
	return s, g
}

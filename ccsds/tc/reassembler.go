package tc

import (
	"fmt"
	"math"

	"github.com/perilune/perilune/ccsds"
)

// Reassembler joins the segments of one virtual channel to packets. It keeps at most
// MaxMAPs unfinished packets of at most MaxPacket octets.
type Reassembler struct {
	maxPacket int
	maxMAPs   int
	open      map[ccsds.MAPID]part
	turn      uint64 // segments taken
}

// part is a packet without its end.
type part struct {
	octets []byte
	turn   uint64 // when something was added
}

// DefaultMaxMAPs bounds how many access points may have an unfinished packet: beyond it the one
// that nothing was added to for longest gives way.
const DefaultMaxMAPs = 8

// NewReassembler returns a Reassembler for packets of at most maxPacket octets; 0 or too
// much means as long as a packet can be.
func NewReassembler(maxPacket int) *Reassembler {
	if maxPacket <= 0 || maxPacket > ccsds.MaxPacketLength {
		maxPacket = ccsds.MaxPacketLength
	}
	return &Reassembler{maxPacket: maxPacket, maxMAPs: DefaultMaxMAPs, open: make(map[ccsds.MAPID]part)}
}

// Push takes one segment with its header and calls emit for each packet that is complete
// with it. The octets given to emit are valid only during the call. Unsegmented data may
// hold several whole packets (blocking); fill behind the last is not allowed.
func (r *Reassembler) Push(segment []byte, emit func(m ccsds.MAPID, packet []byte)) error {
	if len(segment) <= SegmentHeaderLength {
		return fmt.Errorf("reassemble tc segment: %d octets hold no data: %w", len(segment), ErrSegment)
	}
	m, f := ParseSegmentHeader(segment[0])
	data := segment[SegmentHeaderLength:]
	was, busy := r.open[m]
	kept := was.octets
	r.turn++
	switch f {
	case Unsegmented:
		delete(r.open, m)
		if err := r.split(m, data, emit); err != nil {
			return err
		}
		if busy {
			return fmt.Errorf("reassemble tc segment: map %d: packet of %d octets so far never ended: %w", m, len(kept), ErrSegment)
		}
		return nil
	case First:
		return r.first(m, data, kept, busy)
	}
	if !busy {
		return fmt.Errorf("reassemble tc segment: map %d: continues a packet that never began: %w", m, ErrSegment)
	}
	if len(kept)+len(data) > r.maxPacket {
		delete(r.open, m)
		return fmt.Errorf("reassemble tc segment: map %d: packet exceeds %d octets: %w", m, r.maxPacket, ErrSegment)
	}
	kept = append(kept, data...)
	r.open[m] = part{kept, r.turn}
	if f == Last {
		delete(r.open, m)
		return r.whole(m, kept, emit)
	}
	return nil
}

// Reset drops all unfinished packets, as after a break in the frame sequence.
func (r *Reassembler) Reset() { clear(r.open) }

func (r *Reassembler) first(m ccsds.MAPID, data, kept []byte, busy bool) error {
	if len(data) > r.maxPacket {
		delete(r.open, m)
		return fmt.Errorf("reassemble tc segment: map %d: packet exceeds %d octets: %w", m, r.maxPacket, ErrSegment)
	}
	lost := m
	if !busy && len(r.open) >= r.maxMAPs {
		lost, busy = r.oldest(), true
		kept = r.open[lost].octets
		delete(r.open, lost)
	}
	r.open[m] = part{append(make([]byte, 0, 2*len(data)), data...), r.turn}
	if busy {
		return fmt.Errorf("reassemble tc segment: map %d: packet of %d octets so far never ended: %w", lost, len(kept), ErrSegment)
	}
	return nil
}

// oldest is the access point whose packet nothing was added to for longest.
func (r *Reassembler) oldest() (m ccsds.MAPID) {
	first := uint64(math.MaxUint64)
	for at, p := range r.open {
		if p.turn < first {
			m, first = at, p.turn
		}
	}
	return m
}

// whole emits one packet that came in segments; its length must be what it says.
func (r *Reassembler) whole(m ccsds.MAPID, packet []byte, emit func(ccsds.MAPID, []byte)) error {
	n, err := ccsds.PacketLength(packet)
	if err != nil {
		return fmt.Errorf("reassemble tc segment: map %d: %w: %w", m, ErrSegment, err)
	}
	if n != len(packet) {
		return fmt.Errorf("reassemble tc segment: map %d: packet says %d octets, segments gave %d: %w", m, n, len(packet), ErrSegment)
	}
	emit(m, packet)
	return nil
}

// split emits the packets that one unsegmented data unit holds.
func (r *Reassembler) split(m ccsds.MAPID, data []byte, emit func(ccsds.MAPID, []byte)) error {
	for at := 0; at < len(data); {
		n, err := ccsds.PacketLength(data[at:])
		if err != nil {
			return fmt.Errorf("reassemble tc segment: map %d: octet %d: %w: %w", m, at, ErrSegment, err)
		}
		if n > len(data)-at || n > r.maxPacket {
			return fmt.Errorf("reassemble tc segment: map %d: octet %d: packet says %d octets, have %d: %w", m, at, n, len(data)-at, ErrSegment)
		}
		emit(m, data[at:at+n])
		at += n
	}
	return nil
}

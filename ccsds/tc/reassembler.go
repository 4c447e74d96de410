package tc

import (
	"fmt"

	"github.com/perilune/perilune/ccsds"
)

// Reassembler joins the segments of one virtual channel to packets. It keeps at most
// MaxMAPs unfinished packets of at most MaxPacket octets.
type Reassembler struct {
	maxPacket int
	maxMAPs   int
	open      map[ccsds.MAPID][]byte
}

// DefaultMaxMAPs bounds how many access points may have an unfinished packet.
const DefaultMaxMAPs = 8

// NewReassembler returns a Reassembler for packets of at most maxPacket octets; 0 or too
// much means as long as a packet can be.
func NewReassembler(maxPacket int) *Reassembler {
	if maxPacket <= 0 || maxPacket > ccsds.MaxPacketLength {
		maxPacket = ccsds.MaxPacketLength
	}
	return &Reassembler{maxPacket: maxPacket, maxMAPs: DefaultMaxMAPs, open: make(map[ccsds.MAPID][]byte)}
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
	kept, busy := r.open[m]
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
	r.open[m] = kept
	if f == Last {
		delete(r.open, m)
		return r.whole(m, kept, emit)
	}
	return nil
}

// Reset drops all unfinished packets, as after a break in the frame sequence.
func (r *Reassembler) Reset() { clear(r.open) }

func (r *Reassembler) first(m ccsds.MAPID, data, kept []byte, busy bool) error {
	if !busy && len(r.open) >= r.maxMAPs {
		return fmt.Errorf("reassemble tc segment: map %d: %d packets are open already: %w", m, len(r.open), ErrSegment)
	}
	if len(data) > r.maxPacket {
		delete(r.open, m)
		return fmt.Errorf("reassemble tc segment: map %d: packet exceeds %d octets: %w", m, r.maxPacket, ErrSegment)
	}
	r.open[m] = append(make([]byte, 0, 2*len(data)), data...)
	if busy {
		return fmt.Errorf("reassemble tc segment: map %d: packet of %d octets so far never ended: %w", m, len(kept), ErrSegment)
	}
	return nil
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

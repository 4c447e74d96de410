package cfdp

import "fmt"

// EOF says that all of the file has been sent once, or that the sender has
// cancelled (727.0-B-5 §5.2.2).
type EOF struct {
	Condition Condition
	Checksum  uint32
	FileSize  uint64
	Fault     EntityID // where the fault lies; written only with a condition
}

func (p *EOF) appendTo(dst []byte, h *Header) ([]byte, error) {
	dst = append(dst, byte(DirectiveEOF), byte(p.Condition)<<4)
	dst = appendUint(dst, uint64(p.Checksum), 4)
	dst, err := appendOffset(dst, h, p.FileSize)
	if err != nil || p.Condition == NoError {
		return dst, err
	}
	return p.Fault.appendTo(dst)
}

func (p *EOF) decode(r *reader, h *Header) {
	p.Condition = Condition(r.u8() >> 4)
	p.Checksum = r.u32()
	p.FileSize = r.offset(h)
	p.Fault = faultLocation(r.tlvs())
}

// FileStatus says what became of the file, table 5-7.
type FileStatus uint8

// File statuses.
const (
	FileDiscarded  FileStatus = 0 // deliberately
	FileRejected   FileStatus = 1 // by the filestore
	FileRetained   FileStatus = 2
	FileUnreported FileStatus = 3
)

// Finished is the receiver's last word (§5.2.3).
type Finished struct {
	Condition  Condition
	Incomplete bool // delivery code: data incomplete
	Status     FileStatus
	TLVs       []TLV // filestore responses
	Fault      EntityID
}

func (p *Finished) appendTo(dst []byte, _ *Header) ([]byte, error) {
	dst = append(dst, byte(DirectiveFinished), byte(p.Condition)<<4|bit(p.Incomplete, 0x04)|byte(p.Status&3))
	dst, err := appendTLVs(dst, p.TLVs)
	// §5.2.3.3: no fault location for these two, where nothing was at fault.
	if err != nil || p.Condition == NoError || p.Condition == UnsupportedChecksum {
		return dst, err
	}
	return p.Fault.appendTo(dst)
}

func (p *Finished) decode(r *reader, _ *Header) {
	b := r.u8()
	p.Condition, p.Incomplete, p.Status = Condition(b>>4), b&0x04 != 0, FileStatus(b&3)
	all := r.tlvs()
	p.Fault = faultLocation(all)
	for _, t := range all {
		if t.Type != TLVEntityID {
			p.TLVs = append(p.TLVs, t)
		}
	}
}

// Status is what the acknowledging entity knows of a transaction, table 5-8.
type Status uint8

// Transaction statuses.
const (
	StatusUndefined    Status = 0
	StatusActive       Status = 1
	StatusTerminated   Status = 2
	StatusUnrecognized Status = 3
)

// ACK acknowledges an EOF or Finished PDU (§5.2.4).
type ACK struct {
	Of        Directive // DirectiveEOF or DirectiveFinished
	Condition Condition
	Status    Status
}

func (p *ACK) appendTo(dst []byte, _ *Header) ([]byte, error) {
	var subtype byte
	switch p.Of {
	case DirectiveEOF:
	case DirectiveFinished:
		subtype = 1
	default:
		return nil, fmt.Errorf("ACK of %v", p.Of)
	}
	return append(dst, byte(DirectiveACK), byte(p.Of)<<4|subtype, byte(p.Condition)<<4|byte(p.Status&3)), nil
}

func (p *ACK) decode(r *reader, _ *Header) {
	p.Of = Directive(r.u8() >> 4)
	b := r.u8()
	p.Condition, p.Status = Condition(b>>4), Status(b&3)
	if r.err == nil && p.Of != DirectiveEOF && p.Of != DirectiveFinished {
		r.fail("ACK of " + p.Of.String())
	}
}

// Metadata opens a transaction (§5.2.5). FileSize is 0 for a file of unknown
// size as well as for an empty one.
type Metadata struct {
	Closure  bool // in class 1 too, the sender wants a Finished PDU
	Checksum ChecksumType
	FileSize uint64
	Source   string
	Dest     string
	TLVs     []TLV
}

func (p *Metadata) appendTo(dst []byte, h *Header) ([]byte, error) {
	dst = append(dst, byte(DirectiveMetadata), bit(p.Closure, 0x40)|byte(p.Checksum&0x0F))
	dst, err := appendOffset(dst, h, p.FileSize)
	if err == nil {
		dst, err = appendLV(dst, p.Source)
	}
	if err == nil {
		dst, err = appendLV(dst, p.Dest)
	}
	if err != nil {
		return nil, err
	}
	return appendTLVs(dst, p.TLVs)
}

func (p *Metadata) decode(r *reader, h *Header) {
	b := r.u8()
	p.Closure, p.Checksum = b&0x40 != 0, ChecksumType(b&0x0F)
	p.FileSize = r.offset(h)
	p.Source, p.Dest = string(r.lv()), string(r.lv())
	p.TLVs = r.tlvs()
}

// Segment is a part of a file, Start ≤ octet < End. In a NAK, 0 to 0 asks for
// the Metadata PDU.
type Segment struct{ Start, End uint64 }

// NAK asks for what is missing in the part of the file from Start to End
// (§5.2.6).
type NAK struct {
	Start, End uint64 // scope
	Segments   []Segment
}

func (p *NAK) appendTo(dst []byte, h *Header) ([]byte, error) {
	dst = append(dst, byte(DirectiveNAK))
	for _, s := range append([]Segment{{p.Start, p.End}}, p.Segments...) {
		var err error
		if dst, err = appendOffset(dst, h, s.Start); err == nil {
			dst, err = appendOffset(dst, h, s.End)
		}
		if err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func (p *NAK) decode(r *reader, h *Header) {
	p.Start, p.End = r.offset(h), r.offset(h)
	if r.err != nil {
		return
	}
	p.Segments = make([]Segment, 0, r.left()/(2*h.offsetLength()))
	for r.err == nil && r.left() > 0 {
		s := Segment{r.offset(h), r.offset(h)}
		if r.err == nil && s.End < s.Start {
			r.fail("segment ends before it starts")
		}
		p.Segments = append(p.Segments, s)
	}
}

// Prompt asks the receiver for a NAK, or for a Keep Alive (§5.2.7).
type Prompt struct{ KeepAlive bool }

func (p *Prompt) appendTo(dst []byte, _ *Header) ([]byte, error) {
	return append(dst, byte(DirectivePrompt), bit(p.KeepAlive, 0x80)), nil
}

func (p *Prompt) decode(r *reader, _ *Header) { p.KeepAlive = r.u8()&0x80 != 0 }

// KeepAlive tells the sender how far the receiver has got (§5.2.8).
type KeepAlive struct{ Progress uint64 }

func (p *KeepAlive) appendTo(dst []byte, h *Header) ([]byte, error) {
	return appendOffset(append(dst, byte(DirectiveKeepAlive)), h, p.Progress)
}

func (p *KeepAlive) decode(r *reader, h *Header) { p.Progress = r.offset(h) }

// FileData is a piece of the file (§5.3).
type FileData struct {
	HasMetadata  bool  // segment metadata is present; the header's flag follows it
	Continuation uint8 // record continuation state, 2 bits
	SegmentMeta  []byte
	Offset       uint64
	Data         []byte
}

func (p *FileData) appendTo(dst []byte, h *Header) ([]byte, error) {
	if p.HasMetadata {
		if len(p.SegmentMeta) > 63 {
			return nil, fmt.Errorf("segment metadata of %d octets, at most 63", len(p.SegmentMeta))
		}
		dst = append(append(dst, p.Continuation<<6|byte(len(p.SegmentMeta))), p.SegmentMeta...)
	}
	dst, err := appendOffset(dst, h, p.Offset)
	return append(dst, p.Data...), err
}

func (p *FileData) decode(r *reader, h *Header) {
	if h.SegmentMetadata {
		b := r.u8()
		p.HasMetadata, p.Continuation, p.SegmentMeta = true, b>>6, r.take(int(b&0x3F))
	}
	p.Offset = r.offset(h)
	p.Data = r.take(r.left())
	if r.err == nil && p.Offset > p.Offset+uint64(len(p.Data)) {
		r.fail("file data ends beyond 64 bits")
	}
}

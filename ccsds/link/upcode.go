package link

import (
	"fmt"

	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/coding/ldpc"
)

// CLTU is the code of communications link transmission units (CCSDS 231.0-B-4).
type CLTU string

// The codes of an uplink.
const (
	CLTUBCH     CLTU = "bch"     // (63,56), one bit corrected in each block
	CLTULDPC128 CLTU = "ldpc128" // (128,64), with a tail
	CLTULDPC512 CLTU = "ldpc512" // (512,256)
)

// acquisitionOctet is the alternating pattern in front of a CLTU, by which the
// receiver finds the bits (CCSDS 231.0-B-4 §7.2.2). A start sequence is never in it.
const acquisitionOctet = 0x55

// code is the LDPC code, nil with BCH.
func (c CLTU) code() (code *ldpc.Code, tail bool, err error) {
	switch c {
	case CLTUBCH:
	case CLTULDPC128:
		tail = true
		code, err = ldpc.New(ldpc.TC64)
	case CLTULDPC512:
		code, err = ldpc.New(ldpc.TC256)
	default:
		err = fmt.Errorf("%w: cltu %q: want bch, ldpc128 or ldpc512", ErrProfile, c)
	}
	return code, tail, err
}

// idle is how many octets of idle pattern end the last CLTU for sure: a decoder without a
// tail to go by needs one more codeword that is none.
func (c CLTU) idle() int {
	if c == CLTULDPC512 {
		return 64
	}
	return 16
}

// UpEncoder makes the units of an uplink of frames, one of a unit.
type UpEncoder struct {
	plain       bool // packets as they are
	code        *ldpc.Code
	tail        bool
	acquisition int
	idle        []byte
}

// NewUpEncoder returns the encoder of p's uplink.
func NewUpEncoder(p Profile) (*UpEncoder, error) {
	p = p.WithDefaults()
	e := &UpEncoder{plain: p.Up == FramingPackets, acquisition: p.Acquisition}
	if e.plain {
		return e, nil
	}
	var err error
	if e.code, e.tail, err = p.CLTU.code(); err != nil {
		return nil, err
	}
	for range p.CLTU.idle() {
		e.idle = append(e.idle, acquisitionOctet)
	}
	return e, nil
}

// Lead is how many octets of acquisition pattern stand in front of each unit.
func (e *UpEncoder) Lead() int {
	if e.plain {
		return 0
	}
	return e.acquisition
}

// Append appends the unit that carries frame to dst, acquisition pattern first.
func (e *UpEncoder) Append(dst, frame []byte) ([]byte, error) {
	if e.plain {
		return append(dst, frame...), nil
	}
	for range e.acquisition {
		dst = append(dst, acquisitionOctet)
	}
	if e.code == nil {
		return coding.EncodeCLTU(dst, frame), nil
	}
	return coding.EncodeSoftCLTU(dst, frame, e.code, e.tail)
}

// Idle is what to radiate behind the last unit, so that a decoder that works in codewords
// sees its end (CCSDS 231.0-B-4 §6); nil where nothing is needed.
func (e *UpEncoder) Idle() []byte { return e.idle }

// UpInfo tells where and how a unit of the uplink was received.
type UpInfo struct {
	Bit       uint64 // of its start sequence, in bits or soft symbols since the first received
	Corrected int    // bits
}

// UpStats count what an UpDecoder did.
type UpStats struct {
	Bits      uint64 `json:"bits"`        // or soft symbols received
	Starts    uint64 `json:"cltu_starts"` // start sequences, false ones too
	Units     uint64 `json:"cltus"`       // with at least one codeblock, false ones too
	Tails     uint64 `json:"tails"`       // of those, with a tail
	Blocks    uint64 `json:"blocks"`      // codeblocks or codewords in them
	Corrected uint64 `json:"corrected"`   // bits in those
	Skipped   uint64 `json:"skipped"`     // octets that were no packet, without CLTUs
}

// UpDecoder finds and decodes the units of an uplink in its bits, or soft symbols. It is
// not for several goroutines.
type UpDecoder struct {
	packets *packetStream
	bch     *coding.CLTUDecoder
	soft    *coding.SoftCLTUDecoder
	bits    uint64
	symbols []int8
	rest    []int8
	hard    []byte
}

// NewUpDecoder returns the decoder of p's uplink, at the beginning of a stream.
func NewUpDecoder(p Profile) (*UpDecoder, error) {
	p = p.WithDefaults()
	d := &UpDecoder{}
	if p.Up == FramingPackets {
		d.packets = newPacketStream(p.Encapsulation)
		return d, nil
	}
	code, tail, err := p.CLTU.code()
	switch {
	case err != nil:
	case code == nil:
		d.bch = coding.NewCLTUDecoder()
	default:
		// Min-sum needs no scale, which hard bits do not have.
		d.soft, err = coding.NewSoftCLTUDecoder(code, tail, ldpc.Options{Algorithm: ldpc.MinSum})
	}
	return d, err
}

// Push takes the next bits, any number of octets at any alignment, and calls emit for each
// unit as soon as its end is known. frame holds its octets and fill behind them, valid only
// during the call, which may change them. Noise makes units too: emit returns false when
// the frame's own checks refuse it, and other readings of the same bits are tried.
func (d *UpDecoder) Push(bits []byte, emit func(frame []byte, info UpInfo) (taken bool)) {
	d.bits += 8 * uint64(len(bits))
	switch {
	case d.packets != nil:
		d.packets.push(bits, func(packet []byte, bit uint64) { emit(packet, UpInfo{Bit: bit}) })
	case d.bch != nil:
		d.bch.Push(bits, func(frame []byte, info coding.CLTUInfo) bool {
			return emit(frame, UpInfo{Bit: info.BitOffset, Corrected: info.Corrected})
		})
	default:
		d.symbols = coding.AppendSoft(d.symbols[:0], bits, hardSize)
		d.pushSymbols(d.symbols, emit)
	}
}

// PushSoft is Push for soft symbols as package coding has them. A code that does not want
// them gets their signs.
func (d *UpDecoder) PushSoft(soft []int8, emit func(frame []byte, info UpInfo) (taken bool)) {
	if d.soft != nil {
		d.bits += uint64(len(soft))
		d.pushSymbols(soft, emit)
		return
	}
	d.hard, d.rest = appendSigns(d.hard[:0], d.rest, soft)
	d.Push(d.hard, emit)
}

func (d *UpDecoder) pushSymbols(soft []int8, emit func([]byte, UpInfo) bool) {
	d.soft.Push(soft, func(frame []byte, info coding.CLTUInfo) {
		emit(frame, UpInfo{Bit: info.BitOffset, Corrected: info.Corrected})
	})
}

// Bits is how many bits or soft symbols were received.
func (d *UpDecoder) Bits() uint64 { return d.bits }

// Stats returns the counters so far.
func (d *UpDecoder) Stats() UpStats {
	s := UpStats{Bits: d.bits}
	var c coding.CLTUStats
	switch {
	case d.packets != nil:
		s.Units, s.Skipped = d.packets.packets, d.packets.skipped
	case d.bch != nil:
		c = d.bch.Stats()
	default:
		c = d.soft.Stats()
	}
	if d.packets == nil {
		s.Starts, s.Units, s.Tails, s.Blocks, s.Corrected = c.Starts, c.CLTUs, c.Tails, c.Blocks, c.Corrected
	}
	return s
}

// appendSigns appends the bits that rest and soft stand for to dst, in whole octets, and
// returns what is left over.
func appendSigns(dst []byte, rest, soft []int8) (bits []byte, left []int8) {
	if len(rest) > 0 {
		k := min(8-len(rest), len(soft))
		rest, soft = append(rest, soft[:k]...), soft[k:]
		if len(rest) < 8 {
			return dst, rest
		}
		dst = coding.AppendHard(dst, rest)
	}
	whole := len(soft) / 8 * 8
	return coding.AppendHard(dst, soft[:whole]), append(rest[:0], soft[whole:]...)
}

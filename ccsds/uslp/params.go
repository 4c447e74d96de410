// Package uslp is the Unified Space Data Link Protocol, CCSDS 732.1-B-3: transfer frames of
// fixed and of variable length with all construction rules of their data field, a Builder
// that makes frames and a Receiver that takes one virtual channel apart again.
//
//	+---------+------+-----+------+-----+-----+--------+-------+-------+--------+------+-----+------+
//	| version | SCID | src | VCID | MAP | end | length | flags | count | insert | TFDF | OCF | FECF |
//	| 4 bits  | 16   | 1   | 6    | 4   | 1   | 16     | 8     | 0–56  | zone   |      | 32  | 0–32 |
//	+---------+------+-----+------+-----+-----+--------+-------+-------+--------+------+-----+------+
//	                                       TFDF: | rule 3 | UPID 5 | pointer 0 or 16 | data zone |
//
// A truncated frame ends its header with the bit "end" and goes straight on to the TFDF.
// Lengths, insert zone and error control are managed parameters: one decoder a channel.
package uslp

import (
	"fmt"

	"github.com/perilune/perilune/ccsds"
)

// Sizes in octets.
const (
	TruncatedHeaderLength = 4
	MinHeaderLength       = 7 // without frame count
	MaxCountLength        = 7
	OCFLength             = 4
	MaxLength             = 65536

	version = 12 // transfer frame version number, §4.1.2.2.2
)

// IdleVCID is the virtual channel whose frames carry only idle data (§4.1.2.4.4).
const IdleVCID = ccsds.MaxVCID

// MaxMAP is the largest multiplexer access point identifier, 4 bits (§4.1.2.5).
const MaxMAP ccsds.MAPID = 15

// FECF says how the frames of a physical channel end (§4.1.6).
type FECF uint8

// The forms of the frame error control field; the value is its octets.
const (
	NoFECF FECF = 0
	CRC16  FECF = 2
	CRC32  FECF = 4
)

// Params are the managed parameters of a physical channel (§5).
type Params struct {
	SCID            ccsds.SCID // 16 bits here
	Destination     bool       // SCID names the frame's destination, not its source
	FrameLength     int        // octets of each frame; 0: frames vary
	MaxLength       int        // octets of the longest frame where they vary; 0 means 65536
	TruncatedLength int        // octets of truncated frames; 0: there are none
	InsertZone      int        // octets of the insert zone of fixed frames, 0 for none
	FECF            FECF
}

// Fixed reports whether all frames have the same length.
func (p Params) Fixed() bool { return p.FrameLength > 0 }

func (p Params) limit() int {
	switch {
	case p.Fixed():
		return p.FrameLength
	case p.MaxLength > 0:
		return p.MaxLength
	}
	return MaxLength
}

// Validate reports parameters that no frame can have.
func (p Params) Validate() error {
	least := MinHeaderLength + p.InsertZone + 2 + int(p.FECF)
	switch {
	case p.FECF != NoFECF && p.FECF != CRC16 && p.FECF != CRC32:
		return fmt.Errorf("uslp parameters: error control field of %d octets", p.FECF)
	case p.FrameLength < 0 || p.InsertZone < 0 || p.TruncatedLength < 0 || p.MaxLength < 0:
		return fmt.Errorf("uslp parameters: a length is negative")
	case p.InsertZone > 0 && !p.Fixed():
		return fmt.Errorf("uslp parameters: an insert zone needs frames of fixed length")
	case p.TruncatedLength > 0 && p.Fixed():
		return fmt.Errorf("uslp parameters: truncated frames need frames of variable length")
	case p.limit() > MaxLength || p.limit() < least:
		return fmt.Errorf("uslp parameters: frame of %d octets, want %d to %d", p.limit(), least, MaxLength)
	case p.TruncatedLength != 0 && (p.TruncatedLength < TruncatedHeaderLength+2+int(p.FECF) || p.TruncatedLength > p.limit()):
		return fmt.Errorf("uslp parameters: truncated frame of %d octets", p.TruncatedLength)
	}
	return nil
}

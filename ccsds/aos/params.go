// Package aos is the AOS Space Data Link Protocol, CCSDS 732.0-B-5: the fixed-length
// transfer frame with its three kinds of data field, a Builder that makes frames and an
// Extractor that finds packets in them again, also after frames were lost.
//
//	+---------+------+------+------+-----------+------+--------+-----------+-----+------+
//	| version | SCID | VCID | VCFC | signaling | FHEC | insert | data      | OCF | FECF |
//	| 2 bits  | 8    | 6    | 24   | 8         | 16   | zone   | field     | 32  | 16   |
//	+---------+------+------+------+-----------+------+--------+-----------+-----+------+
//
// The data field is an M_PDU (packets), a B_PDU (a bit stream), a VCA_SDU (octets of the
// user's own form) or, on virtual channel 63, only idle data. Which one, the lengths, and
// whether FHEC, OCF and FECF are there, are managed parameters: one decoder a channel.
package aos

import (
	"fmt"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/internal/frames"
)

// Sizes in octets.
const (
	HeaderLength = 6
	FHECLength   = 2
	OCFLength    = frames.OCFLength
	FECFLength   = frames.FECFLength
	MaxLength    = 65536

	version = 1 // transfer frame version number, §4.1.2.2.2
)

// IdleVCID is the virtual channel whose frames carry only idle data (§4.1.2.3.3).
const IdleVCID = ccsds.MaxVCID

// Params are the managed parameters of a physical channel (§5).
type Params struct {
	SCID        ccsds.SCID
	FrameLength int  // octets of the whole frame
	InsertZone  int  // octets of the insert zone, 0 for none
	FHEC        bool // each header carries its frame header error control
	OCF         bool // each frame carries an operational control field
	FECF        bool // each frame ends in a frame error control field
	Cycle       bool // frame counts are carried on in the cycle field: 28 bits
	Encap       bool // packets of the Encapsulation Packet Protocol are valid
}

// DataLength is the data field in octets, security included.
func (p Params) DataLength() int {
	return p.FrameLength - p.headerLength() - p.InsertZone - p.trailer()
}

// ZoneLength is what an M_PDU or B_PDU leaves of the data field, in octets.
func (p Params) ZoneLength() int { return p.DataLength() - pduHeaderLength }

func (p Params) headerLength() int {
	if p.FHEC {
		return HeaderLength + FHECLength
	}
	return HeaderLength
}

func (p Params) trailer() int { return frames.TrailerLength(p.OCF, p.FECF) }

// Validate reports parameters that no frame can have.
func (p Params) Validate() error {
	switch {
	case !p.SCID.Valid():
		return fmt.Errorf("aos parameters: spacecraft %d has more than 10 bits", p.SCID)
	case p.FrameLength > MaxLength:
		return fmt.Errorf("aos parameters: frame of %d octets, limit is %d", p.FrameLength, MaxLength)
	case p.InsertZone < 0 || p.InsertZone > MaxLength:
		return fmt.Errorf("aos parameters: insert zone of %d octets", p.InsertZone)
	case p.ZoneLength() < ccsds.MinPacketLength:
		return fmt.Errorf("aos parameters: frame of %d octets leaves %d for packets, want %d", p.FrameLength, p.ZoneLength(), ccsds.MinPacketLength)
	}
	return nil
}

package cop1

import (
	"github.com/google/gopacket"

	"github.com/perilune/perilune/ccsds"
)

// CLCWLength is the length of a CLCW in octets.
const CLCWLength = 4

// COPInEffect is the only value of the COP in Effect field that this package
// speaks: COP-1 (CCSDS 232.0-B-4 §4.2.1.5).
const COPInEffect = 1

// LayerTypeCLCW is the gopacket layer of a CLCW.
var LayerTypeCLCW = gopacket.RegisterLayerType(ccsds.LayerNumberCLCW,
	gopacket.LayerTypeMetadata{Name: "CLCW", Decoder: gopacket.DecodeFunc(decodeCLCW)})

// CLCW is the Communications Link Control Word (CCSDS 232.0-B-4 §4.2), carried
// in the operational control field of the return frames:
//
//	0      1..2     3..5    6..7  8..13  14..15
//	type=0 version=0 status COP   VCID   reserved
//	16     17        18      19   20         21..22  23       24..31
//	no RF  no bit lk lockout wait retransmit FARM-B  reserved report value N(R)
type CLCW struct {
	ccsds.BaseLayer
	Status      uint8      // 3 bits, mission specific
	COP         uint8      // COP in effect, 2 bits
	VC          ccsds.VCID // virtual channel reported on
	NoRF        bool       // no RF available
	NoBitLock   bool
	Lockout     bool
	Wait        bool
	Retransmit  bool
	FARMB       uint8 // 2 low bits of the FARM-B counter
	ReportValue uint8 // N(R), the next expected sequence number
}

// LayerType implements gopacket.Layer.
func (c *CLCW) LayerType() gopacket.LayerType { return LayerTypeCLCW }

// CanDecode implements gopacket.DecodingLayer.
func (c *CLCW) CanDecode() gopacket.LayerClass { return LayerTypeCLCW }

// NextLayerType implements gopacket.DecodingLayer: nothing follows a CLCW.
func (c *CLCW) NextLayerType() gopacket.LayerType { return gopacket.LayerTypeZero }

// DecodeFromBytes reads a CLCW from the first 4 octets of data. A control word
// of another type or version is an error; reserved bits are ignored.
func (c *CLCW) DecodeFromBytes(data []byte, df gopacket.DecodeFeedback) error {
	if len(data) < CLCWLength {
		if df != nil {
			df.SetTruncated()
		}
		return ccsds.Errorf("clcw", len(data), ccsds.ErrTruncated, "shorter than %d octets", CLCWLength)
	}
	if data[0]&0x80 != 0 {
		return ccsds.Errorf("clcw", 0, ccsds.ErrReserved, "control word type is not CLCW")
	}
	if data[0]&0x60 != 0 {
		return ccsds.Errorf("clcw", 0, ccsds.ErrVersion, "version %d", data[0]>>5)
	}
	*c = CLCW{
		BaseLayer:   ccsds.BaseLayer{Contents: data[:CLCWLength], Payload: data[CLCWLength:]},
		Status:      data[0] >> 2 & 7,
		COP:         data[0] & 3,
		VC:          ccsds.VCID(data[1] >> 2),
		NoRF:        data[2]&0x80 != 0,
		NoBitLock:   data[2]&0x40 != 0,
		Lockout:     data[2]&0x20 != 0,
		Wait:        data[2]&0x10 != 0,
		Retransmit:  data[2]&0x08 != 0,
		FARMB:       data[2] >> 1 & 3,
		ReportValue: data[3],
	}
	return nil
}

// SerializeTo implements gopacket.SerializableLayer.
func (c *CLCW) SerializeTo(b gopacket.SerializeBuffer, _ gopacket.SerializeOptions) error {
	dst, err := b.PrependBytes(CLCWLength)
	if err != nil {
		return err
	}
	word := c.Octets()
	copy(dst, word[:])
	return nil
}

// Octets is the encoded control word, as it goes into a frame's OCF.
func (c *CLCW) Octets() [CLCWLength]byte {
	return [CLCWLength]byte{
		c.Status&7<<2 | c.COP&3,
		uint8(c.VC) & 0x3f << 2,
		bit(c.NoRF, 7) | bit(c.NoBitLock, 6) | bit(c.Lockout, 5) | bit(c.Wait, 4) |
			bit(c.Retransmit, 3) | c.FARMB&3<<1,
		c.ReportValue,
	}
}

func bit(set bool, shift uint) byte {
	if set {
		return 1 << shift
	}
	return 0
}

func decodeCLCW(data []byte, p gopacket.PacketBuilder) error {
	c := new(CLCW)
	if err := c.DecodeFromBytes(data, p); err != nil {
		return err
	}
	p.AddLayer(c)
	return nil
}

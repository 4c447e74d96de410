package ccsds

// APID is the application process identifier of a packet, 11 bits
// (CCSDS 133.0-B-2 §4.1.3.3.4).
type APID uint16

// Reserved and largest application process identifiers.
const (
	MaxAPID  APID = 0x7FF
	IdleAPID APID = 0x7FF // idle packets carry no data for anybody
)

// Valid reports whether a fits 11 bits.
func (a APID) Valid() bool { return a <= MaxAPID }

// SCID is the spacecraft identifier of TM and TC transfer frames, 10 bits
// (CCSDS 132.0-B-3 §4.1.2.2.3, CCSDS 232.0-B-4 §4.1.2.5).
type SCID uint16

// MaxSCID is the largest spacecraft identifier of TM and TC frames.
const MaxSCID SCID = 0x3FF

// Valid reports whether s fits 10 bits.
func (s SCID) Valid() bool { return s <= MaxSCID }

// VCID is the identifier of a virtual channel. It has 6 bits in TC, AOS and USLP frames
// and 3 in TM frames, where package tm checks the narrower range.
type VCID uint8

// MaxVCID is the largest virtual channel identifier of any frame.
const MaxVCID VCID = 63

// Valid reports whether v fits 6 bits.
func (v VCID) Valid() bool { return v <= MaxVCID }

// MAPID is the multiplexer access point identifier of a TC segment, 6 bits
// (CCSDS 232.0-B-4 §4.1.3.2.2.3).
type MAPID uint8

// MaxMAPID is the largest multiplexer access point identifier.
const MaxMAPID MAPID = 63

// Valid reports whether m fits 6 bits.
func (m MAPID) Valid() bool { return m <= MaxMAPID }

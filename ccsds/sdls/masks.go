package sdls

import "bytes"

// The authentication masks of the book's baseline modes (355.0-B-2 annex E) leave out all
// of the frame's headers that lower layers may still change: only the virtual channel, and
// the access point where there is one, are authenticated.

// MaskTC is the baseline mask of a TC frame, with a segment header or not.
func MaskTC(segmentHeader bool) []byte {
	m := []byte{0, 0, 0xFC, 0, 0}
	if segmentHeader {
		m = append(m, 0xFF)
	}
	return m
}

// MaskTM is the baseline mask of a TM frame with a secondary header of so many octets.
func MaskTM(secondaryHeader int) []byte {
	return append([]byte{0, 0x0E, 0, 0, 0, 0}, make([]byte, secondaryHeader)...)
}

// MaskAOS is the baseline mask of an AOS frame, with header error control or not, and
// with an insert zone of so many octets.
func MaskAOS(headerControl bool, insertZone int) []byte {
	m := []byte{0, 0x3F, 0, 0, 0, 0}
	if headerControl {
		m = append(m, 0, 0)
	}
	return append(m, make([]byte, insertZone)...)
}

// MaskUSLP is the baseline mask of a USLP frame with a primary header and an insert zone of
// so many octets.
func MaskUSLP(primaryHeader, insertZone int) []byte {
	m := []byte{0, 0, 0x07, 0xFE}
	return append(m, bytes.Repeat([]byte{0}, max(primaryHeader-len(m), 0)+insertZone)...)
}

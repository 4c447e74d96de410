package sdls

import (
	"encoding/binary"
	"errors"

	"github.com/perilune/perilune/ccsds"
)

// FSR is the frame security report, CCSDS 355.1-B-1 §4.2: an operational control word by
// which a recipient tells what it thinks of the last frame.
type FSR struct {
	Alarm     bool // a frame was refused since the flag was last reset
	BadNumber bool // the last frame had an anti-replay number out of order
	BadMAC    bool
	BadSA     bool
	SPI       uint16 // of the last frame
	Number    uint8  // low octet of the last frame's anti-replay number
}

// The first four bits: a word of type 1, version 100.
const fsrVersion = 0xC

// Encode returns the control word.
func (f FSR) Encode() (w [4]byte) {
	w[0] = fsrVersion << 4
	for i, set := range []bool{f.BadSA, f.BadMAC, f.BadNumber, f.Alarm} {
		if set {
			w[0] |= 1 << i
		}
	}
	binary.BigEndian.PutUint16(w[1:], f.SPI)
	w[3] = f.Number
	return w
}

// DecodeFSR reads a control word. One of another type, as a CLCW, is an error.
func DecodeFSR(w [4]byte) (FSR, error) {
	if w[0]>>4 != fsrVersion {
		return FSR{}, ccsds.Errorf("frame security report", 0, ccsds.ErrVersion, "type and version %04b, want %04b", w[0]>>4, fsrVersion)
	}
	return FSR{
		Alarm: w[0]&8 != 0, BadNumber: w[0]&4 != 0, BadMAC: w[0]&2 != 0, BadSA: w[0]&1 != 0,
		SPI: binary.BigEndian.Uint16(w[1:]), Number: w[3],
	}, nil
}

// Note takes what Open said of a frame: its field as received, the layout of its
// association, zero for that of AES-GCM, and the error, nil if good.
func (f *FSR) Note(field []byte, l Layout, err error) {
	f.BadNumber, f.BadMAC, f.BadSA = errors.Is(err, ErrReplayed), errors.Is(err, ErrForged), errors.Is(err, ErrSPI) || errors.Is(err, ErrVC)
	f.Alarm = f.Alarm || err != nil
	if len(field) >= spiLength {
		f.SPI = binary.BigEndian.Uint16(field)
	}
	if l == (Layout{}) {
		l = DefaultLayout(AESGCM, AuthenticatedEncryption)
	}
	if last := l.Header() - l.Pad - 1; last < len(field) {
		f.Number = field[last]
	}
}

// Reset takes back the alarm, and what was wrong with the last frame.
func (f *FSR) Reset() { f.Alarm, f.BadNumber, f.BadMAC, f.BadSA = false, false, false, false }

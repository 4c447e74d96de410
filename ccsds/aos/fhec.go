package aos

import (
	"bytes"
	"encoding/binary"
	"sync"

	"github.com/perilune/perilune/ccsds"
)

// The frame header error control is a Reed-Solomon code of ten symbols of four bits, six
// of them information: version, SCID, VCID and signaling field; the frame count is not
// protected. The field is that of x^4 + x + 1, the generator has the roots α^6 to α^9, and
// two wrong symbols are corrected (§4.1.2.6).
const (
	fhecData    = 6
	fhecSymbols = 10
	fhecParity  = fhecSymbols - fhecData
	fhecRoot    = 6
)

// fieldExp are the powers of α, twice over; fieldLog their inverse.
var fieldExp, fieldLog = func() (exp [30]byte, log [16]byte) {
	x := byte(1)
	for i := range 15 {
		exp[i], exp[i+15], log[x] = x, x, byte(i)
		if x <<= 1; x&0x10 != 0 {
			x ^= 0x13
		}
	}
	return exp, log
}()

func times(a, b byte) byte {
	if a == 0 || b == 0 {
		return 0
	}
	return fieldExp[fieldLog[a]+fieldLog[b]]
}

// fhecGenerator holds the coefficients below x^4, highest first.
var fhecGenerator = func() [fhecParity]byte {
	g := [fhecParity + 1]byte{fhecParity: 1} // g[fhecParity] is x^0
	for r := range fhecParity {
		root := fieldExp[fhecRoot+r]
		for i := range fhecParity {
			g[i] = g[i+1] ^ times(g[i], root)
		}
		g[fhecParity] = times(g[fhecParity], root)
	}
	return [fhecParity]byte(g[1:])
}()

// HeaderControl is the frame header error control of a header with these first two octets
// (version, SCID, VCID) and this signaling field.
func HeaderControl(id uint16, signaling uint8) uint16 {
	var parity [fhecParity]byte
	for _, s := range [fhecData]byte{byte(id >> 12), byte(id >> 8 & 15), byte(id >> 4 & 15), byte(id & 15), signaling >> 4, signaling & 15} {
		lead := s ^ parity[0]
		for i := range fhecParity {
			next := byte(0)
			if i+1 < fhecParity {
				next = parity[i+1]
			}
			parity[i] = next ^ times(lead, fhecGenerator[i])
		}
	}
	return uint16(parity[0])<<12 | uint16(parity[1])<<8 | uint16(parity[2])<<4 | uint16(parity[3])
}

// fhecRepair maps a syndrome to what must be added to the header: up to two errors. The
// syndrome here is the parity received plus the parity computed.
var fhecRepair = sync.OnceValue(func() map[uint16]repair {
	table := make(map[uint16]repair, fhecSymbols*15+45*225)
	for i := range fhecSymbols {
		for a := byte(1); a < 16; a++ {
			one := repair{}.with(i, a)
			one.symbols = 1
			table[one.syndrome()] = one
			for j := range i {
				for b := byte(1); b < 16; b++ {
					two := one.with(j, b)
					two.symbols = 2
					table[two.syndrome()] = two
				}
			}
		}
	}
	return table
})

// repair is a pattern of errors in header and parity.
type repair struct {
	id        uint16
	signaling uint8
	parity    uint16
	symbols   int
}

func (r repair) with(at int, value byte) repair {
	switch v := uint16(value); {
	case at < 4:
		r.id |= v << (12 - 4*at)
	case at < fhecData:
		r.signaling |= value << (4 * (fhecData - 1 - at))
	default:
		r.parity |= v << (4 * (fhecSymbols - 1 - at))
	}
	return r
}

func (r repair) syndrome() uint16 { return HeaderControl(r.id, r.signaling) ^ r.parity }

// correctHeader returns the frame with its header corrected, a copy if anything was wrong,
// and how many symbols were.
func correctHeader(frame []byte) (good []byte, corrected int, err error) {
	id, signaling, parity := binary.BigEndian.Uint16(frame), frame[5], binary.BigEndian.Uint16(frame[6:])
	syndrome := HeaderControl(id, signaling) ^ parity
	if syndrome == 0 {
		return frame, 0, nil
	}
	fix, ok := fhecRepair()[syndrome]
	if !ok {
		return nil, 0, ccsds.Errorf("aos frame", HeaderLength, ccsds.ErrChecksum, "frame header error control cannot correct the header")
	}
	good = bytes.Clone(frame)
	binary.BigEndian.PutUint16(good, id^fix.id)
	good[5] = signaling ^ fix.signaling
	binary.BigEndian.PutUint16(good[6:], parity^fix.parity)
	return good, fix.symbols, nil
}

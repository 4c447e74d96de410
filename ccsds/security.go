package ccsds

import (
	"errors"
	"fmt"
)

// Protector applies security to the data fields of frames (CCSDS 355.0-B-2 §3.2.2).
type Protector interface {
	// Overhead is what protection adds to a data field on virtual channel vc, in octets; 0
	// where there is none, and then Protect is not called.
	Overhead(vc VCID) int
	// Protect appends data, protected, to dst. header is the frame's primary header and
	// what stands between it and the data field: secondary header or insert zone.
	Protect(dst []byte, vc VCID, header, data []byte) ([]byte, error)
}

// ErrSecurity says that a frame could not be protected; it is not made then.
var ErrSecurity = errors.New("security was not applied")

// AppendProtected appends data to dst, whose octets from start on are the frame's header,
// with the security that p, which may be nil, has for vc.
func AppendProtected(dst []byte, start int, p Protector, vc VCID, data []byte) ([]byte, error) {
	n := Overhead(p, vc)
	if n == 0 {
		return append(dst, data...), nil
	}
	at := len(dst)
	dst, err := p.Protect(dst, vc, dst[start:at:at], data)
	if err == nil && len(dst)-at != len(data)+n {
		err = fmt.Errorf("it makes %d octets of %d, want %d", len(dst)-at, len(data), len(data)+n)
	}
	if err != nil {
		return dst[:at], fmt.Errorf("virtual channel %d: %w: %w", vc, ErrSecurity, err)
	}
	return dst, nil
}

// Overhead is p's for vc, 0 if p is nil.
func Overhead(p Protector, vc VCID) int {
	if p == nil {
		return 0
	}
	return p.Overhead(vc)
}

package uslp

import (
	"errors"
	"fmt"

	"github.com/perilune/perilune/ccsds"
)

// Protect appends the data field of a frame to dst with security applied, which makes it
// longer by Params.Security octets. header is primary header and insert zone.
type Protect func(dst []byte, vc ccsds.VCID, header, data []byte) ([]byte, error)

// Secure sets what applies security to all frames but idle ones. Where Params.Security is
// not 0 it must be called before the first frame.
func (b *Builder) Secure(p Protect) { b.protect = p }

// Err is why the last call of Next, though enough waited, made no frame: security could
// not be applied. The data still wait.
func (b *Builder) Err() error { return b.err }

// secured appends a frame to dst, with security applied where there is some.
func (b *Builder) secured(dst []byte, f *Frame, data []byte) ([]byte, error) {
	if b.p.Security == 0 {
		return Append(dst, f, data)
	}
	if b.protect == nil {
		return dst, errors.New("nothing applies security")
	}
	header, err := AppendHeader(nil, f, len(data)+b.p.Security)
	if err != nil {
		return dst, err
	}
	field, err := b.protect(nil, f.VCID, header, data)
	if err == nil && len(field) != len(data)+b.p.Security {
		err = fmt.Errorf("security adds %d octets, want %d", len(field)-len(data), b.p.Security)
	}
	if err != nil {
		return dst, err
	}
	return Append(dst, f, field)
}

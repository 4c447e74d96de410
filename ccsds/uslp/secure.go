package uslp

import "github.com/perilune/perilune/ccsds"

// Secure sets what applies security to all frames but idle ones.
func (b *Builder) Secure(p ccsds.Protector) { b.sec = p }

// Err is why the last call of Next, though enough waited, made no frame: security could
// not be applied. The data still wait.
func (b *Builder) Err() error { return b.err }

// secured appends a frame to dst, with security applied where there is some.
func (b *Builder) secured(dst []byte, f *Frame, data []byte) ([]byte, error) {
	sec := b.sec
	if f.VCID == IdleVCID {
		sec = nil
	}
	start := len(dst)
	dst, err := AppendHeader(dst, f, len(data)+ccsds.Overhead(sec, f.VCID))
	if err != nil {
		return dst, err
	}
	if dst, err = ccsds.AppendProtected(dst, start, sec, f.VCID, data); err != nil {
		return dst[:start], err
	}
	return f.close(dst, start), nil
}

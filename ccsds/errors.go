package ccsds

import (
	"errors"
	"fmt"
)

// Reasons that callers count apart; a DecodeError wraps one of them.
var (
	ErrTruncated = errors.New("too short")
	ErrLength    = errors.New("wrong length")
	ErrVersion   = errors.New("wrong version")
	ErrChecksum  = errors.New("checksum does not match")
	ErrForeign   = errors.New("not for this spacecraft")
	ErrReserved  = errors.New("reserved value")
)

// DecodeError says which layer could not be decoded, where and why.
type DecodeError struct {
	Layer  string // "tc frame"
	Offset int    // octets from the start of the layer, -1 when not known
	Reason string
	Err    error // one of the Err… sentinels, or nil
}

func (e *DecodeError) Error() string {
	if e.Offset < 0 {
		return e.Layer + ": " + e.Reason
	}
	return fmt.Sprintf("%s: octet %d: %s", e.Layer, e.Offset, e.Reason)
}

// Unwrap gives the sentinel that errors.Is looks for.
func (e *DecodeError) Unwrap() error { return e.Err }

// Errorf makes a DecodeError whose reason is formatted.
func Errorf(layer string, offset int, sentinel error, format string, args ...any) *DecodeError {
	return &DecodeError{Layer: layer, Offset: offset, Reason: fmt.Sprintf(format, args...), Err: sentinel}
}

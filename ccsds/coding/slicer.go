package coding

import "fmt"

// MaxCodewords is the most codewords of a codeblock of sliced frames (CCSDS 131.0-B-5 §8).
const MaxCodewords = 8

// Slicer cuts a stream of sync-marked transfer frames into slices of one length, the
// information of a codeblock each (CCSDS 131.0-B-5 §8.2). Frames need not fit slices: what
// does not fill one waits for the frames that follow.
type Slicer struct {
	slice int
	rest  []byte
}

// NewSlicer returns a Slicer of slices of n octets.
func NewSlicer(n int) (*Slicer, error) {
	if n < 1 || n > maxFrame {
		return nil, fmt.Errorf("slicer: slices of %d octets, want 1 to %d", n, maxFrame)
	}
	return &Slicer{slice: n}, nil
}

// Push takes the next frame, puts the marker ASM in front of it and calls emit for each slice
// that is full, until emit returns an error. The octets given to emit are valid only during
// the call.
func (s *Slicer) Push(frame []byte, emit func(slice []byte) error) error {
	s.rest = append(AppendASM(s.rest), frame...)
	return s.cut(emit)
}

// Flush fills the last slice with zeros, if there is something in it.
func (s *Slicer) Flush(emit func(slice []byte) error) error {
	if n := len(s.rest) % s.slice; n > 0 {
		s.rest = append(s.rest, make([]byte, s.slice-n)...)
	}
	return s.cut(emit)
}

func (s *Slicer) cut(emit func([]byte) error) error {
	var err error
	rest := s.rest
	for len(rest) >= s.slice && err == nil {
		err = emit(rest[:s.slice:s.slice])
		rest = rest[s.slice:]
	}
	s.rest = s.rest[:copy(s.rest, rest)]
	return err
}

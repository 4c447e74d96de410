package pus

import (
	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/timecode"
)

// timeLength is the time field of telemetry: CUC with four octets of seconds
// and three of fraction, its P-field implicit (CCSDS 301.0-B-4 §3.2).
const timeLength = 7

func appendTime(dst []byte, t timecode.Instant) ([]byte, error) {
	return timecode.Default.Append(dst, t)
}

func readTime(b []byte) (timecode.Instant, error) { return timecode.Default.Decode(b) }

// TimeSetting is the message of TC[9,128] and TM[9,2]: an instant and how far
// it can be trusted. Our TM[9,2] carries the quality after the CUC time of
// ECSS-E-ST-70-41C §8.9.2.2.
type TimeSetting struct {
	Time    timecode.Instant
	Quality timecode.Quality
}

// Encode returns CUC time (7 octets) and quality (u8).
func (t TimeSetting) Encode() ([]byte, error) {
	b, err := appendTime(nil, t.Time)
	if err != nil {
		return nil, err
	}
	return append(b, byte(t.Quality)), nil
}

// DecodeTimeSetting reads the message of TC[9,128] or TM[9,2].
func DecodeTimeSetting(data []byte) (TimeSetting, error) {
	r := newReader("time setting", data)
	t := TimeSetting{Time: r.time(), Quality: timecode.Quality(r.u8())}
	if r.err == nil && t.Quality > timecode.Disciplined {
		return TimeSetting{}, dataError(r.what, timeLength, "no such time quality")
	}
	return t, r.end()
}

func (r *reader) time() timecode.Instant {
	b := r.take(timeLength)
	if b == nil {
		return 0
	}
	t, err := readTime(b)
	if err != nil {
		r.err = err
	}
	return t
}

// dataError is a message that does not decode.
func dataError(what string, offset int, reason string) error {
	return &ccsds.DecodeError{Layer: "pus " + what, Offset: offset, Reason: reason}
}

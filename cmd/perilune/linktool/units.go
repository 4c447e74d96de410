package linktool

import (
	"fmt"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/encap"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/spp"
	"github.com/perilune/perilune/ccsds/tc"
	"github.com/perilune/perilune/ccsds/uslp"
)

// unitReader cuts a stream into units and calls do for each.
type unitReader struct {
	length func(head []byte) (int, error) // of the unit that begins with head; 0: not yet known
	what   string
	do     func([]byte) error
	short  bool // the last unit of the stream may be shorter than length says
	rest   []byte
	at     int64 // octets of the stream before rest
}

// newUnitReader reads what c takes in, maybe as datagrams.
func (c *Config) newUnitReader(datagrams bool, do func([]byte) error) *unitReader {
	r := &unitReader{do: do, what: "frame", length: c.frameLength}
	switch c.Units {
	case Packets:
		r.what, r.length = "packet", c.packetLength
	case Data:
		r.what = fmt.Sprintf("data unit of %d octets", c.UnitLength)
		r.length = func(head []byte) (int, error) { return c.dataLength(head, datagrams), nil }
		r.short = c.anyLength()
	}
	return r
}

func (c *Config) frameLength(head []byte) (int, error) {
	switch {
	case !c.Up && c.Profile.Variable:
		if len(head) < uslp.MinHeaderLength {
			return 0, nil
		}
		return uslp.Length(head, c.Profile.Truncated)
	case !c.Up:
		return c.Profile.FrameLength, nil
	case c.Profile.Up == link.FramingUSLP:
		if len(head) < 6 {
			return 0, nil
		}
		return uslp.Length(head, 0)
	case len(head) < tc.HeaderLength:
		return 0, nil
	}
	return tc.Length(head)
}

func (c *Config) packetLength(head []byte) (int, error) {
	switch {
	case len(head) == 0:
		return 0, nil
	case c.Profile.Encapsulation && head[0]>>5 == 7:
		if len(head) < 8 {
			if n, err := encap.TotalLength(head); err == nil {
				return n, nil
			}
			return 0, nil
		}
		return encap.TotalLength(head)
	case len(head) < ccsds.MinPacketLength:
		return 0, nil
	}
	return spp.TotalLength(head)
}

// push takes the next piece of the stream; whole says that it is one unit and no more.
func (r *unitReader) push(piece []byte, whole bool) error {
	r.rest = append(r.rest, piece...)
	for len(r.rest) > 0 {
		n, err := r.length(r.rest)
		if err != nil {
			return fmt.Errorf("input, octet %d: no %s begins here: %w", r.at, r.what, err)
		}
		if n == 0 || n > len(r.rest) {
			break
		}
		if err := r.do(r.rest[:n]); err != nil {
			return fmt.Errorf("input, octet %d: %w", r.at, err)
		}
		r.rest, r.at = r.rest[n:], r.at+int64(n)
	}
	if whole {
		return r.end()
	}
	r.rest = append([]byte(nil), r.rest...) // let go of what is done
	return nil
}

// end reports a unit that was begun and never finished.
func (r *unitReader) end() error {
	if r.short && len(r.rest) > 0 {
		last := r.rest
		r.rest = nil
		return r.do(last)
	}
	if len(r.rest) > 0 {
		return fmt.Errorf("input, octet %d: the last %d octets are no whole %s", r.at, len(r.rest), r.what)
	}
	return nil
}

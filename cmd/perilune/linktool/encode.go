package linktool

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/tc"
)

// Encoded counts what Encode made.
type Encoded struct {
	Packets uint64 `json:"packets,omitempty"`
	Units   uint64 `json:"units,omitempty"` // of data, or pieces of a stream
	Frames  uint64 `json:"frames"`
	Bits    uint64 `json:"bits"`  // of the channel, before noise
	Wrong   uint64 `json:"wrong"` // of those, turned over by noise
}

// encoder is the way from units to bits.
type encoder struct {
	c      *Config
	out    io.Writer
	medium *medium
	count  Encoded

	down   *link.DownEncoder
	framer *link.Framer
	up     *link.UpEncoder
	buf    []byte
	frame  []byte
}

// Encode reads units from src until its end and writes bits to out.
func Encode(c Config, src *Source, out io.Writer) (Encoded, error) {
	if err := c.ValidateInput(); err != nil {
		return Encoded{}, err
	}
	e, err := newEncoder(&c, out)
	if err != nil {
		return Encoded{}, err
	}
	r := c.newUnitReader(src.Datagrams, e.unit)
	if err := pieces(src, func(b []byte) error { return r.push(b, src.Datagrams) }); err != nil {
		return e.count, err
	}
	if err := errors.Join(r.end(), e.flush()); err != nil {
		return e.count, err
	}
	return e.done(), nil
}

func newEncoder(c *Config, out io.Writer) (*encoder, error) {
	e := &encoder{c: c, out: out}
	var err error
	if e.medium, err = c.newMedium(); err != nil {
		return nil, err
	}
	switch {
	case c.Up:
		e.up, err = link.NewUpEncoder(c.Profile)
	case c.framing() != link.FramingPackets:
		if e.down, err = c.Profile.NewDownEncoder(); err == nil && c.Units != Frames {
			e.framer, err = link.NewFramer(c.Profile, numbers())
		}
	}
	return e, err
}

func (e *encoder) done() Encoded {
	e.count.Bits, e.count.Wrong = e.medium.sent, e.medium.wrong
	return e.count
}

// unit takes one frame, packet or data unit.
func (e *encoder) unit(b []byte) error {
	switch {
	case e.c.Units == Frames:
		return e.radiate(b)
	case e.c.framing() == link.FramingPackets:
		e.count.Packets++
		return e.write(b)
	case e.c.Up:
		e.count.Packets++
		return e.segments(b)
	}
	if e.c.Units == Data {
		e.count.Units++
	} else {
		e.count.Packets++
	}
	for {
		err := e.framer.Send(e.c.VC, b)
		if !errors.Is(err, link.ErrFull) {
			return err
		}
		if _, err := e.next(); err != nil {
			return err
		}
	}
}

// next radiates the framer's next frame and says whether it was an idle one, which stays
// behind unless its insert zone carries something: nothing waits for its time here.
func (e *encoder) next() (idle bool, err error) {
	inserted, err := e.insert()
	if err != nil {
		return false, err
	}
	e.frame, idle = e.framer.Next(e.frame[:0], [4]byte{})
	if err := e.framer.Err(); idle && (!inserted || err != nil) {
		return true, err
	}
	return false, e.radiate(e.frame)
}

// insert gives the next frame its insert zone and says whether there was something for it. Behind
// the end of the input zones are idle.
func (e *encoder) insert() (some bool, err error) {
	if e.c.Insert == nil {
		return false, nil
	}
	zone := make([]byte, e.c.Profile.InsertZone)
	n, err := io.ReadFull(e.c.Insert, zone)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false, err
	}
	return n > 0, e.framer.Insert(ccsds.AppendIdleData(zone[:n], len(zone)-n))
}

// segments sends a packet up as Type-BD frames, which need no FOP-1.
func (e *encoder) segments(packet []byte) error {
	p := tc.Params{SCID: e.c.Profile.SCID, FECF: true, MaxLength: e.c.Profile.MaxTCFrame}
	list, err := tc.Segment(0, packet, p.MaxData())
	if err != nil {
		return err
	}
	for _, s := range list {
		f := tc.Frame{Params: p, Bypass: true, SCID: p.SCID, VCID: e.c.VC}
		if e.frame, err = tc.Append(e.frame[:0], &f, s); err != nil {
			return err
		}
		if err := e.radiate(e.frame); err != nil {
			return err
		}
	}
	return nil
}

// radiate codes one frame.
func (e *encoder) radiate(frame []byte) (err error) {
	e.count.Frames++
	if e.c.Up {
		e.buf, err = e.up.Append(e.buf[:0], frame)
	} else {
		e.buf, err = e.down.Append(e.buf[:0], frame)
	}
	if err != nil {
		return fmt.Errorf("frame %d: %w", e.count.Frames, err)
	}
	return e.write(e.buf)
}

// maxPiece is the longest piece of bits that is written at a time: a datagram can hold it.
const maxPiece = 32768

func (e *encoder) write(bits []byte) error {
	for piece := range slices.Chunk(e.medium.pass(bits), maxPiece) {
		if _, err := e.out.Write(piece); err != nil {
			return err
		}
	}
	return nil
}

// flush ends the stream: what waits, and bits in hand.
func (e *encoder) flush() error {
	for e.framer != nil {
		if idle, err := e.next(); err != nil {
			return err
		} else if idle {
			break
		}
	}
	var rest []byte
	if e.down != nil {
		rest = e.down.Flush(nil)
	}
	if e.up != nil {
		rest = e.up.Idle()
	}
	if len(rest) == 0 {
		return nil
	}
	return e.write(rest)
}

package linktool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"github.com/perilune/perilune/ccsds/link"
)

// A bit error rate test sends frames that the far end can make by itself: a number, five
// times over so that errors do not hide it, and pseudo-random octets that follow from it. They
// are frames of no protocol: what is tested is the channel code.

// copies is how often the number of a test frame stands in it.
const copies = 5

// BERT is what a test has found.
type BERT struct {
	Link        string          `json:"link"`
	Sent        uint64          `json:"sent,omitempty"` // frames; 0 where another end sent them
	Received    uint64          `json:"received"`
	Missing     uint64          `json:"missing"` // between the first and the last that were received, or of those sent
	Wrong       uint64          `json:"wrong"`   // received with bit errors that the code has let through
	Bits        uint64          `json:"bits"`    // in received frames
	Errors      uint64          `json:"errors"`  // of those
	BER         float64         `json:"ber"`     // of received frames
	FER         float64         `json:"fer"`     // missing or wrong
	ChannelBits uint64          `json:"channel_bits,omitempty"`
	ChannelBER  float64         `json:"channel_ber,omitempty"` // before decoding
	Code        *link.DownStats `json:"code,omitempty"`

	first, last uint64
}

// testFrame writes frame number n into b.
func testFrame(b []byte, n uint64) {
	state := n*0x9e3779b97f4a7c15 + 1
	for i := range b {
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		b[i] = byte(state >> 32)
	}
	for i := range copies {
		binary.BigEndian.PutUint32(b[4*i:], uint32(n))
	}
}

// number is the number of a test frame by majority of each bit.
func number(b []byte) (n uint64) {
	for bit := range 32 {
		ones := 0
		for i := range copies {
			ones += int(binary.BigEndian.Uint32(b[4*i:]) >> bit & 1)
		}
		if ones > copies/2 {
			n |= 1 << bit
		}
	}
	return n
}

func (c *Config) checkBERT() error {
	c.Units = Frames
	if err := c.Validate(); err != nil {
		return err
	}
	if c.Up {
		return fmt.Errorf("%w: error rates are measured on the downlink", ErrConfig)
	}
	if c.Profile.FrameLength < 8*copies {
		return fmt.Errorf("%w: test frames need %d octets, this link has %d", ErrConfig, 8*copies, c.Profile.FrameLength)
	}
	return nil
}

// SendBERT writes n coded test frames to out, with noise if there is any.
func SendBERT(c Config, n int, out io.Writer) (Encoded, error) {
	if err := c.checkBERT(); err != nil {
		return Encoded{}, err
	}
	e, err := newEncoder(&c, out)
	if err != nil {
		return Encoded{}, err
	}
	frame := make([]byte, c.Profile.FrameLength)
	for i := range n {
		testFrame(frame, uint64(i))
		if err := e.radiate(frame); err != nil {
			return e.count, err
		}
	}
	return e.done(), e.flush()
}

// ReceiveBERT counts errors in the test frames that src carries.
func ReceiveBERT(c Config, src *Source) (BERT, error) {
	r, err := newReceiver(c)
	if err != nil {
		return BERT{}, err
	}
	if err := pieces(src, r.push); err != nil {
		return BERT{}, err
	}
	return r.done(), nil
}

// LoopBERT sends n test frames through noise to a decoder here.
func LoopBERT(c Config, n int) (BERT, error) {
	r, err := newReceiver(c)
	if err != nil {
		return BERT{}, err
	}
	sent, err := SendBERT(c, n, writerFunc(func(b []byte) (int, error) { return len(b), r.push(b) }))
	if err != nil {
		return BERT{}, err
	}
	b := r.done()
	b.Sent = sent.Frames
	b.Missing = sent.Frames - min(b.Received, sent.Frames)
	b.ChannelBits, b.ChannelBER = sent.Bits, float64(sent.Wrong)/float64(max(sent.Bits, 1))
	b.FER = float64(b.Missing+b.Wrong) / float64(max(b.Sent, 1))
	return b, nil
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// receiver compares what is received with what must have been sent.
type receiver struct {
	c      Config
	decode *link.DownDecoder
	want   []byte
	soft   []int8
	b      BERT
}

func newReceiver(c Config) (*receiver, error) {
	if err := c.checkBERT(); err != nil {
		return nil, err
	}
	d, err := link.NewDownDecoder(c.Profile.Code, c.Profile.FrameLength)
	if err != nil {
		return nil, err
	}
	r := &receiver{c: c, decode: d, want: make([]byte, c.Profile.FrameLength)}
	r.b.Link = newReport(&c).Link
	return r, nil
}

func (r *receiver) push(b []byte) error {
	if !r.c.Soft {
		r.decode.Push(b, r.frame)
		return nil
	}
	r.soft = symbols(r.soft[:0], b)
	r.decode.PushSoft(r.soft, r.frame)
	return nil
}

func (r *receiver) frame(u link.Coded) {
	if u.Frame == nil {
		return
	}
	n := number(u.Frame)
	testFrame(r.want, n)
	wrong := 0
	for i, b := range u.Frame {
		wrong += bits.OnesCount8(b ^ r.want[i])
	}
	if r.b.Received == 0 {
		r.b.first = n
	}
	r.b.last = max(r.b.last, n)
	r.b.Received++
	r.b.Bits += 8 * uint64(len(u.Frame))
	r.b.Errors += uint64(wrong)
	if wrong > 0 {
		r.b.Wrong++
	}
}

func (r *receiver) done() BERT {
	b := r.b
	s := r.decode.Stats()
	b.Code = &s
	if b.Received > 0 {
		between := b.last - b.first + 1
		b.Missing = between - min(b.Received, between)
		b.BER = float64(b.Errors) / float64(b.Bits)
		b.FER = float64(b.Missing+b.Wrong) / float64(between)
	}
	return b
}

// ErrNothing says that a test received no frame at all.
var ErrNothing = errors.New("no test frame was received")

// Rows is the result as a table.
func (b BERT) Rows() [][]string {
	rows := [][]string{{"link", b.Link}}
	add := func(name string, v any) { rows = append(rows, []string{name, fmt.Sprint(v)}) }
	if b.Sent > 0 {
		add("frames sent", b.Sent)
		add("channel", fmt.Sprintf("%d symbols, error rate %.3g", b.ChannelBits, b.ChannelBER))
	}
	add("frames received", b.Received)
	add("frames missing", b.Missing)
	add("frames wrong", b.Wrong)
	add("frame error rate", fmt.Sprintf("%.3g", b.FER))
	add("bit error rate", fmt.Sprintf("%.3g (%d of %d in received frames)", b.BER, b.Errors, b.Bits))
	return rows
}

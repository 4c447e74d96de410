// Package gdb speaks gdb's remote serial protocol over one connection, for
// one guest and its threads (GDB manual, appendix "Remote Protocol"). What the
// guest is, and how it runs, is behind Target.
package gdb

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
)

// MaxPacket is the longest packet either way, in octets between $ and #.
const MaxPacket = 16384

// ErrPacket is wrapped by errors of the parser.
var ErrPacket = errors.New("malformed gdb packet")

const (
	interrupt = 0x03
	escape    = '}'
	escapeXor = 0x20
)

// Frame is one thing that gdb sent.
type Frame struct {
	Kind    Kind
	Payload []byte // of a Packet, escapes resolved
}

// Kind says what a Frame is.
type Kind uint8

// The kinds of frames.
const (
	Packet    Kind = iota + 1
	Damaged        // a packet whose checksum is wrong, or that is too long
	Ack            // +
	Nack           // -
	Interrupt      // ^C
)

// Parser cuts the octets of a connection into frames, in whatever pieces they
// arrive. The zero value is ready.
type Parser struct {
	buf     []byte
	in      bool // between $ and #
	tooLong bool
	sum     byte
	tail    []byte // of the checksum, once # has come
	ended   bool
}

// Push takes the next octets and hands each frame they complete to emit.
// Octets between packets that mean nothing are skipped.
func (p *Parser) Push(b []byte, emit func(Frame)) {
	for _, c := range b {
		switch {
		case p.ended:
			if p.tail = append(p.tail, c); len(p.tail) == 2 {
				emit(p.finish())
			}
		case p.in:
			p.inside(c)
		case c == '$':
			*p = Parser{in: true, buf: p.buf[:0]}
		case c == '+':
			emit(Frame{Kind: Ack})
		case c == '-':
			emit(Frame{Kind: Nack})
		case c == interrupt:
			emit(Frame{Kind: Interrupt})
		}
	}
}

func (p *Parser) inside(c byte) {
	switch {
	case c == '#':
		p.ended = true
		return
	case c == '$': // a new packet: the one before was cut off
		*p = Parser{in: true, buf: p.buf[:0]}
		return
	}
	p.sum += c
	if len(p.buf) >= MaxPacket {
		p.tooLong = true
		return
	}
	p.buf = append(p.buf, c)
}

func (p *Parser) finish() Frame {
	var want [1]byte
	_, err := hex.Decode(want[:], p.tail)
	good := err == nil && want[0] == p.sum && !p.tooLong
	payload := unescape(p.buf)
	*p = Parser{buf: p.buf[:0]}
	if !good {
		return Frame{Kind: Damaged}
	}
	return Frame{Packet, payload}
}

// unescape resolves } and copies: the parser's own octets are used again.
func unescape(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c == escape && i+1 < len(b) {
			i++
			c = b[i] ^ escapeXor
		}
		out = append(out, c)
	}
	return out
}

// Encode frames a payload: $payload#checksum.
func Encode(payload []byte) []byte {
	out := make([]byte, 0, len(payload)+4)
	out = append(out, '$')
	for _, c := range payload {
		if bytes.IndexByte([]byte("#$}*"), c) >= 0 {
			out = append(out, escape)
			c ^= escapeXor
		}
		out = append(out, c)
	}
	var sum byte
	for _, c := range out[1:] {
		sum += c
	}
	return fmt.Appendf(out, "#%02x", sum)
}

// number takes a hexadecimal number from the front of b.
func number(b []byte) (n uint64, rest []byte, err error) {
	i := 0
	for ; i < len(b); i++ {
		v := bytes.IndexByte([]byte("0123456789abcdef"), lower(b[i]))
		if v < 0 {
			break
		}
		if i == 16 {
			return 0, nil, fmt.Errorf("%w: number of more than 64 bits", ErrPacket)
		}
		n = n<<4 | uint64(v)
	}
	if i == 0 {
		return 0, nil, fmt.Errorf("%w: number expected", ErrPacket)
	}
	return n, b[i:], nil
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'F' {
		return c + 'a' - 'A'
	}
	return c
}

// pair takes "A,B" and, if end is not 0, that octet after it.
func pair(b []byte, end byte) (x, y uint64, rest []byte, err error) {
	if x, rest, err = number(b); err != nil {
		return 0, 0, nil, err
	}
	if len(rest) == 0 || rest[0] != ',' {
		return 0, 0, nil, fmt.Errorf("%w: comma expected", ErrPacket)
	}
	if y, rest, err = number(rest[1:]); err != nil || end == 0 {
		return x, y, rest, err
	}
	if len(rest) == 0 || rest[0] != end {
		return 0, 0, nil, fmt.Errorf("%w: %q expected", ErrPacket, end)
	}
	return x, y, rest[1:], nil
}

package coding

import (
	"fmt"
	"math/bits"

	"github.com/perilune/perilune/ccsds/coding/ldpc"
)

// With an LDPC code a CLTU (CCSDS 231.0-B-4 §5) is
//
//	034776C7272895B0 | codeword … codeword | tail
//
// The frame is filled with alternating bits and encoded, then each codeword is randomised by
// itself, always (issue 3 randomised the frame before it was encoded). Only the code (128,64)
// has a tail, where the mission wants one.
const (
	softStart       = 0x034776C7272895B0
	softStartBits   = 64
	softStartErrors = 10 // noise agrees so far once in 10^7 bits
	softTailErrors  = 32 // of 128
)

// softTail ends a CLTU of (128,64) codewords; it is near none of them.
var softTail = [16]byte{0x55, 0x55, 0x55, 0x56, 0xAA, 0xAA, 0xAA, 0xAA, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55}

// EncodeSoftCLTU appends the CLTU that carries frame in codewords of c, TC64 or TC256, to
// dst. The frame is not changed.
func EncodeSoftCLTU(dst, frame []byte, c *ldpc.Code, tail bool) ([]byte, error) {
	if err := checkCLTU(c, tail); err != nil {
		return dst, err
	}
	dst = append(dst, MarkerLDPC...)
	var block [32]byte
	data := block[:c.DataBits()/8]
	for at := 0; at < len(frame); at += len(data) {
		for i := copy(data, frame[at:]); i < len(data); i++ {
			data[i] = fillOctet
		}
		word := len(dst)
		var err error
		if dst, err = c.Encode(dst, data); err != nil {
			return dst, err
		}
		RandomiseTC(dst[word:])
	}
	if tail {
		dst = append(dst, softTail[:]...)
	}
	return dst, nil
}

func checkCLTU(c *ldpc.Code, tail bool) error {
	if n := c.Name(); n != ldpc.TC64 && n != ldpc.TC256 || tail && n != ldpc.TC64 {
		return fmt.Errorf("CLTU with LDPC code %v, tail %t: not in the book", n, tail)
	}
	return nil
}

// SoftCLTUDecoder finds LDPC-coded CLTUs in a stream of soft bits. A CLTU ends at its tail, at
// the first codeword that does not decode, or when it gets longer than any frame.
type SoftCLTUDecoder struct {
	dec   *ldpc.Decoder
	tail  bool
	soft  []int8
	base  uint64 // position of soft[0]
	next  int    // place in soft: the next bit to look at, or the next codeword
	signs uint64 // of the bits before next
	known int    // how many of them are in signs, up to 64
	found bool
	data  []byte
	again []byte
	plain []int8 // a word without its random sequence
	info  CLTUInfo
	stats CLTUStats
}

// NewSoftCLTUDecoder returns a decoder at the beginning of a stream.
func NewSoftCLTUDecoder(c *ldpc.Code, tail bool, o ldpc.Options) (*SoftCLTUDecoder, error) {
	if err := checkCLTU(c, tail); err != nil {
		return nil, err
	}
	d, err := ldpc.NewDecoder(c, o)
	if err != nil {
		return nil, err
	}
	return &SoftCLTUDecoder{dec: d, tail: tail}, nil
}

// Stats returns the counters so far.
func (d *SoftCLTUDecoder) Stats() CLTUStats { return d.stats }

// Push takes the next soft bits of the stream and calls emit for each CLTU with at least one
// codeword as soon as its end is known. frame holds the octets with the fill
// behind the transfer frame, valid only during the call, which may change them. Info's
// Corrected counts the bits whose sign was wrong. A false start may be emitted too: the
// frame's own checks must refuse it.
func (d *SoftCLTUDecoder) Push(soft []int8, emit func(frame []byte, info CLTUInfo)) {
	d.soft = append(d.soft, soft...)
	for d.step(emit) {
	}
	keep := d.next
	if !d.found {
		keep -= min(keep, softStartBits)
	}
	if keep > len(d.soft)/2 {
		d.soft = append(d.soft[:0], d.soft[keep:]...)
		d.base += uint64(keep)
		d.next -= keep
	}
}

func (d *SoftCLTUDecoder) step(emit func([]byte, CLTUInfo)) bool {
	if !d.found {
		return d.search()
	}
	n := d.dec.Code().Bits()
	if d.next+n > len(d.soft) {
		return false
	}
	word := d.soft[d.next : d.next+n]
	var err error
	switch size := len(d.data); {
	case d.tail && likeTail(word):
		d.info.Ended = EndTail
		d.next += n
	case likeIdle(word):
		d.info.Ended = EndBlock // no need to look for a codeword, which takes longest in vain
	case size+d.dec.Code().DataBits()/8 > MaxCLTUData:
		d.info.Ended = EndLimit
	default:
		d.plain = append(d.plain[:0], word...)
		RandomiseTCSoft(d.plain)
		if d.data, err = d.dec.Decode(d.data, d.plain); err == nil {
			d.info.Corrected += d.wrong(d.data[size:], d.plain)
			d.info.Blocks++
			d.next += n
			return true
		}
		d.info.Ended = EndBlock
	}
	d.finish(emit)
	return true
}

// wrong counts the signs that differ from the codeword of data.
func (d *SoftCLTUDecoder) wrong(data []byte, word []int8) (n int) {
	var err error
	if d.again, err = d.dec.Code().Encode(d.again[:0], data); err != nil {
		return 0
	}
	for i, s := range word {
		n += int(byte(s)>>7 ^ d.again[i/8]>>(7-i%8)&1)
	}
	return n
}

func likeTail(word []int8) bool {
	n := 0
	for i, s := range word {
		n += int(byte(s)>>7 ^ softTail[i/8]>>(7-i%8)&1)
	}
	return n <= softTailErrors
}

// likeIdle reports whether the word is mostly alternating bits, in either phase: what is
// radiated between CLTUs. A randomised codeword is so by chance alone, once in 10^18.
func likeIdle(word []int8) bool {
	n := 0
	for i, s := range word {
		n += int(byte(s)>>7) ^ i&1
	}
	return n <= len(word)/8 || n >= len(word)-len(word)/8
}

// search looks for a start sequence in the signs.
func (d *SoftCLTUDecoder) search() bool {
	for d.next < len(d.soft) {
		d.signs = d.signs<<1 | uint64(byte(d.soft[d.next])>>7)
		d.next++
		if d.known = min(d.known+1, softStartBits); d.known < softStartBits {
			continue
		}
		if bits.OnesCount64(d.signs^softStart) <= softStartErrors {
			d.found, d.data = true, d.data[:0]
			d.info = CLTUInfo{BitOffset: d.base + uint64(d.next) - softStartBits}
			d.stats.Starts++
			return true
		}
	}
	return false
}

// finish emits what is in hand. The search goes on behind the last good codeword, or behind
// the bit that completed the start where there was none.
func (d *SoftCLTUDecoder) finish(emit func([]byte, CLTUInfo)) {
	d.found = false
	if d.info.Blocks == 0 {
		return
	}
	d.signs, d.known = 0, 0
	d.stats.CLTUs++
	d.stats.Blocks += uint64(d.info.Blocks)
	d.stats.Corrected += uint64(d.info.Corrected)
	if d.info.Ended == EndTail {
		d.stats.Tails++
	}
	emit(d.data, d.info)
}

package coding

import (
	"encoding/binary"
	"math/bits"
)

// Parts of a communications link transmission unit (CCSDS 231.0-B-4):
//
//	EB90 | codeblock … codeblock | C5C5C5C5C5C5C579
const (
	startSequence = 0xEB90
	startBits     = 16
	tailSequence  = 0xC5C5C5C5C5C5C579
	blockBits     = 64

	fillOctet = 0x55 // behind the frame, up to the end of the last codeblock

	// A start sequence is taken with one wrong bit, as the book allows with error
	// correction. A block that cannot be corrected is taken for the tail with up to eight
	// wrong bits, one that can with up to two: the nearest codeblock, of octets C5, differs
	// from the tail in four, so even one bit wrong in it leaves the two apart.
	startErrors   = 1
	tailErrors    = 8
	tailErrorsFew = 2
)

// MaxCLTUData is the most octets that a CLTU carries: a frame of 1024 and its fill.
const MaxCLTUData = 147 * codeblockData

// CLTULength returns the octets of the CLTU for a frame of n octets.
func CLTULength(n int) int {
	return 2 + (n+codeblockData-1)/codeblockData*codeblockLength + 8
}

// EncodeCLTU appends the CLTU that carries frame to dst. The last codeblock is filled with
// alternating bits.
func EncodeCLTU(dst, frame []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, startSequence)
	for ; len(frame) >= codeblockData; frame = frame[codeblockData:] {
		dst = appendCodeblock(dst, frame[:codeblockData])
	}
	if len(frame) > 0 {
		last := [codeblockData]byte{fillOctet, fillOctet, fillOctet, fillOctet, fillOctet, fillOctet, fillOctet}
		copy(last[:], frame)
		dst = appendCodeblock(dst, last[:])
	}
	return binary.BigEndian.AppendUint64(dst, tailSequence)
}

// CLTUEnd says why a CLTU ended.
type CLTUEnd uint8

// A CLTU ends where its tail is recognised, at another block that is no codeblock, or when
// it gets longer than any frame.
const (
	EndTail CLTUEnd = iota
	EndBlock
	EndLimit
)

func (e CLTUEnd) String() string {
	return [...]string{EndTail: "tail", EndBlock: "uncorrectable codeblock", EndLimit: "too long"}[min(e, EndLimit)]
}

// CLTUInfo tells where and how a CLTU was received.
type CLTUInfo struct {
	BitOffset uint64  // of its start sequence, in bits since the first bit pushed
	Blocks    int     // codeblocks
	Corrected int     // bits corrected in them
	Ended     CLTUEnd // what followed the last
}

// CLTUStats count what a CLTUDecoder saw.
type CLTUStats struct {
	Starts    uint64 // start sequences, false ones too
	CLTUs     uint64 // emitted
	Tails     uint64 // of those, with a tail
	Blocks    uint64 // codeblocks emitted
	Corrected uint64 // bits corrected in them
}

// CLTUDecoder finds CLTUs in a stream of bits at any alignment. Noise holds a start
// sequence every few thousand bits, and half of all random blocks are correctable, so a
// false start may swallow a true one, its tail too: eight bits before the tail is much that
// looks like it. Therefore only a CLTU that ended in its tail and was taken is left behind,
// and after every other the search goes on at the bit behind its start.
type CLTUDecoder struct {
	bits  bitBuffer
	pos   uint64 // next bit to search a start at, or the start in hand
	found bool   // a start is in hand
	data  []byte
	info  CLTUInfo
	stats CLTUStats
}

// NewCLTUDecoder returns a decoder at the beginning of a stream.
func NewCLTUDecoder() *CLTUDecoder { return &CLTUDecoder{} }

// Stats returns the counters so far.
func (d *CLTUDecoder) Stats() CLTUStats { return d.stats }

// Bits returns how many bits have been pushed.
func (d *CLTUDecoder) Bits() uint64 { return d.bits.end() }

// Push takes the next octets of the stream and calls emit for each CLTU with at least one
// codeblock as soon as its end is known. frame holds the corrected octets with the fill
// behind the transfer frame, valid only during the call, which may change them. What noise
// produces is emitted too: the frame's own checks must refuse it, and emit then returns false.
// Only of a CLTU that is not taken other readings are tried.
func (d *CLTUDecoder) Push(octets []byte, emit func(frame []byte, info CLTUInfo) (taken bool)) {
	d.bits.push(octets)
	for d.step(emit) {
	}
	d.bits.discard(d.pos)
}

// step does one thing, and reports whether there may be more to do with the bits at hand.
func (d *CLTUDecoder) step(emit func([]byte, CLTUInfo) bool) bool {
	if !d.found {
		return d.search()
	}
	at := d.pos + startBits + blockBits*uint64(d.info.Blocks)
	if at+blockBits > d.bits.end() {
		return false
	}
	w := d.bits.word(at)
	fixed, n, ok := bchDecode(w)
	switch {
	case isTail(w, n, ok):
		d.info.Ended = EndTail
	case !ok:
		d.info.Ended = EndBlock
	case len(d.data)+codeblockData > MaxCLTUData:
		d.info.Ended = EndLimit
	default:
		d.add(fixed, n)
		return true
	}
	d.found = false
	if d.finish(emit) && d.info.Ended == EndTail {
		d.pos = at + blockBits
	} else {
		d.pos++
	}
	return true
}

// isTail judges a block by its decoding and by its likeness to the tail.
func isTail(w uint64, corrected int, ok bool) bool {
	wrong := bits.OnesCount64(w ^ tailSequence)
	switch {
	case !ok:
		return wrong <= tailErrors
	case corrected > 0:
		return wrong <= tailErrorsFew
	}
	return false
}

// add puts the octets of one codeblock behind those in hand.
func (d *CLTUDecoder) add(block uint64, corrected int) {
	d.data = binary.BigEndian.AppendUint64(d.data, block)
	d.data = d.data[:len(d.data)-1]
	d.info.Blocks++
	d.info.Corrected += corrected
}

// search looks for a start sequence from pos on.
func (d *CLTUDecoder) search() bool {
	end := d.bits.end()
	for d.pos+startBits <= end {
		w := d.bits.word(d.pos)
		n := min(end-d.pos-startBits+1, blockBits-startBits+1)
		for k := range n {
			if bits.OnesCount16(uint16(w<<k>>48)^startSequence) > startErrors {
				continue
			}
			d.pos += k
			d.found = true
			d.data = d.data[:0]
			d.info = CLTUInfo{BitOffset: d.pos}
			d.stats.Starts++
			return true
		}
		d.pos += n
	}
	return false
}

// finish emits what is in hand, and reports whether it is taken.
func (d *CLTUDecoder) finish(emit func([]byte, CLTUInfo) bool) (taken bool) {
	if d.info.Blocks == 0 {
		return false
	}
	d.stats.CLTUs++
	d.stats.Blocks += uint64(d.info.Blocks)
	d.stats.Corrected += uint64(d.info.Corrected)
	if d.info.Ended == EndTail {
		d.stats.Tails++
	}
	return emit(d.data, d.info)
}

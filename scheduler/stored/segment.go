package stored

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"github.com/perilune/perilune/ccsds/timecode"
)

// segment is one file and what is in it.
type segment struct {
	number         uint64
	size           int64
	packets        int
	oldest, newest timecode.Instant
	damaged        int // places where octets were passed over
}

// record is what is kept of a packet.
type record struct {
	at     timecode.Instant
	packet []byte
}

func (r record) length() int64 { return headerLength + int64(len(r.packet)) }

// encode writes a record: marker, length of the packet u16, instant i64, CRC-32 of both and of the
// packet, packet.
func (r record) encode() []byte {
	b := append(make([]byte, 0, r.length()), marker...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.packet)))
	b = binary.BigEndian.AppendUint64(b, uint64(r.at))
	b = binary.BigEndian.AppendUint32(b, sum(b[len(marker):], r.packet))
	return append(b, r.packet...)
}

var (
	marker     = []byte{0x9E, 0xC0, 0x4D, 0x1B}
	errDamaged = errors.New("damaged record")
)

const (
	offsetSum    = 14
	headerLength = 18
)

// read takes the record at an offset; io.EOF is the end, errDamaged says that there is none.
func read(f io.ReaderAt, offset int64) (record, error) {
	var h [headerLength]byte
	if _, err := f.ReadAt(h[:], offset); err != nil {
		return record{}, err
	}
	if !bytes.HasPrefix(h[:], marker) {
		return record{}, errDamaged
	}
	r := record{
		at:     timecode.Instant(binary.BigEndian.Uint64(h[6:])),
		packet: make([]byte, binary.BigEndian.Uint16(h[4:])),
	}
	switch _, err := f.ReadAt(r.packet, offset+headerLength); {
	case errors.Is(err, io.EOF): // its length may be what is wrong
		return record{}, errDamaged
	case err != nil:
		return record{}, err
	}
	if binary.BigEndian.Uint32(h[offsetSum:]) != sum(h[len(marker):offsetSum], r.packet) {
		return record{}, errDamaged
	}
	return r, nil
}

// next takes the first record at or behind an offset and before end, and says where it is.
func next(f io.ReaderAt, offset, end int64) (int64, record, error) {
	r, err := read(f, offset)
	if !errors.Is(err, errDamaged) || offset >= end {
		return offset, r, err
	}
	rest := make([]byte, end-offset)
	n, err := f.ReadAt(rest, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return offset, record{}, err
	}
	rest = rest[:n]
	for at := 1; ; at++ {
		i := bytes.Index(rest[min(at, n):], marker)
		if i < 0 {
			return offset, record{}, io.EOF
		}
		at += i
		if r, err := read(bytes.NewReader(rest), int64(at)); err == nil {
			return offset + int64(at), r, nil
		}
	}
}

// scan counts the records of a segment. Behind the last one is nothing that matters.
func scan(f io.ReaderAt, number uint64, end int64) segment {
	g := segment{number: number}
	for g.size < end {
		at, r, err := next(f, g.size, end)
		if err != nil {
			break
		}
		if at > g.size {
			g.damaged++
			g.size = at
		}
		g.add(r)
	}
	if g.size < end {
		g.damaged++
	}
	return g
}

func (g *segment) add(r record) {
	if g.packets == 0 || r.at < g.oldest {
		g.oldest = r.at
	}
	if g.packets == 0 || r.at > g.newest {
		g.newest = r.at
	}
	g.packets++
	g.size += r.length()
}

func sum(head, packet []byte) uint32 {
	return crc32.Update(crc32.ChecksumIEEE(head), crc32.IEEETable, packet)
}

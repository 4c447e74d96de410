package stored

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"

	"github.com/perilune/perilune/ccsds/timecode"
)

// segment is one file and what is in it.
type segment struct {
	number         uint64
	size           int64
	packets        int
	oldest, newest timecode.Instant
}

// scan counts the records of a segment and cuts off what is none.
func (s *Store) scan(n uint64) (segment, error) {
	g := segment{number: n}
	f, err := os.OpenFile(s.path(n), os.O_RDWR, 0)
	if err != nil {
		return g, err
	}
	defer f.Close()
	for {
		at, packet, err := read(f, g.size)
		if err != nil {
			break
		}
		g.add(at, len(packet))
	}
	return g, f.Truncate(g.size)
}

func (g *segment) add(at timecode.Instant, length int) {
	if g.packets == 0 || at < g.oldest {
		g.oldest = at
	}
	if g.packets == 0 || at > g.newest {
		g.newest = at
	}
	g.packets++
	g.size += headerLength + int64(length)
}

// read takes the record at an offset; io.EOF is the end.
func read(f io.ReaderAt, offset int64) (timecode.Instant, []byte, error) {
	var h [headerLength]byte
	if _, err := f.ReadAt(h[:], offset); err != nil {
		return 0, nil, err
	}
	packet := make([]byte, binary.BigEndian.Uint16(h[:]))
	if _, err := f.ReadAt(packet, offset+headerLength); err != nil {
		return 0, nil, err
	}
	if binary.BigEndian.Uint32(h[10:]) != sum(h[2:10], packet) {
		return 0, nil, errors.New("damaged record")
	}
	return timecode.Instant(binary.BigEndian.Uint64(h[2:])), packet, nil
}

func sum(at, packet []byte) uint32 {
	return crc32.Update(crc32.ChecksumIEEE(at), crc32.IEEETable, packet)
}

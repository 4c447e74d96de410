package snapshot

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/perilune/perilune/hvt"
)

// Memory is guest memory by address: all of [0, Mapped), and of the extension
// memory.
type Memory interface {
	ReadMemory(gpa uint64, b []byte) error
}

// chunk is how much memory is looked at in one go, in octets.
const chunk = 64 * pageSize

// MaxSize is more than a snapshot of so much memory has, both in octets: no run
// is shorter than a page.
func MaxSize(memory uint64) uint64 {
	return prologue + maxHeader + memory + (memory/pageSize+1)*16 + digestSize
}

// Write writes a snapshot. It does not sync the file.
func Write(w io.Writer, h *Header, mem Memory) error {
	if err := h.check(); err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	header := h.encode()
	if len(header) > maxHeader {
		return fmt.Errorf("write snapshot: header of %d octets, at most %d", len(header), maxHeader)
	}
	sum := sha256.New()
	out := bufio.NewWriterSize(io.MultiWriter(w, sum), 1<<20)
	head := append([]byte(magic), 0, 0, 0, 0, 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(head[8:], Version)
	binary.LittleEndian.PutUint32(head[12:], uint32(len(header)))
	digest := sha256.Sum256(header)
	// Errors of out stay in it until Flush.
	_, _ = out.Write(append(append(head, digest[:]...), header...))
	for _, r := range [...]struct{ at, size uint64 }{{0, h.Mapped}, {hvt.ExtensionBase, h.Extension}} {
		if err := writeRange(out, mem, r.at, r.size); err != nil {
			return fmt.Errorf("write snapshot: %w", err)
		}
	}
	_, _ = out.Write(make([]byte, 16))
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	if _, err := w.Write(sum.Sum(nil)); err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	return nil
}

func writeRange(out *bufio.Writer, mem Memory, at, size uint64) error {
	b, zero := make([]byte, chunk), make([]byte, pageSize)
	for end := at + size; at < end; at += chunk {
		b = b[:min(chunk, end-at)]
		if err := mem.ReadMemory(at, b); err != nil {
			return err
		}
		for i := 0; i < len(b); {
			n := 0
			for i+n < len(b) && !bytes.Equal(b[i+n:i+n+pageSize], zero) {
				n += pageSize
			}
			if n == 0 {
				i += pageSize
				continue
			}
			var run [16]byte
			binary.LittleEndian.PutUint64(run[:], at+uint64(i))
			binary.LittleEndian.PutUint64(run[8:], uint64(n))
			_, _ = out.Write(run[:])
			if _, err := out.Write(b[i : i+n]); err != nil {
				return err
			}
			i += n
		}
	}
	return nil
}

// Reader reads a snapshot: the header first, then the memory.
type Reader struct {
	Header *Header
	in     io.Reader
	sum    hash.Hash
	octets uint64 // read
}

// NewReader reads and checks the header.
func NewReader(r io.Reader) (*Reader, error) {
	f := &Reader{sum: sha256.New()}
	f.in = io.TeeReader(bufio.NewReaderSize(r, 1<<20), f.sum)
	var head [prologue]byte
	if err := f.read(head[:]); err != nil {
		return nil, err
	}
	if string(head[:8]) != magic {
		return nil, ErrNotOne
	}
	if v := binary.LittleEndian.Uint32(head[8:]); v != Version {
		return nil, fmt.Errorf("%w: %d, this tender reads %d", ErrVersion, v, Version)
	}
	n := binary.LittleEndian.Uint32(head[12:])
	if n > maxHeader {
		return nil, fmt.Errorf("%w: a header of %d octets", ErrCorrupt, n)
	}
	header := make([]byte, n)
	if err := f.read(header); err != nil {
		return nil, err
	}
	if sha256.Sum256(header) != [digestSize]byte(head[16:]) {
		return nil, fmt.Errorf("%w: its header does not have its digest", ErrCorrupt)
	}
	var err error
	f.Header, err = decodeHeader(header)
	return f, err
}

// Memory copies the pages to where place says, which gives the octets at an
// address of the header's memory. What is there is zero before. Nothing may
// run before Memory has returned nil: only then is the digest known to fit.
func (f *Reader) Memory(place func(gpa, n uint64) []byte) error {
	var run [16]byte
	for {
		if err := f.read(run[:]); err != nil {
			return err
		}
		at, n := binary.LittleEndian.Uint64(run[:]), binary.LittleEndian.Uint64(run[8:])
		if n == 0 && at == 0 {
			break
		}
		if !f.Header.holds(at, n) {
			return fmt.Errorf("%w: %d octets at %#x", ErrCorrupt, n, at)
		}
		if err := f.read(place(at, n)); err != nil {
			return err
		}
	}
	want := f.sum.Sum(nil)
	var got [digestSize]byte
	if err := f.read(got[:]); err != nil {
		return err
	}
	if !bytes.Equal(got[:], want) {
		return fmt.Errorf("%w: it does not have its digest", ErrCorrupt)
	}
	return nil
}

// Check reads a whole snapshot, to know that it is one, and returns its length in octets. What
// lies behind it is not looked at.
func Check(r io.Reader) (octets uint64, err error) {
	f, err := NewReader(r)
	if err != nil {
		return 0, err
	}
	page := make([]byte, chunk)
	err = f.Memory(func(_, n uint64) []byte { return page[:n] })
	return f.octets, err
}

// holds says whether a run lies inside the memory, on pages.
func (h *Header) holds(at, n uint64) bool {
	if n == 0 || n > chunk || (at|n)%pageSize != 0 {
		return false
	}
	if at >= hvt.ExtensionBase {
		at -= hvt.ExtensionBase
		return at < h.Extension && n <= h.Extension-at
	}
	return at < h.Mapped && n <= h.Mapped-at
}

func (f *Reader) read(b []byte) error {
	n, err := io.ReadFull(f.in, b)
	f.octets += uint64(n)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrTruncated
	}
	return err
}

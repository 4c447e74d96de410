// Package core writes a guest's state as an ELF core file that gdb opens
// beside the guest's executable: registers as notes, memory from address 0.
package core

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/regs"
)

// PageSize is the unit in which memory is written or left out, in octets.
const PageSize = 4096

const (
	ehdrSize     = 64
	phdrSize     = 56
	noteOwner    = "CORE\x00\x00\x00\x00"
	ntPRStatus   = 1
	ntFPRegset   = 2
	osStandalone = 255

	class64      = 2
	littleEndian = 1
	elfVersion   = 1
	typeCore     = 4
	segmentLoad  = 1
	segmentNote  = 4
	flagsAll     = 7 // read, write, execute
)

// Header is all of the file before the memory: ELF header, program headers
// and notes, those of each processor as a thread's; gdb shows the first one
// first. memory is the guest's in octets.
func Header(processors []regs.Values, memory uint64) ([]byte, error) {
	le := binary.LittleEndian
	var machine hvt.Machine
	var notes []byte
	for i, v := range processors {
		var status, vectors []byte
		switch v.Layout {
		case regs.AMD64:
			machine, status, vectors = hvt.MachineAMD64, amd64Status(v), amd64Vectors(v)
		case regs.ARM64:
			machine, status, vectors = hvt.MachineARM64, arm64Status(v), arm64Vectors(v)
		default:
			return nil, fmt.Errorf("no core files for %s", v.Architecture)
		}
		le.PutUint32(status[statusPID:], uint32(i+1))
		notes = append(append(notes, note(ntPRStatus, status)...), note(ntFPRegset, vectors)...)
	}
	b := make([]byte, ehdrSize+2*phdrSize)
	copy(b, "\x7fELF")
	b[4], b[5], b[6], b[7] = class64, littleEndian, elfVersion, osStandalone
	le.PutUint16(b[16:], typeCore)
	le.PutUint16(b[18:], uint16(machine))
	le.PutUint32(b[20:], elfVersion)
	le.PutUint64(b[32:], ehdrSize) // e_phoff
	le.PutUint16(b[52:], ehdrSize)
	le.PutUint16(b[54:], phdrSize)
	le.PutUint16(b[56:], 2)
	at := uint64(len(b))
	// The memory starts on a page of the file, so that holes can be holes.
	start := (at + uint64(len(notes)) + PageSize - 1) &^ (PageSize - 1)
	phdr(b[ehdrSize:], segmentNote, 0, at, uint64(len(notes)), 4)
	phdr(b[ehdrSize+phdrSize:], segmentLoad, flagsAll, start, memory, PageSize)
	b = append(b, notes...)
	return append(b, make([]byte, start-uint64(len(b)))...), nil
}

func phdr(b []byte, typ, flags uint32, off, size, align uint64) {
	le := binary.LittleEndian
	le.PutUint32(b, typ)
	le.PutUint32(b[4:], flags)
	for i, v := range [...]uint64{off, 0, 0, size, size, align} {
		le.PutUint64(b[8+8*i:], v)
	}
}

func note(typ uint32, desc []byte) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, 5) // "CORE" and its zero
	b = le.AppendUint32(b, uint32(len(desc)))
	b = le.AppendUint32(b, typ)
	b = append(b, noteOwner...)
	b = append(b, desc...)
	return append(b, make([]byte, -len(desc)&3)...)
}

// Memory is the guest's memory: a page at an address.
type Memory interface {
	ReadMemory(addr uint64, b []byte) error
}

// Write makes the file. Pages of zeroes become holes. It returns how many
// pages were written.
func Write(f *os.File, processors []regs.Values, mem Memory, size uint64) (pages int, err error) {
	head, err := Header(processors, size)
	if err != nil {
		return 0, err
	}
	if _, err := f.Write(head); err != nil {
		return 0, fmt.Errorf("Error writing ELF headers: %w", err) //nolint:revive // the reference's words
	}
	var zero, page [PageSize]byte
	hole := false
	for at := uint64(0); at < size; at += PageSize {
		if err := mem.ReadMemory(at, page[:]); err != nil {
			return pages, err
		}
		if hole = bytes.Equal(page[:], zero[:]); hole {
			_, err = f.Seek(PageSize, io.SeekCurrent)
		} else if _, err = f.Write(page[:]); err == nil {
			pages++
		}
		if err != nil {
			return pages, fmt.Errorf("Error dumping guest memory page %d: %w", at/PageSize, err) //nolint:revive // the reference's words
		}
	}
	if hole { // the last page must be there for the file to be long enough
		if _, err := f.WriteAt(zero[:1], int64(uint64(len(head))+size-1)); err != nil {
			return pages, fmt.Errorf("Error dumping the last page of memory: %w", err) //nolint:revive // as above
		}
	}
	return pages, nil
}

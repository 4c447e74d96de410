// Package hvttest makes small executables for tests: an ELF file with Solo5's
// notes around given octets, so that tests need no compiler.
package hvttest

import (
	"debug/elf"
	"encoding/binary"

	"github.com/perilune/perilune/hvt"
)

// Segment is one PT_LOAD.
type Segment struct {
	Vaddr  uint64
	Data   []byte
	Memsz  uint64 // 0: len(Data)
	Flags  elf.ProgFlag
	Align  uint64 // 0: one page
	Offset uint64 // in the file; 0: chosen
}

// Spec says what goes into the file; the zero value of a field means the
// right one.
type Spec struct {
	Machine  elf.Machine
	Entry    uint64
	ABI      []byte // content of the ABI note
	Manifest []byte // descriptor of the manifest note
	Segments []Segment
	NoABI    bool
	NoMFT    bool
}

// Program is an executable of the machine whose code starts at hvt.MinBase.
func Program(m elf.Machine, code []byte, devices ...hvt.Entry) []byte {
	desc, err := hvt.Manifest{Entries: devices}.MarshalBinary()
	if err != nil {
		panic(err) // a test's own mistake
	}
	return ELF(Spec{Machine: m, Manifest: desc, Segments: []Segment{
		{Vaddr: hvt.MinBase, Data: code, Flags: elf.PF_R | elf.PF_X}}})
}

// ELF lays the file out: header, program headers, notes, segments.
func ELF(s Spec) []byte {
	le := binary.LittleEndian
	if s.Machine == 0 {
		s.Machine = elf.EM_X86_64
	}
	if s.Entry == 0 {
		s.Entry = hvt.MinBase
	}
	if s.ABI == nil {
		s.ABI = make([]byte, 16)
		le.PutUint32(s.ABI, hvt.ABITarget)
		le.PutUint32(s.ABI[4:], hvt.ABIVersion)
	}
	if s.Manifest == nil {
		s.Manifest, _ = hvt.Manifest{}.MarshalBinary()
	}
	var notes [][]byte
	if !s.NoABI {
		notes = append(notes, note(hvt.NoteTypeABI, s.ABI))
	}
	if !s.NoMFT {
		notes = append(notes, note(hvt.NoteTypeMFT, s.Manifest))
	}
	count := len(notes) + len(s.Segments)
	file := make([]byte, 64+56*count)
	header(file, s, count)
	at := 64
	put := func(typ elf.ProgType, flags elf.ProgFlag, off, vaddr, filesz, memsz, align uint64) {
		p := file[at:]
		le.PutUint32(p, uint32(typ))
		le.PutUint32(p[4:], uint32(flags))
		for i, v := range [...]uint64{off, vaddr, vaddr, filesz, memsz, align} {
			le.PutUint64(p[8+8*i:], v)
		}
		at += 56
	}
	for _, n := range notes {
		for len(file)%8 != 0 {
			file = append(file, 0)
		}
		put(elf.PT_NOTE, elf.PF_R, uint64(len(file)), 0, uint64(len(n)), uint64(len(n)), 4)
		file = append(file, n...)
	}
	for _, g := range s.Segments {
		off := g.Offset
		if off == 0 {
			off = uint64(len(file))
		}
		put(elf.PT_LOAD, g.Flags, off, g.Vaddr, uint64(len(g.Data)),
			max(g.Memsz, uint64(len(g.Data))), max(g.Align, hvt.PageSize))
		if g.Offset == 0 {
			file = append(file, g.Data...)
		}
	}
	return file
}

func header(file []byte, s Spec, count int) {
	le := binary.LittleEndian
	copy(file, "\x7fELF\x02\x01\x01")
	le.PutUint16(file[16:], uint16(elf.ET_EXEC))
	le.PutUint16(file[18:], uint16(s.Machine))
	le.PutUint32(file[20:], 1)
	le.PutUint64(file[24:], s.Entry)
	le.PutUint64(file[32:], 64)
	le.PutUint16(file[52:], 64)
	le.PutUint16(file[54:], 56)
	le.PutUint16(file[56:], uint16(count))
}

func note(typ uint32, desc []byte) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, 6)
	b = le.AppendUint32(b, uint32(len(desc)))
	b = le.AppendUint32(b, typ)
	b = append(b, "Solo5\x00\x00\x00"...)
	return append(b, desc...)
}

package hvt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Sentinels that an *ImageError may wrap.
var (
	ErrNotSolo5    = errors.New("no Solo5 note")
	ErrWrongTarget = errors.New("wrong target or machine")
	ErrTruncated   = errors.New("file is shorter than it says")
)

// ImageError says what is wrong with an executable. Its text is what Solo5's
// tender prints after the file's name.
type ImageError struct {
	Text string
	Err  error // a sentinel, or nil
}

func (e *ImageError) Error() string { return e.Text }
func (e *ImageError) Unwrap() error { return e.Err }

func badImage(format string, a ...any) error {
	return &ImageError{Text: fmt.Sprintf("invalid executable: "+format, a...)}
}

// ABI is the content of the ABI1 note.
type ABI struct{ Target, Version uint32 }

// Segment is one part of the program to load. File octets go to
// [Vaddr, Vaddr+Filesz), zeroes up to Vaddr+Memsz; protection holds for whole
// pages, [Start, End).
type Segment struct {
	Index                 int // in the program header table
	Offset, Filesz        uint64
	Vaddr, Memsz          uint64
	Start, End            uint64
	Read, Write, Executes bool
}

// Image is an executable that passed every check.
type Image struct {
	ABI      ABI
	Manifest Manifest
	Machine  Machine
	Entry    uint64
	End      uint64 // first octet above the program
	Segments []Segment

	headers []header
	scratch [ehdrSize]byte // for what is read on the way
}

const (
	ehdrSize = 64
	phdrSize = 56
)

// header is an Elf64_Phdr.
type header struct {
	typ, flags                          uint32
	offset, vaddr, filesz, memsz, align uint64
}

// ReadImage checks an executable as the tender will, except for what depends
// on the guest's memory size (Image.Layout does that). It must be for one of the machines,
// if any is named.
func ReadImage(r io.ReaderAt, size int64, machines ...Machine) (*Image, error) {
	im, err := ReadNotes(r, size, machines...)
	if err != nil {
		return nil, err
	}
	if err := im.Layout(MaxMemory); err != nil {
		return nil, err
	}
	for _, s := range im.Segments {
		if s.Offset+s.Filesz < s.Offset || s.Offset+s.Filesz > uint64(max(size, 0)) {
			return nil, &ImageError{Err: ErrTruncated, Text: fmt.Sprintf(
				"invalid executable: phdr[%d] host file segment mismatched (%d octets at %d in a file of %d)",
				s.Index, s.Filesz, s.Offset, size)}
		}
	}
	return im, nil
}

// ReadNotes checks the ELF header and both notes: all that must be known of
// an executable before its devices and memory are chosen. Segments stay
// empty until Layout. An executable that is for none of the machines is refused for its
// header, whatever its notes are, if any machine is named.
func ReadNotes(r io.ReaderAt, size int64, machines ...Machine) (*Image, error) {
	if len(machines) == 0 {
		machines = []Machine{MachineAMD64, MachineARM64}
	}
	im := &Image{}
	if err := im.readHeaders(r, size, machines); err != nil {
		return nil, err
	}
	abi, err := im.note(r, NoteTypeABI, abiNoteAlign, 32)
	if err != nil {
		return nil, err
	}
	if abi == nil {
		return nil, &ImageError{Text: "No Solo5 ABI information found in executable", Err: ErrNotSolo5}
	}
	if len(abi) < 16 {
		return nil, badImage("ABI note of %d octets, want 16", len(abi))
	}
	im.ABI = ABI{binary.LittleEndian.Uint32(abi), binary.LittleEndian.Uint32(abi[4:])}
	if im.ABI.Target != ABITarget {
		return nil, &ImageError{Text: "Executable is not for the solo5-hvt target", Err: ErrWrongTarget}
	}
	if im.ABI.Version < ABIOldest || im.ABI.Version > ABIVersion {
		return nil, &ImageError{Err: ErrWrongTarget,
			Text: fmt.Sprintf("Executable requests unsupported ABI version %d", im.ABI.Version)}
	}
	maxDesc := manifestPad + manifestHeaderSize + MaxEntries*entrySize
	mft, err := im.note(r, NoteTypeMFT, mftNoteAlign, maxDesc)
	if err != nil {
		return nil, err
	}
	if mft == nil {
		return nil, &ImageError{Text: "No Solo5 manifest found in executable", Err: ErrNotSolo5}
	}
	if im.Manifest, err = ParseManifest(append(make([]byte, manifestPad), mft...)); err != nil {
		return nil, &ImageError{Text: "Solo5 manifest is invalid", Err: err}
	}
	return im, nil
}

func (im *Image) readHeaders(r io.ReaderAt, size int64, machines []Machine) error {
	if size < ehdrSize {
		return &ImageError{Err: ErrTruncated, Text: fmt.Sprintf(
			"invalid executable: elf header does not match the expected size (%d != %d)", max(size, 0), ehdrSize)}
	}
	h := im.scratch[:]
	if err := readAt(r, h, 0); err != nil {
		return fmt.Errorf("read elf header: %w", err)
	}
	le := binary.LittleEndian
	im.Machine = Machine(le.Uint16(h[18:]))
	im.Entry = le.Uint64(h[24:])
	phoff, count := le.Uint64(h[32:]), le.Uint16(h[56:])
	ok := string(h[:4]) == elfMagic && h[4] == elfClass64 && h[5] == elfLittle &&
		le.Uint32(h[20:]) == elfVersion && le.Uint16(h[52:]) == ehdrSize &&
		count >= 1 && le.Uint16(h[54:]) == phdrSize &&
		le.Uint16(h[16:]) == elfExec &&
		slices.Contains(machines, im.Machine)
	if !ok {
		return &ImageError{Err: ErrWrongTarget,
			Text: "invalid executable: invalid or unsupported executable (elf header invalid while loading note)"}
	}
	n := uint64(count) * phdrSize
	if phoff > uint64(size) || n > uint64(size)-phoff {
		return &ImageError{Err: ErrTruncated, Text: fmt.Sprintf(
			"invalid executable: program header does not match the expected size (%d octets at %d while loading note)", n, phoff)}
	}
	b := make([]byte, n)
	if err := readAt(r, b, phoff); err != nil {
		return fmt.Errorf("read program headers: %w", err)
	}
	im.headers = make([]header, 0, count)
	for ; len(b) > 0; b = b[phdrSize:] {
		im.headers = append(im.headers, header{
			typ: le.Uint32(b), flags: le.Uint32(b[4:]), offset: le.Uint64(b[8:]), vaddr: le.Uint64(b[16:]),
			filesz: le.Uint64(b[32:]), memsz: le.Uint64(b[40:]), align: le.Uint64(b[48:]),
		})
	}
	return nil
}

// note returns the aligned content of Solo5's note of the type, nil if there
// is none. Only the first note of a PT_NOTE segment counts, as in Solo5.
func (im *Image) note(r io.ReaderAt, typ uint32, align, maxDesc int) ([]byte, error) {
	for i, h := range im.headers {
		if h.typ != segmentNote {
			continue
		}
		if h.filesz < 12 {
			return nil, badImage("phdr[%d].p_filesz note does not fall within valid size (%d < 12)", i, h.filesz)
		}
		if h.filesz < noteHeader {
			continue
		}
		nh := im.scratch[:noteHeader]
		if err := readAt(r, nh, h.offset); err != nil {
			return nil, &ImageError{Err: ErrTruncated,
				Text: fmt.Sprintf("phdr[%d] bytes read mismatches note size: %v", i, err)}
		}
		le := binary.LittleEndian
		if le.Uint32(nh) != uint32(len(NoteName)+1) || string(nh[12:18]) != NoteName+"\x00" || le.Uint32(nh[8:]) != typ {
			continue
		}
		desc := le.Uint32(nh[4:])
		if desc < 1 || desc > uint32(maxDesc) {
			return nil, badImage("phdr[%d] note does not fall within valid size (%d < 1 || %d > %d)", i, desc, desc, maxDesc)
		}
		if h.filesz < noteHeader+uint64(desc) {
			return nil, badImage("phdr[%d] note does not fall within valid size (%d < %d)", i, h.filesz, noteHeader+uint64(desc))
		}
		start := (noteHeader + align - 1) &^ (align - 1)
		pad := start - noteHeader
		if int(desc) <= pad {
			return nil, badImage("phdr[%d] note does not fall within valid size (%d <= %d)", i, desc, pad)
		}
		b := make([]byte, int(desc)-pad)
		if err := readAt(r, b, h.offset+uint64(start)); err != nil {
			return nil, &ImageError{Err: ErrTruncated,
				Text: fmt.Sprintf("phdr[%d] bytes read mismatches note size: %v", i, err)}
		}
		return b, nil
	}
	return nil, nil
}

// readAt reads all of b from a 64-bit offset that the file itself names.
func readAt(r io.ReaderAt, b []byte, off uint64) error {
	if off > 1<<62 {
		return io.ErrUnexpectedEOF
	}
	n, err := r.ReadAt(b, int64(off))
	if n == len(b) {
		return nil // a reader may say EOF along with the last octet
	}
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

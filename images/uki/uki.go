// Package uki makes a unified kernel image: systemd's EFI stub with the
// kernel, its command line and the initramfs appended as PE sections, so that
// one file boots and one signature covers all of it.
package uki

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
)

// Stub is where Debian's package systemd-boot-efi puts the EFI stub.
var Stub = map[string]string{
	"amd64": "/usr/lib/systemd/boot/efi/linuxx64.efi.stub",
	"arm64": "/usr/lib/systemd/boot/efi/linuxaa64.efi.stub",
}

// ErrStub says that a file is not a stub to which sections can be added.
var ErrStub = errors.New("not a usable EFI stub")

// Spec says what goes into the image: paths of files, and texts.
type Spec struct {
	Stub, Kernel, Initrd string
	Cmdline              string
	OSRelease            string // in the form of os-release(5); the loader shows and sorts by it
}

// Build returns the image. Equal input gives equal output.
func Build(s Spec) ([]byte, error) {
	stub, err := os.ReadFile(s.Stub)
	if err != nil {
		return nil, fmt.Errorf("uki: %w", err)
	}
	kernel, err := os.ReadFile(s.Kernel)
	if err != nil {
		return nil, fmt.Errorf("uki: %w", err)
	}
	initrd, err := os.ReadFile(s.Initrd)
	if err != nil {
		return nil, fmt.Errorf("uki: %w", err)
	}
	// The kernel comes last: it decompresses over what lies behind it.
	b, err := appendSections(stub, []section{
		{".osrel", []byte(s.OSRelease)},
		{".cmdline", []byte(s.Cmdline + "\x00")},
		{".initrd", initrd},
		{".linux", kernel},
	})
	if err != nil {
		return nil, fmt.Errorf("uki: %s: %w", s.Stub, err)
	}
	return b, nil
}

type section struct {
	name string
	data []byte
}

// Offsets in the PE headers (Microsoft's "PE Format", COFF file header and
// optional header): both PE32+ and PE32 have the fields used here in the same
// place.
const (
	peOffset       = 0x3c // in the DOS header: where the PE signature is
	numberOfSect   = 6    // from the signature
	optionalHeader = 24
	sizeOfInitData = optionalHeader + 8
	sizeOfImage    = optionalHeader + 56
	checkSum       = optionalHeader + 64
	sectionHeader  = 40 // octets of one header
	initialisedR   = pe.IMAGE_SCN_CNT_INITIALIZED_DATA | pe.IMAGE_SCN_MEM_READ
)

func appendSections(stub []byte, add []section) ([]byte, error) {
	l, err := readLayout(stub)
	if err != nil {
		return nil, err
	}
	if l.tableEnd+len(add)*sectionHeader > l.headers {
		return nil, fmt.Errorf("%w: no room for %d more section headers", ErrStub, len(add))
	}
	total := len(stub)
	for _, s := range add {
		total += len(s.data) + int(l.fileAlign)
	}
	out := append(make([]byte, 0, total+int(l.fileAlign)), stub...)
	out = pad(out, l.fileAlign)
	address, initialised := l.nextAddress, binary.LittleEndian.Uint32(stub[l.pe+sizeOfInitData:])
	for i, s := range add {
		if uint64(address)+uint64(len(s.data))+uint64(l.sectAlign) > 1<<31 {
			return nil, fmt.Errorf("section %s: image grows beyond 2 GiB", s.name)
		}
		h := out[l.tableEnd+i*sectionHeader:][:sectionHeader]
		raw := align(uint32(len(s.data)), l.fileAlign)
		copy(h[:8], s.name)
		binary.LittleEndian.PutUint32(h[8:], uint32(len(s.data))) // virtual size
		binary.LittleEndian.PutUint32(h[12:], address)
		binary.LittleEndian.PutUint32(h[16:], raw)
		binary.LittleEndian.PutUint32(h[20:], uint32(len(out)))
		clear(h[24:36]) // no relocations, no line numbers
		binary.LittleEndian.PutUint32(h[36:], initialisedR)
		out = pad(append(out, s.data...), l.fileAlign)
		address = align(address+uint32(len(s.data)), l.sectAlign)
		initialised += raw
	}
	binary.LittleEndian.PutUint16(out[l.pe+numberOfSect:], uint16(l.sections+len(add)))
	binary.LittleEndian.PutUint32(out[l.pe+sizeOfInitData:], initialised)
	binary.LittleEndian.PutUint32(out[l.pe+sizeOfImage:], address)
	binary.LittleEndian.PutUint32(out[l.pe+checkSum:], 0) // nobody checks it for programs
	return out, nil
}

// layout is what has to be known of the stub to add to it.
type layout struct {
	pe                   int // offset of the PE signature
	sections             int
	tableEnd             int // offset behind the last section header
	headers              int // octets reserved for all headers
	fileAlign, sectAlign uint32
	nextAddress          uint32 // first free virtual address
}

func readLayout(stub []byte) (layout, error) {
	if !bytes.HasPrefix(stub, []byte("MZ")) { // package pe takes an object file too
		return layout{}, fmt.Errorf("%w: no DOS header", ErrStub)
	}
	f, err := pe.NewFile(bytes.NewReader(stub))
	if err != nil {
		return layout{}, fmt.Errorf("%w: %w", ErrStub, err)
	}
	oh, ok := f.OptionalHeader.(*pe.OptionalHeader64)
	if !ok {
		return layout{}, fmt.Errorf("%w: not PE32+", ErrStub)
	}
	l := layout{
		pe:       int(binary.LittleEndian.Uint32(stub[peOffset:])),
		sections: len(f.Sections), headers: int(oh.SizeOfHeaders),
		fileAlign: oh.FileAlignment, sectAlign: oh.SectionAlignment,
	}
	l.tableEnd = l.pe + optionalHeader + int(f.SizeOfOptionalHeader) + l.sections*sectionHeader
	if !powerOfTwo(l.fileAlign) || !powerOfTwo(l.sectAlign) || l.headers > len(stub) {
		return layout{}, fmt.Errorf("%w: alignment %d and %d, headers of %d octets", ErrStub, l.fileAlign, l.sectAlign, l.headers)
	}
	for _, s := range f.Sections {
		end := align(s.VirtualAddress+max(s.VirtualSize, s.Size), l.sectAlign)
		l.nextAddress = max(l.nextAddress, end)
		if s.Size > 0 && int(s.Offset) < l.headers {
			l.headers = int(s.Offset)
		}
	}
	return l, nil
}

func powerOfTwo(v uint32) bool { return v != 0 && v&(v-1) == 0 && v <= 1<<20 }

func align(v, a uint32) uint32 { return (v + a - 1) &^ (a - 1) }

func pad(b []byte, a uint32) []byte {
	return append(b, make([]byte, int(align(uint32(len(b)), a))-len(b))...)
}

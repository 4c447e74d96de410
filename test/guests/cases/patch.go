package cases

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

const (
	ehdrSize = 64
	phdrSize = 56
	phoffAt  = 32
	phnumAt  = 56
	pageSize = 0x1000
)

// program is a linked guest whose program headers can be changed.
type program struct {
	file    []byte
	headers []elf.Prog64
}

// Patches are changes that make of a well-formed guest one of the odd ones
// that real toolchains have made.
var Patches = map[string]func(p *program) error{
	// A PT_LOAD of nothing at address 0, as some linkers leave one.
	"load-nothing-at-0": func(p *program) error {
		p.add(elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R), Align: pageSize})
		return nil
	},
	// Code that can only be executed.
	"load-execute-only": func(p *program) error {
		return p.each(elf.PT_LOAD, func(h *elf.Prog64) bool {
			if h.Flags&uint32(elf.PF_X) == 0 {
				return false
			}
			h.Flags = uint32(elf.PF_X)
			return true
		})
	},
	// Code that can be written too.
	"load-write-execute": func(p *program) error {
		return p.each(elf.PT_LOAD, func(h *elf.Prog64) bool {
			h.Flags |= uint32(elf.PF_W)
			return h.Flags&uint32(elf.PF_X) != 0
		})
	},
	// Zeroes in a segment of their own, without octets in the file.
	"load-zeroes": func(p *program) error {
		end := p.end()
		p.add(elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_W), Vaddr: end, Paddr: end, Memsz: 0x12345, Align: pageSize})
		return nil
	},
	// What Solo5 writes so that no system runs the file by itself.
	"interp-bogus": func(p *program) error {
		at := uint64(len(p.file))
		p.file = append(p.file, "/nonexistent/solo5/\x00\x00\x00\x00\x00"...)
		p.add(elf.Prog64{Type: uint32(elf.PT_INTERP), Flags: uint32(elf.PF_R), Off: at, Filesz: 24, Memsz: 24, Align: 8})
		return nil
	},
	"interp-empty": func(p *program) error {
		p.add(elf.Prog64{Type: uint32(elf.PT_INTERP), Align: 1})
		return nil
	},
	"tls-empty": func(p *program) error {
		p.add(elf.Prog64{Type: uint32(elf.PT_TLS), Flags: uint32(elf.PF_R), Vaddr: p.end(), Align: 1})
		return nil
	},
	"stack-header": func(p *program) error {
		p.add(elf.Prog64{Type: uint32(elf.PT_GNU_STACK), Flags: uint32(elf.PF_R | elf.PF_W), Align: 16})
		return nil
	},
	// Another system's note before Solo5's, as 0.6.5 to head have it.
	"note-foreign-first": func(p *program) error {
		at := uint64(len(p.file))
		p.file = append(p.file, "\x08\x00\x00\x00\x04\x00\x00\x00\x01\x00\x00\x00OpenBSD\x00\x00\x00\x00\x00"...)
		h := elf.Prog64{Type: uint32(elf.PT_NOTE), Flags: uint32(elf.PF_R), Off: at, Filesz: 24, Memsz: 24, Align: 4}
		p.headers = slices.Insert(p.headers, 0, h)
		return nil
	},
	// The ABI of Solo5 0.6 to 0.7.5.
	"abi-1": func(p *program) error { return p.setABI(1) },
	"abi-3": func(p *program) error { return p.setABI(3) },
}

// Patch changes a guest; names are keys of Patches.
func Patch(file []byte, names []string) ([]byte, error) {
	p := &program{file: bytes.Clone(file)}
	le := binary.LittleEndian
	if len(file) < ehdrSize {
		return nil, errors.New("no ELF header")
	}
	at, n := le.Uint64(file[phoffAt:]), uint64(le.Uint16(file[phnumAt:]))
	if at > uint64(len(file)) || n*phdrSize > uint64(len(file))-at {
		return nil, errors.New("program headers outside the file")
	}
	p.headers = make([]elf.Prog64, n)
	if err := binary.Read(bytes.NewReader(file[at:]), le, p.headers); err != nil {
		return nil, err
	}
	for _, name := range names {
		change := Patches[name]
		if change == nil {
			return nil, fmt.Errorf("no patch called %q", name)
		}
		if err := change(p); err != nil {
			return nil, fmt.Errorf("patch %s: %w", name, err)
		}
	}
	return p.bytes()
}

// bytes puts the headers behind the rest, where there is room for more.
func (p *program) bytes() ([]byte, error) {
	out := append(p.file, make([]byte, -len(p.file)&7)...)
	binary.LittleEndian.PutUint64(out[phoffAt:], uint64(len(out)))
	binary.LittleEndian.PutUint16(out[phnumAt:], uint16(len(p.headers)))
	b := bytes.NewBuffer(out)
	err := binary.Write(b, binary.LittleEndian, p.headers)
	return b.Bytes(), err
}

func (p *program) add(h elf.Prog64) { p.headers = append(p.headers, h) }

// each applies change to the headers of one type; one must take it.
func (p *program) each(typ elf.ProgType, change func(*elf.Prog64) bool) error {
	changed := false
	for i := range p.headers {
		if h := &p.headers[i]; h.Type == uint32(typ) {
			before := *h
			if change(h) {
				changed = true
			} else {
				*h = before
			}
		}
	}
	if !changed {
		return fmt.Errorf("no %v to change", typ)
	}
	return nil
}

// end is the first page above the program.
func (p *program) end() (end uint64) {
	for _, h := range p.headers {
		if h.Type == uint32(elf.PT_LOAD) {
			end = max(end, (h.Vaddr+h.Memsz+pageSize-1)&^uint64(pageSize-1))
		}
	}
	return end
}

// setABI writes the version into the ABI note: owner, type, target 1.
func (p *program) setABI(version byte) error {
	note := []byte("ABI1Solo5\x00\x00\x00\x01\x00\x00\x00")
	if bytes.Count(p.file, note) != 1 {
		return errors.New("the ABI note is not found once")
	}
	p.file[bytes.Index(p.file, note)+len(note)] = version
	return nil
}

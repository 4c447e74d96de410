package hvt_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/hvt/hvttest"
)

func read(b []byte) (*hvt.Image, error) {
	return hvt.ReadImage(bytes.NewReader(b), int64(len(b)))
}

func TestReadImage(t *testing.T) {
	code, data := bytes.Repeat([]byte{0x90}, 5000), []byte("data")
	b := hvttest.ELF(hvttest.Spec{Entry: 0x100010, Segments: []hvttest.Segment{
		{Vaddr: 0x100000, Data: code, Flags: elf.PF_R | elf.PF_X},
		{Vaddr: 0x102000, Data: data, Memsz: 9000, Flags: elf.PF_R | elf.PF_W},
		{Vaddr: 0x110000, Memsz: 4096, Flags: elf.PF_R | elf.PF_W}, // no octets in the file: skipped
	}})
	im, err := read(b)
	if err != nil {
		t.Fatal(err)
	}
	if im.Entry != 0x100010 || im.End != 0x105000 || len(im.Segments) != 2 || im.Machine != hvt.Machine(elf.EM_X86_64) {
		t.Errorf("%+v", im)
	}
	if s := im.Segments[1]; s.Start != 0x102000 || s.End != 0x105000 || !s.Write || s.Executes || s.Filesz != 4 {
		t.Errorf("data segment %+v", s)
	}
}

// Guests of Solo5 0.6 to 0.7.5 have ABI 1; a segment of zeroes counts there.
func TestABI1(t *testing.T) {
	abi := append([]byte{1, 0, 0, 0, 1}, make([]byte, 11)...)
	b := hvttest.ELF(hvttest.Spec{ABI: abi, Segments: []hvttest.Segment{
		{Vaddr: 0x100000, Data: []byte{0x90}, Flags: elf.PF_R | elf.PF_X},
		{Vaddr: 0x110000, Memsz: 5000, Flags: elf.PF_R | elf.PF_W},
		{Vaddr: 0, Flags: elf.PF_R}, // empty
	}})
	im, err := read(b)
	if err != nil {
		t.Fatal(err)
	}
	if im.ABI.Version != 1 || im.End != 0x112000 || len(im.Segments) != 2 {
		t.Errorf("%+v", im)
	}
}

func TestImageRules(t *testing.T) {
	const rx, rw = elf.PF_R | elf.PF_X, elf.PF_R | elf.PF_W
	code := make([]byte, 16)
	base := hvttest.ELF(hvttest.Spec{Segments: []hvttest.Segment{{Vaddr: 0x100000, Data: code, Flags: rx}}})
	put := func(at int, v uint64, n int) []byte {
		b := bytes.Clone(base)
		var w [8]byte
		binary.LittleEndian.PutUint64(w[:], v)
		copy(b[at:at+n], w[:])
		return b
	}
	seg := func(s ...hvttest.Segment) []byte { return hvttest.ELF(hvttest.Spec{Segments: s}) }
	for name, c := range map[string]struct {
		b    []byte
		text string
	}{
		"empty":             {nil, "does not match the expected size (0 != 64)"},
		"header cut":        {base[:63], "does not match the expected size"},
		"magic":             {put(0, 0, 4), "elf header invalid"},
		"32 bit":            {put(4, 1, 1), "elf header invalid"},
		"big endian":        {put(5, 2, 1), "elf header invalid"},
		"shared object":     {put(16, 3, 2), "elf header invalid"},
		"other machine":     {put(18, 8, 2), "elf header invalid"},
		"no headers":        {put(56, 0, 2), "elf header invalid"},
		"header size":       {put(54, 32, 2), "elf header invalid"},
		"headers outside":   {put(32, 1<<40, 8), "program header does not match"},
		"headers wrap":      {put(32, ^uint64(0), 8), "program header does not match"},
		"entry low":         {put(24, 0xfffff, 8), "e_entry does not fall within"},
		"entry high":        {put(24, 1<<32, 8), "e_entry does not fall within"},
		"low segment":       {seg(hvttest.Segment{Vaddr: 0xff000, Data: code, Flags: rx}), "p_vaddr outside of valid memory range"},
		"aligned too low":   {seg(hvttest.Segment{Vaddr: 0x101000, Data: code, Flags: rx, Align: 0x200000}), "p_vaddr_start is outside"},
		"descending":        {seg(hvttest.Segment{Vaddr: 0x102000, Data: code, Flags: rx}, hvttest.Segment{Vaddr: 0x100000, Data: code, Flags: rw}), "ascending order"},
		"overlap":           {seg(hvttest.Segment{Vaddr: 0x100000, Data: make([]byte, 4097), Flags: rx}, hvttest.Segment{Vaddr: 0x101000, Data: code, Flags: rw}), "(e_end)"},
		"odd alignment":     {seg(hvttest.Segment{Vaddr: 0x100000, Data: code, Flags: rx, Align: 0x3000}), "align_down"},
		"beyond memory":     {seg(hvttest.Segment{Vaddr: 1 << 32, Data: code, Flags: rx}), "(mem_size)"},
		"memory wraps":      {seg(hvttest.Segment{Vaddr: 0x100000, Data: code, Memsz: ^uint64(0), Flags: rw}), "overflow"},
		"memory too long":   {seg(hvttest.Segment{Vaddr: 0x100000, Data: code, Memsz: 1 << 32, Flags: rw}), "(p_vaddr + p_memsz)"},
		"writable code":     {seg(hvttest.Segment{Vaddr: 0x100000, Data: code, Flags: rx | rw}), "requests WRITE and EXEC permissions"},
		"outside the file":  {seg(hvttest.Segment{Vaddr: 0x100000, Data: code, Flags: rx, Offset: 1 << 20}), "host file segment mismatched"},
		"offset wraps":      {seg(hvttest.Segment{Vaddr: 0x100000, Data: code, Flags: rx, Offset: ^uint64(7)}), "host file segment mismatched"},
		"no ABI":            {hvttest.ELF(hvttest.Spec{NoABI: true}), "No Solo5 ABI information found"},
		"no manifest":       {hvttest.ELF(hvttest.Spec{NoMFT: true}), "No Solo5 manifest found"},
		"ABI note short":    {hvttest.ELF(hvttest.Spec{ABI: make([]byte, 8)}), "ABI note"},
		"ABI note long":     {hvttest.ELF(hvttest.Spec{ABI: make([]byte, 33)}), "note does not fall within valid size"},
		"target":            {hvttest.ELF(hvttest.Spec{ABI: append([]byte{9}, make([]byte, 15)...)}), "not for the solo5-hvt target"},
		"version":           {hvttest.ELF(hvttest.Spec{ABI: append([]byte{1, 0, 0, 0, 3}, make([]byte, 11)...)}), "unsupported ABI version 3"},
		"version 0":         {hvttest.ELF(hvttest.Spec{ABI: append([]byte{1, 0, 0, 0, 0}, make([]byte, 11)...)}), "unsupported ABI version 0"},
		"manifest":          {hvttest.ELF(hvttest.Spec{Manifest: make([]byte, 12)}), "manifest is invalid"},
		"manifest note pad": {hvttest.ELF(hvttest.Spec{Manifest: make([]byte, 4)}), "note does not fall within valid size"},
	} {
		_, err := read(c.b)
		var image *hvt.ImageError
		if !errors.As(err, &image) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, want %q", name, err, c.text)
		}
	}
}

// An image of another machine is refused for that, before its notes are looked at.
func TestMachines(t *testing.T) {
	b := hvttest.ELF(hvttest.Spec{ABI: make([]byte, 33)})
	for want, machines := range map[string][]hvt.Machine{
		"elf header invalid":                   {hvt.MachineARM64},
		"note does not fall within valid size": {hvt.MachineARM64, hvt.MachineAMD64},
	} {
		_, err := hvt.ReadNotes(bytes.NewReader(b), int64(len(b)), machines...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("for machines %v: %v, want %q", machines, err, want)
		}
	}
}

// The memory size counts only once it is known.
func TestLayout(t *testing.T) {
	b := hvttest.ELF(hvttest.Spec{Segments: []hvttest.Segment{{Vaddr: 0x100000, Data: make([]byte, 16), Memsz: 3 << 20, Flags: elf.PF_R | elf.PF_W}}})
	im, err := read(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := im.Layout(2 << 20); err == nil {
		t.Error("3 MiB fit into 2")
	}
	if err := im.Layout(4 << 20); err != nil {
		t.Error(err)
	}
}

func FuzzReadImage(f *testing.F) {
	f.Add(hvttest.Program(elf.EM_X86_64, make([]byte, 100), hvt.Entry{Name: "disk", Type: hvt.Block}))
	f.Add(hvttest.ELF(hvttest.Spec{Machine: elf.EM_AARCH64, Segments: []hvttest.Segment{
		{Vaddr: 0x100000, Data: make([]byte, 8), Flags: elf.PF_R | elf.PF_X}, {Vaddr: 0x200000, Data: make([]byte, 8), Flags: elf.PF_R | elf.PF_W}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		im, err := read(b)
		if err != nil {
			return
		}
		for _, s := range im.Segments {
			if s.Start < hvt.MinBase || s.End > hvt.MaxMemory || s.Start > s.Vaddr || s.Vaddr+s.Memsz > s.End ||
				s.Filesz > s.Memsz || s.Offset+s.Filesz > uint64(len(b)) || s.Write && s.Executes {
				t.Fatalf("segment %+v of %d octets passed", s, len(b))
			}
		}
	})
}

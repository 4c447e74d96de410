package uki_test

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/perilune/perilune/images/uki"
)

// stub makes a small PE32+ with one section of code, with room for five
// headers in all.
func stub(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	dos := make([]byte, 0x80)
	copy(dos, "MZ")
	binary.LittleEndian.PutUint32(dos[0x3c:], 0x80)
	b.Write(dos)
	b.WriteString("PE\x00\x00")
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(binary.Write(&b, binary.LittleEndian, pe.FileHeader{
		Machine: pe.IMAGE_FILE_MACHINE_AMD64, NumberOfSections: 1, SizeOfOptionalHeader: 240,
	}))
	must(binary.Write(&b, binary.LittleEndian, pe.OptionalHeader64{
		Magic: 0x20b, SectionAlignment: 0x1000, FileAlignment: 0x200,
		SizeOfHeaders: 0x400, SizeOfImage: 0x2000, NumberOfRvaAndSizes: 16,
	}))
	must(binary.Write(&b, binary.LittleEndian, pe.SectionHeader32{
		Name: [8]uint8{'.', 't', 'e', 'x', 't'}, VirtualSize: 0x10, VirtualAddress: 0x1000,
		SizeOfRawData: 0x200, PointerToRawData: 0x400,
	}))
	b.Write(make([]byte, 0x400-b.Len()))
	b.Write(bytes.Repeat([]byte{0xcc}, 0x200))
	return b.Bytes()
}

func write(t testing.TB, name string, data []byte) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func spec(t testing.TB, stub []byte) uki.Spec {
	return uki.Spec{
		Stub:      write(t, "stub", stub),
		Kernel:    write(t, "kernel", bytes.Repeat([]byte("kernel"), 1000)),
		Initrd:    write(t, "initrd", bytes.Repeat([]byte("initrd"), 777)),
		Cmdline:   "console=ttyS0 quiet",
		OSRelease: "ID=test\n",
	}
}

func check(t *testing.T, image []byte, s uki.Spec) {
	t.Helper()
	f, err := pe.NewFile(bytes.NewReader(image))
	if err != nil {
		t.Fatal(err)
	}
	initrd, err := os.ReadFile(s.Initrd)
	if err != nil {
		t.Fatal(err)
	}
	kernel, err := os.ReadFile(s.Kernel)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]byte{
		".osrel": []byte(s.OSRelease), ".cmdline": []byte(s.Cmdline + "\x00"), ".initrd": initrd, ".linux": kernel,
	} {
		sec := f.Section(name)
		if sec == nil {
			t.Errorf("no section %s", name)
			continue
		}
		got, err := sec.Data()
		if err != nil || int(sec.VirtualSize) != len(want) || !bytes.Equal(got[:len(want)], want) {
			t.Errorf("%s: %d octets, %v", name, sec.VirtualSize, err)
		}
	}
	// No two sections may share memory or parts of the file.
	oh := f.OptionalHeader.(*pe.OptionalHeader64)
	end, from := uint32(0), uint32(oh.SizeOfHeaders)
	for _, sec := range f.Sections {
		if sec.VirtualAddress < end || sec.VirtualAddress%0x100 != 0 {
			t.Errorf("%s at %#x, the one before ends at %#x", sec.Name, sec.VirtualAddress, end)
		}
		if sec.Size > 0 && sec.Offset < from {
			t.Errorf("%s at %#x in the file, the one before ends at %#x", sec.Name, sec.Offset, from)
		}
		end, from = sec.VirtualAddress+sec.VirtualSize, sec.Offset+sec.Size
	}
	if oh.SizeOfImage < end || oh.SizeOfImage%oh.SectionAlignment != 0 {
		t.Errorf("image of %#x octets, sections end at %#x", oh.SizeOfImage, end)
	}
	if f.Sections[len(f.Sections)-1].Name != ".linux" {
		t.Error("the kernel is not last")
	}
}

func TestBuild(t *testing.T) {
	s := spec(t, stub(t))
	image, err := uki.Build(s)
	if err != nil {
		t.Fatal(err)
	}
	check(t, image, s)
	again, err := uki.Build(s)
	if err != nil || !bytes.Equal(image, again) {
		t.Errorf("two builds of the same differ, %v", err)
	}
}

func TestBuildOnDebiansStub(t *testing.T) {
	b, err := os.ReadFile(uki.Stub["amd64"])
	if err != nil {
		t.Skipf("needs systemd's EFI stub: %v: run 'perilune doctor --install'", err)
	}
	s := spec(t, b)
	image, err := uki.Build(s)
	if err != nil {
		t.Fatal(err)
	}
	check(t, image, s)
}

func TestBuildRefuses(t *testing.T) {
	full := stub(t)
	binary.LittleEndian.PutUint32(full[0x80+24+60:], 0x1a0) // headers end behind the first
	odd := stub(t)
	binary.LittleEndian.PutUint32(odd[0x80+24+36:], 3) // file alignment
	for name, b := range map[string][]byte{
		"empty": {}, "text": []byte("#!/bin/sh\n"), "cut": stub(t)[:0x90], "no room": full, "odd alignment": odd,
	} {
		if _, err := uki.Build(spec(t, b)); !errors.Is(err, uki.ErrStub) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := spec(t, stub(t))
	s.Kernel = "/no/such/kernel"
	if _, err := uki.Build(s); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no kernel: %v", err)
	}
}

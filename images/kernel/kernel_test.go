package kernel

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"

	"github.com/perilune/perilune/internal/debian"
)

func TestNewest(t *testing.T) {
	const lines = `linux-image-6.12.9+bpo-cloud-amd64 - Linux 6.12 for x86-64 cloud (signed)
linux-image-6.12.107+deb12-cloud-amd64 - Linux 6.12 for x86-64 cloud (signed)
linux-image-6.12.117+deb12-cloud-amd64 - Linux 6.12 for x86-64 cloud (signed)
linux-image-6.12.200+deb12-cloud-arm64 - Linux 6.12 for arm64 cloud (signed)
linux-image-6.12.300+deb12-cloud-amd64-unsigned - Linux 6.12 for x86-64 cloud
linux-image-6.12.300+deb12-rt-amd64 - Linux 6.12 for 64-bit PCs, PREEMPT_RT (signed)
`
	if got := newest(lines, "amd64"); got != "linux-image-6.12.117+deb12-cloud-amd64" {
		t.Errorf("amd64: %q", got)
	}
	if got := newest(lines, "arm64"); got != "linux-image-6.12.200+deb12-cloud-arm64" {
		t.Errorf("arm64: %q", got)
	}
	if got := newest("", "amd64"); got != "" {
		t.Errorf("nothing: %q", got)
	}
}

func TestFetchRefuses(t *testing.T) {
	if _, err := Fetch(context.Background(), t.TempDir(), "sparc"); !errors.Is(err, ErrArch) {
		t.Errorf("sparc: %v", err)
	}
}

// A package in the cache is taken as it is, without network.
func TestFetchFromCache(t *testing.T) {
	cache := t.TempDir()
	work := filepath.Join(cache, "kernel", "amd64")
	write(t, filepath.Join(work, "root/boot/vmlinuz-6.12.1"), []byte("kernel"))
	write(t, filepath.Join(work, "root/lib/modules/6.12.1/modules.builtin"), nil)
	write(t, filepath.Join(work, "x.deb"), nil)
	if err := store(work, &deb{Name: "linux-image", Version: "6.12.1-1", File: filepath.Join(work, "x.deb")}); err != nil {
		t.Fatal(err)
	}
	k, err := Fetch(context.Background(), cache, "amd64")
	if err != nil || k.Release != "6.12.1" || filepath.Base(k.Image) != "vmlinuz-6.12.1" {
		t.Errorf("%+v, %v", k, err)
	}
}

// fakeApt puts programs on the PATH that act as apt's and dpkg's do where the machine's own
// lists are so old that the archive has another package by now. Without an archive all fails.
func fakeApt(t *testing.T, archive bool) {
	t.Helper()
	if _, err := os.Stat(debian.Keyring); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	answer := "touch linux-image-6.12.5+deb12-cloud-amd64_6.12.5-1_amd64.deb"
	if !archive {
		answer = "echo no network >&2; exit 100"
	}
	for name, text := range map[string]string{
		"apt-cache": `echo "linux-image-6.12.5+deb12-cloud-amd64 - Linux 6.12 for x86-64 cloud (signed)"`,
		"apt-get": "case \"$*\" in *sourcelist*update) ;; *sourcelist*download*) " + answer +
			" ;; *) echo '404  Not Found' >&2; exit 100 ;; esac",
		"dpkg-deb": `mkdir -p "$3/boot" "$3/lib/modules/6.12.5" && echo kernel >"$3/boot/vmlinuz-6.12.5"`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

// Old lists of the machine do not stand in the way, and a kernel that is damaged in the cache,
// as after a loss of power, is fetched again.
func TestFetch(t *testing.T) {
	fakeApt(t, true)
	cache := filepath.Join(t.TempDir(), "a [b] c")
	for _, damage := range []string{"", "kern"} {
		k, err := Fetch(t.Context(), cache, "amd64")
		if err != nil || k.Version != "6.12.5-1" || k.Release != "6.12.5" {
			t.Fatalf("%+v, %v", k, err)
		}
		if text, err := os.ReadFile(k.Image); err != nil || string(text) != "kernel\n" {
			t.Errorf("%q, %v", text, err)
		}
		write(t, k.Image, []byte(damage))
	}
	fakeApt(t, false)
	_, err := Fetch(t.Context(), cache, "amd64")
	if err == nil || !strings.Contains(err.Error(), "404") || !strings.Contains(err.Error(), "no network") {
		t.Errorf("without an archive: %v", err)
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// module makes an ELF file with nothing but a .modinfo section.
func module(info string) []byte {
	names := "\x00.modinfo\x00.shstrtab\x00"
	const header, entry = 64, 64
	var b bytes.Buffer
	h := make([]byte, header)
	copy(h, "\x7fELF\x02\x01\x01")
	binary.LittleEndian.PutUint16(h[16:], 1)  // relocatable
	binary.LittleEndian.PutUint16(h[18:], 62) // x86-64
	binary.LittleEndian.PutUint32(h[20:], 1)
	binary.LittleEndian.PutUint64(h[40:], uint64(header+len(info)+len(names)))
	binary.LittleEndian.PutUint16(h[52:], header)
	binary.LittleEndian.PutUint16(h[58:], entry)
	binary.LittleEndian.PutUint16(h[60:], 3)
	binary.LittleEndian.PutUint16(h[62:], 2)
	b.Write(h)
	b.WriteString(info + names)
	section := func(name, kind uint32, offset, size int) {
		s := make([]byte, entry)
		binary.LittleEndian.PutUint32(s, name)
		binary.LittleEndian.PutUint32(s[4:], kind)
		binary.LittleEndian.PutUint64(s[24:], uint64(offset))
		binary.LittleEndian.PutUint64(s[32:], uint64(size))
		b.Write(s)
	}
	section(0, 0, 0, 0)
	section(1, 1, header, len(info))
	section(10, 3, header+len(info), len(names))
	return b.Bytes()
}

func compressed(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := xz.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestExtractModules(t *testing.T) {
	dir := t.TempDir()
	k := &Kernel{Release: "test", Modules: dir}
	write(t, filepath.Join(dir, "modules.builtin"), []byte("kernel/fs/ext4/ext4.ko\n"))
	write(t, filepath.Join(dir, "kernel/kvm/kvm-amd.ko.xz"), compressed(t, module("license=GPL\x00depends=kvm,ext4\x00")))
	write(t, filepath.Join(dir, "kernel/kvm/kvm.ko.xz"), compressed(t, module("depends=irqbypass\x00")))
	write(t, filepath.Join(dir, "kernel/lib/irqbypass.ko"), module("depends=\x00"))
	write(t, filepath.Join(dir, "kernel/bad.ko"), []byte("not ELF"))
	write(t, filepath.Join(dir, "kernel/orphan.ko"), module("depends=nobody\x00"))
	out := filepath.Join(t.TempDir(), "out")
	paths, err := k.ExtractModules(out, []string{"kvm_amd", "kvm", "ext4"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range paths {
		names = append(names, filepath.Base(p))
	}
	if want := []string{"00-irqbypass.ko", "01-kvm.ko", "02-kvm_amd.ko"}; !slices.Equal(names, want) {
		t.Errorf("%q", names)
	}
	if b, err := os.ReadFile(paths[1]); err != nil || !bytes.Equal(b, module("depends=irqbypass\x00")) {
		t.Errorf("kvm came out as %d octets, %v", len(b), err)
	}
	for _, n := range []string{"missing", "orphan"} {
		if _, err := k.ExtractModules(out, []string{n}); !errors.Is(err, ErrNoModule) {
			t.Errorf("%s: %v", n, err)
		}
	}
	if _, err := k.ExtractModules(out, []string{"bad"}); err == nil || !strings.Contains(err.Error(), "bad") {
		t.Errorf("not ELF: %v", err)
	}
}

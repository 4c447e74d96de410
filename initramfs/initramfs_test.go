package initramfs_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/u-root/u-root/pkg/cpio"

	"github.com/perilune/perilune/initramfs"
)

func spec(t *testing.T) initramfs.Spec {
	t.Helper()
	dir := t.TempDir()
	file := func(name string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte("this is "+name), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	return initramfs.Spec{
		Programs: map[string]string{"init": file("i"), "bin/perilune-flight": file("f")},
		Files:    map[string]string{"/etc/perilune/craft.toml": file("c"), "etc/perilune/keys/sdls": file("k")},
		Data:     map[string][]byte{"etc/hostname": []byte("craft\n")},
		Modules:  []string{file("07-kvm.ko"), file("kvm_amd.ko")},
	}
}

func build(t *testing.T, s initramfs.Spec) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := initramfs.Build(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestBuild(t *testing.T) {
	s := spec(t)
	b := build(t, s)
	if !bytes.Equal(b, build(t, s)) {
		t.Error("two builds of the same differ")
	}
	records, err := cpio.ReadAllRecords(cpio.Newc.Reader(bytes.NewReader(b)))
	if err != nil {
		t.Fatal(err)
	}
	type entry struct {
		mode, uid uint64
		text      string
	}
	got := map[string]entry{}
	for _, r := range records {
		text := make([]byte, r.FileSize)
		if r.FileSize > 0 {
			if _, err := r.ReadAt(text, 0); err != nil {
				t.Fatal(err)
			}
		}
		if dir := filepath.Dir(r.Name); dir != "." && got[dir].mode&cpio.S_IFMT != cpio.S_IFDIR {
			t.Errorf("%s comes before its folder", r.Name)
		}
		got[r.Name] = entry{r.Mode, r.UID, string(text)}
	}
	for name, want := range map[string]entry{
		"init":                      {cpio.S_IFREG | 0o755, 0, "this is i"},
		"bin/perilune-flight":       {cpio.S_IFREG | 0o755, 0, "this is f"},
		"etc/perilune/craft.toml":   {cpio.S_IFREG | 0o644, 0, "this is c"},
		"etc/perilune/keys":         {cpio.S_IFDIR | 0o700, 900, ""},
		"etc/perilune/keys/sdls":    {cpio.S_IFREG | 0o600, 900, "this is k"},
		"etc/hostname":              {cpio.S_IFREG | 0o644, 0, "craft\n"},
		"lib/modules/00-kvm.ko":     {cpio.S_IFREG | 0o644, 0, "this is 07-kvm.ko"},
		"lib/modules/01-kvm_amd.ko": {cpio.S_IFREG | 0o644, 0, "this is kvm_amd.ko"},
		"dev/console":               {cpio.S_IFCHR | 0o600, 0, ""},
		"proc":                      {cpio.S_IFDIR | 0o755, 0, ""},
	} {
		if got[name] != want {
			t.Errorf("%s: %o %d %q, want %o %d %q", name, got[name].mode, got[name].uid, got[name].text, want.mode, want.uid, want.text)
		}
	}
}

func TestBuildRefuses(t *testing.T) {
	for name, path := range map[string]string{
		"climbs": "../etc/passwd", "not clean": "etc//x", "twice": "init", "below a file": "init/x", "empty": "",
	} {
		s := spec(t)
		s.Data[path] = nil
		err := initramfs.Build(&bytes.Buffer{}, s)
		if !errors.Is(err, initramfs.ErrPath) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := spec(t)
	delete(s.Programs, "init")
	if err := initramfs.Build(&bytes.Buffer{}, s); err == nil || !strings.Contains(err.Error(), "init") {
		t.Errorf("without init: %v", err)
	}
	s = spec(t)
	s.Files["etc/x"] = "/nonexistent"
	if err := initramfs.Build(&bytes.Buffer{}, s); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

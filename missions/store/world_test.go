package store_test

import (
	"debug/elf"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/hvt/hvttest"
	"github.com/perilune/perilune/internal/durable"
	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/missions/bundle"
	"github.com/perilune/perilune/missions/grant"
	"github.com/perilune/perilune/missions/store"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// world is a craft's store with those who sign for it.
type world struct {
	t     *testing.T
	dir   string // of store and records
	files string // of bundles and programs
	dev   *grant.Dev
	trust *grant.Trust
	db    *durable.DB
	store *store.Store
	set   bool // the craft's time is valid, and it is noon
	seq   int
}

var quota = grant.Quota{MemoryMiB: 16, Guests: 1, StorageMiB: 1}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), files: t.TempDir()}
	var err error
	if w.dev, err = grant.DevKeys(filepath.Join(w.files, "keys")); err != nil {
		t.Fatal(err)
	}
	grants := []grant.Grant{{Tenant: "borealis", APID: 101, Quota: quota}, {Tenant: "acme", APID: 100, Quota: quota}}
	if w.trust, err = w.dev.Trust("luna", grants); err != nil {
		t.Fatal(err)
	}
	w.open()
	t.Cleanup(func() { w.db.Close() })
	return w
}

func (w *world) now() (time.Time, bool) { return noon, w.set }

func (w *world) open() {
	w.t.Helper()
	var err error
	if w.db, err = durable.Open(filepath.Join(w.dir, "records.db")); err != nil {
		w.t.Fatal(err)
	}
	if w.store, err = store.Open(filepath.Join(w.dir, "missions"), w.trust, w.db, w.now, slog.New(slog.DiscardHandler)); err != nil {
		w.t.Fatal(err)
	}
}

// reopen is what a restart of the program does.
func (w *world) reopen() {
	w.t.Helper()
	if err := w.db.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.open()
}

// spec is a mission to pack; the zero value of a field means the usual.
type spec struct {
	tenant, name, version string
	memory                int
	vcpus                 int
	machine               elf.Machine // one kernel of this machine only
	program               []byte      // in place of a proper one, for all machines
	devices               []hvt.Entry // that the program declares; nil: those of mission.toml
	block                 []byte
	more                  string // TOML
	signer                string // tenant whose key signs
}

// pack makes a bundle and returns its path and digest.
func (w *world) pack(s spec) (path, digest string) {
	w.t.Helper()
	text := func(v *string, usual string) {
		if *v == "" {
			*v = usual
		}
	}
	text(&s.tenant, "borealis")
	text(&s.name, "earth")
	text(&s.version, "1.0.0")
	text(&s.signer, s.tenant)
	if s.memory == 0 {
		s.memory = 8
	}
	s.vcpus = max(s.vcpus, 1)
	toml := fmt.Sprintf("name = %q\ntenant = %q\nversion = %q\n[guest]\nmemory = %d\nvcpus = %d\n[[packet]]\nname = \"link\"\n",
		s.name, s.tenant, s.version, s.memory, s.vcpus)
	if s.devices == nil {
		s.devices = []hvt.Entry{{Name: "link", Type: hvt.Net}}
		if s.block != nil {
			s.devices = append(s.devices, hvt.Entry{Name: "disk", Type: hvt.Block})
		}
		if s.vcpus > 1 {
			s.devices = append(s.devices, processors(s.vcpus))
		}
	}
	c := bundle.Contents{Kernels: map[string]string{}, Blobs: map[string]string{}}
	if s.block != nil {
		toml += "[[block]]\nname = \"disk\"\nfile = \"disk.img\"\n"
		c.Blobs["disk.img"] = w.write("disk.img", s.block)
	}
	c.Mission = []byte(toml + s.more)
	for arch, m := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		if s.machine != 0 && s.machine != m {
			continue
		}
		program := s.program
		if program == nil {
			program = hvttest.Program(m, []byte{0xF4}, s.devices...)
		}
		c.Kernels[arch] = w.write("kernel-"+arch, program)
	}
	key, err := w.dev.Tenant(s.signer)
	if err != nil {
		w.t.Fatal(err)
	}
	w.seq++
	path = filepath.Join(w.files, fmt.Sprintf("%s-%d.tar", s.name, w.seq))
	d, err := bundle.Write(path, c, key)
	if err != nil {
		w.t.Fatal(err)
	}
	return path, d.String()
}

// processors is how a program declares that it has n vCPUs.
func processors(n int) hvt.Entry { return hvt.Extend("vcpus", hvt.VCPUs, uint32(n)) }

func (w *world) write(name string, data []byte) string {
	w.t.Helper()
	path := filepath.Join(w.files, name)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// order signs the next flight order for a bundle.
func (w *world) order(digest string) string {
	w.t.Helper()
	token, _, err := w.dev.Order("luna", digest)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

// activate packs and activates a mission that must hold.
func (w *world) activate(s spec) *store.Installed {
	w.t.Helper()
	path, digest := w.pack(s)
	in, err := w.store.Activate(path, w.order(digest))
	if err != nil {
		w.t.Fatal(err)
	}
	return in
}

func (w *world) wantRule(err error, rule string) {
	w.t.Helper()
	var r *missions.RuleError
	if !errors.As(err, &r) || r.Rule != rule {
		w.t.Fatalf("got %v, want rule %s", err, rule)
	}
	if r.Detail == "" || !strings.Contains(err.Error(), rule+": ") {
		w.t.Errorf("error %q says no rule and detail", err)
	}
}

// wantActive compares what is active, as tenant/mission version.
func (w *world) wantActive(want ...string) {
	w.t.Helper()
	var got []string
	for _, in := range w.store.List() {
		got = append(got, in.Guest().String()+" "+in.Version)
		if _, err := os.Stat(in.Kernel); err != nil {
			w.t.Error(err)
		}
		for _, b := range in.Blobs {
			if _, err := os.Stat(b); err != nil {
				w.t.Error(err)
			}
		}
	}
	if strings.Join(got, "; ") != strings.Join(want, "; ") {
		w.t.Errorf("active %q, want %q", got, want)
	}
}

// wantTidy says that staging is empty and that each folder of a version is in use.
func (w *world) wantTidy() {
	w.t.Helper()
	if left, _ := filepath.Glob(filepath.Join(w.dir, "missions", "staging", "*")); len(left) > 0 {
		w.t.Errorf("left in staging: %q", left)
	}
	all, _ := filepath.Glob(filepath.Join(w.dir, "missions", "active", "*", "*", "*"))
	if len(all) != len(w.store.List()) {
		w.t.Errorf("%d versions on disk, %d active: %q", len(all), len(w.store.List()), all)
	}
}

var earth = ids.Guest{Tenant: "borealis", Mission: "earth"}

// here and elsewhere are the machine that the store runs on and another one.
func machines() (here, elsewhere elf.Machine) {
	if runtime.GOARCH == "arm64" {
		return elf.EM_AARCH64, elf.EM_X86_64
	}
	return elf.EM_X86_64, elf.EM_AARCH64
}

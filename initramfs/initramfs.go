// Package initramfs writes the archive that is the craft's root file system:
// init, the flight programs, kernel modules and configuration. It lives in
// RAM; nothing of it is ever written back.
package initramfs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/u-root/u-root/pkg/cpio"

	"github.com/perilune/perilune/internal/initproto"
)

// ModulesDir holds the kernel modules; init loads them in the order of their
// names.
const ModulesDir = "lib/modules"

// keysDir holds secrets that only flight may read.
const keysDir = "etc/perilune/keys"

// ErrPath refuses a path that is not clean or is used twice.
var ErrPath = errors.New("bad path in the initramfs")

// Spec says what goes into the archive. Paths in it are clean and relative
// ("bin/perilune-flight"); a leading slash is taken off.
type Spec struct {
	Programs map[string]string // path in the archive → executable here; "init" must be there
	Files    map[string]string // path in the archive → file here
	Data     map[string][]byte // path in the archive → contents
	Modules  []string          // decompressed modules here, in the order in which to load them
}

// dirs are there from the start, most of them as mount points.
var dirs = []string{"bin", "dev", "data", "etc", "lib", "proc", "run", "sys", "tmp", "usr", "var"}

// Build writes the archive to w, uncompressed: inside the image it must stay
// so for updates to be small. Equal input gives equal output.
func Build(w io.Writer, s Spec) error {
	a := archive{records: map[string]cpio.Record{}}
	for _, d := range dirs {
		a.dir(d)
	}
	// The kernel opens it for init before anything is mounted.
	a.put("dev/console", cpio.CharDev("dev/console", 0o600, 5, 1))
	if _, ok := s.Programs["init"]; !ok {
		return errors.New("initramfs: no init among the programs")
	}
	for name, from := range s.Programs {
		a.file(name, from, 0o755)
	}
	for name, from := range s.Files {
		a.file(name, from, 0o644)
	}
	for name, data := range s.Data {
		a.add(name, data, 0o644)
	}
	for i, from := range s.Modules {
		a.file(fmt.Sprintf("%s/%02d-%s", ModulesDir, i, plainName(from)), from, 0o644)
	}
	if a.err != nil {
		return fmt.Errorf("initramfs: %w", a.err)
	}
	if err := a.write(w); err != nil {
		return fmt.Errorf("initramfs: write: %w", err)
	}
	return nil
}

// plainName takes the folder and an ordering prefix "NN-" off a module's path.
func plainName(from string) string {
	name := path.Base(from)
	if len(name) > 3 && name[2] == '-' && strings.Trim(name[:2], "0123456789") == "" {
		name = name[3:]
	}
	return name
}

type archive struct {
	records map[string]cpio.Record
	err     error
}

func (a *archive) fail(err error) {
	if a.err == nil {
		a.err = err
	}
}

func (a *archive) put(name string, r cpio.Record) {
	r = cpio.MakeReproducible(r)
	if name == keysDir || strings.HasPrefix(name, keysDir+"/") {
		r.UID, r.GID = initproto.UID, initproto.GID
		r.Mode &^= 0o077
	}
	a.records[name] = r
}

func (a *archive) dir(name string) {
	for name != "." {
		if r, ok := a.records[name]; ok {
			if r.Mode&cpio.S_IFMT != cpio.S_IFDIR {
				a.fail(fmt.Errorf("%w: %s is a file and a folder", ErrPath, name))
			}
			return
		}
		a.put(name, cpio.Directory(name, 0o755))
		name = path.Dir(name)
	}
}

func (a *archive) file(name, from string, mode uint64) {
	data, err := os.ReadFile(from)
	if err != nil {
		a.fail(err)
		return
	}
	a.add(name, data, mode)
}

func (a *archive) add(name string, data []byte, mode uint64) {
	name = strings.TrimPrefix(name, "/")
	if name == "" || path.Clean(name) != name || strings.HasPrefix(name, "..") {
		a.fail(fmt.Errorf("%w: %q", ErrPath, name))
		return
	}
	if _, ok := a.records[name]; ok {
		a.fail(fmt.Errorf("%w: %s twice", ErrPath, name))
		return
	}
	a.dir(path.Dir(name))
	a.put(name, cpio.StaticFile(name, string(data), mode))
}

func (a *archive) write(w io.Writer) error {
	names := make([]string, 0, len(a.records))
	for n := range a.records {
		names = append(names, n)
	}
	// Sorted, a folder comes before what is in it, as the kernel needs.
	slices.Sort(names)
	out := cpio.Newc.Writer(w)
	for i, n := range names {
		r := a.records[n]
		r.Ino = uint64(i + 1)
		if err := out.WriteRecord(r); err != nil {
			return err
		}
	}
	return cpio.WriteTrailer(out)
}

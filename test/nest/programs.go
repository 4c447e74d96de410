package nest

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/perilune/perilune/internal/debian"
)

// packages of Debian are where programs for the nest come from that this machine cannot
// have, being of the other architecture.
var packages = []string{"bash", "coreutils", "gdb-minimal", "grep", "iproute2", "iputils-ping", "libseccomp2", "sed"}

// libraryDirs are where the dynamic linkers of Debian, Fedora and others look; %s is the
// architecture as GNU calls it.
var libraryDirs = []string{"lib/%s-linux-gnu", "usr/lib/%s-linux-gnu", "lib64", "usr/lib64", "lib", "usr/lib", "usr/local/lib"}

var gnuNames = map[string]string{"amd64": "x86_64", "arm64": "aarch64"}

// programDirs are where programs are looked for in a root folder.
var programDirs = []string{"bin", "usr/bin", "sbin", "usr/sbin"}

// AddPrograms adds programs of Linux by their names, in the nest's /bin, with their
// libraries: this machine's own if it is of the nest's architecture, else Debian's.
func (c *Config) AddPrograms(ctx context.Context, names ...string) error {
	r, err := c.system(ctx)
	if err != nil {
		return err
	}
	for _, n := range names {
		from, err := r.program(n)
		if err != nil {
			return err
		}
		if err := c.addDynamic(r, path.Join("/bin", n), from); err != nil {
			return err
		}
	}
	return nil
}

// addDynamic adds an executable file of this machine's, with its libraries from r.
func (c *Config) addDynamic(r system, to, from string) error {
	libraries, err := r.libraries(from)
	if err != nil {
		return fmt.Errorf("libraries of %s: %w", from, err)
	}
	c.addExecutable(to, from)
	for there, here := range libraries {
		c.addExecutable(there, here)
	}
	return nil
}

// system is a root folder with programs and libraries for arch.
type system struct{ root, arch string }

func (c *Config) system(ctx context.Context) (system, error) {
	if c.Arch == runtime.GOARCH {
		return system{"/", c.Arch}, nil
	}
	root, err := debian.Root(ctx, c.Cache, c.Arch, packages...)
	return system{root, c.Arch}, err
}

func (s system) program(name string) (string, error) {
	for _, dir := range programDirs {
		if p, err := s.resolve(path.Join("/", dir, name)); err == nil {
			return p, nil
		}
	}
	return "", fmt.Errorf("%s is not below %s", name, s.root)
}

// resolve gives the file behind a path in the system, whose links count from its root.
func (s system) resolve(p string) (string, error) {
	for range 10 {
		here := filepath.Join(s.root, p)
		info, err := os.Lstat(here)
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			return here, nil
		}
		to, err := os.Readlink(here)
		if err != nil {
			return "", err
		}
		if !path.IsAbs(to) {
			to = path.Join(path.Dir(p), to)
		}
		p = to
	}
	return "", fmt.Errorf("%s: too many links", p)
}

// libraries gives all that a program needs to be loaded, by their paths in the system: its
// interpreter, the libraries that it names, and theirs. A static program and a script need
// none.
func (s system) libraries(program string) (map[string]string, error) {
	found := map[string]string{}
	wanted, err := s.needs(program, found)
	if err != nil {
		return nil, err
	}
	for seen := map[string]bool{}; len(wanted) > 0; {
		name := wanted[0]
		wanted = wanted[1:]
		if seen[name] {
			continue
		}
		seen[name] = true
		there, here, err := s.library(name)
		if err != nil {
			return nil, err
		}
		if slices.Contains(slices.Collect(maps.Values(found)), here) {
			continue // the interpreter, which libraries name too
		}
		found[there] = here
		more, err := s.needs(here, found)
		if err != nil {
			return nil, err
		}
		wanted = append(wanted, more...)
	}
	return found, nil
}

// needs gives the names of the libraries that an ELF file asks for, and puts its
// interpreter among the found.
func (s system) needs(file string, found map[string]string) ([]string, error) {
	f, err := elf.Open(file)
	var format *elf.FormatError
	if errors.As(err, &format) || errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		text, err := io.ReadAll(io.LimitReader(p.Open(), 4096))
		if err != nil {
			return nil, err
		}
		there := strings.TrimRight(string(text), "\x00")
		if found[there], err = s.resolve(there); err != nil {
			return nil, err
		}
	}
	return f.ImportedLibraries()
}

func (s system) library(name string) (there, here string, err error) {
	for _, dir := range libraryDirs {
		if strings.Contains(dir, "%") {
			dir = fmt.Sprintf(dir, gnuNames[s.arch])
		}
		there = path.Join("/", dir, name)
		if here, err = s.resolve(there); err == nil {
			return there, here, nil
		}
	}
	return "", "", fmt.Errorf("no library %s below %s", name, s.root)
}

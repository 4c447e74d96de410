package kernel

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ulikunitz/xz"
)

// maxModule bounds one decompressed module, in octets.
const maxModule = 64 << 20

// ErrNoModule names a module that the kernel package does not have.
var ErrNoModule = errors.New("no such module")

// ExtractModules decompresses the named modules and those they depend on
// into dir, as NN-name.ko in the order in which they load, and returns the
// paths in that order. They are stored decompressed because xz costs seconds
// on the craft's processor.
func (k *Kernel) ExtractModules(dir string, names []string) ([]string, error) {
	index, err := k.index()
	if err != nil {
		return nil, fmt.Errorf("modules of %s: %w", k.Release, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	x := extractor{dir: dir, index: index, done: map[string]bool{}}
	for _, n := range names {
		if err := x.add(n); err != nil {
			return nil, fmt.Errorf("module %s of %s: %w", n, k.Release, err)
		}
	}
	return x.paths, nil
}

// index finds each module's file by its canonical name. A name counts as
// known with an empty path when the module is built in.
func (k *Kernel) index() (map[string]string, error) {
	index := map[string]string{}
	builtin, err := os.ReadFile(filepath.Join(k.Modules, "modules.builtin"))
	if err != nil {
		return nil, err
	}
	for p := range strings.Lines(string(builtin)) {
		index[moduleName(strings.TrimSpace(p))] = ""
	}
	err = filepath.WalkDir(k.Modules, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.Contains(d.Name(), ".ko") {
			index[moduleName(p)] = p
		}
		return err
	})
	return index, err
}

// moduleName turns a path or a name into the name the kernel uses.
func moduleName(p string) string {
	name, _, _ := strings.Cut(filepath.Base(p), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}

type extractor struct {
	dir   string
	index map[string]string
	done  map[string]bool
	paths []string
}

func (x *extractor) add(name string) error {
	name = moduleName(name)
	path, known := x.index[name]
	switch {
	case x.done[name]:
		return nil
	case !known:
		return fmt.Errorf("%w: %s", ErrNoModule, name)
	case path == "":
		return nil // built in
	}
	x.done[name] = true
	image, err := readModule(path)
	if err != nil {
		return err
	}
	needs, err := depends(image)
	if err != nil {
		return err
	}
	for _, n := range needs {
		if err := x.add(n); err != nil {
			return err
		}
	}
	out := filepath.Join(x.dir, fmt.Sprintf("%02d-%s.ko", len(x.paths), name))
	x.paths = append(x.paths, out)
	return os.WriteFile(out, image, 0o644)
}

func readModule(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".xz") {
		if r, err = xz.NewReader(f); err != nil {
			return nil, err
		}
	}
	b, err := io.ReadAll(io.LimitReader(r, maxModule+1))
	if err == nil && len(b) > maxModule {
		err = fmt.Errorf("more than %d octets", maxModule)
	}
	return b, err
}

// depends reads "depends=a,b" from the module's .modinfo section.
func depends(image []byte) ([]string, error) {
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return nil, err
	}
	s := f.Section(".modinfo")
	if s == nil {
		return nil, errors.New("no .modinfo section")
	}
	info, err := s.Data()
	if err != nil {
		return nil, err
	}
	for _, field := range strings.Split(string(info), "\x00") {
		if list, ok := strings.CutPrefix(field, "depends="); ok && list != "" {
			return strings.Split(list, ","), nil
		}
	}
	return nil, nil
}

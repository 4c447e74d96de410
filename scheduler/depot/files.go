package depot

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/ccsds/pus"
)

// maxFound bounds what a report lists.
const maxFound = 1024

// Create is TC[23,1]: an empty file that may grow up to a size; 0 leaves that to the quota.
func (d *Depot) Create(f pus.FileCreate) error {
	name, err := place(f.Repository, f.Name)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := errors.Join(d.free(name), d.room(1, f.Size)); err != nil {
		return err
	}
	return d.remark(func(m map[string]mark) { m[name] = mark{Locked: f.Locked, Max: f.Size} }, func() error {
		w, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return gone(name, err)
		}
		return errors.Join(w.Sync(), w.Close(), d.sync(name))
	})
}

// Delete is TC[23,2].
func (d *Depot) Delete(f pus.FileName) error {
	return d.change(f, func(name string) error {
		if d.locked(name) {
			return refuse(pus.FailureRefused, "%s is locked: unlock it first", name)
		}
		return d.remark(func(m map[string]mark) { delete(m, name) }, func() error {
			return errors.Join(d.root.Remove(name), d.sync(name))
		})
	})
}

// change does fn to a file that is there.
func (d *Depot) change(f pus.FileName, fn func(name string) error) error {
	name, err := place(f.Repository, f.Name)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.look(name, false); err != nil {
		return err
	}
	return fn(name)
}

// Attributes is TC[23,3].
func (d *Depot) Attributes(f pus.FileName) (out pus.FileAttributes, err error) {
	err = d.change(f, func(name string) error {
		st, err := d.look(name, false)
		if err != nil {
			return err
		}
		out = pus.FileAttributes{Repository: f.Repository, Name: f.Name, Size: uint64(st.Size()), Locked: d.marks[name].Locked}
		return nil
	})
	return out, err
}

// Lock is TC[23,5] and, off, TC[23,6].
func (d *Depot) Lock(f pus.FileName, on bool) error {
	return d.change(f, func(name string) error {
		return d.remark(func(m map[string]mark) { m[name] = mark{Locked: on, Max: m[name].Max} }, func() error { return nil })
	})
}

// Find is TC[23,7]: files in a repository and below it, whose path from there fits the
// pattern. A * stands for anything, a / too.
func (d *Depot) Find(f pus.FileFind) (pus.FilesFound, error) {
	out := pus.FilesFound{Repository: f.Repository, Pattern: f.Pattern}
	dir, err := folder(f.Repository)
	if err != nil {
		return out, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.look(dir, true); err != nil {
		return out, err
	}
	err = d.walk(dir, func(name string, _ uint64) {
		rest := strings.TrimPrefix(strings.TrimPrefix(name, dir), "/")
		if dir == "." {
			rest = name
		}
		if cfdp.CheckName(name) == nil && fits(f.Pattern, rest) && len(out.Files) < maxFound {
			out.Files = append(out.Files, pus.FileName{Repository: repositoryOf(name), Name: path.Base(name)})
		}
	})
	return out, err
}

func repositoryOf(name string) string {
	if dir := path.Dir(name); dir != "." {
		return dir
	}
	return ""
}

// fits matches name by a pattern: its parts between * are in name in their order.
func fits(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if !strings.HasPrefix(name, parts[0]) {
		return false
	}
	if len(parts) == 1 {
		return name == pattern
	}
	name = name[len(parts[0]):]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(name, p)
		if i < 0 {
			return false
		}
		name = name[i+len(p):]
	}
	return strings.HasSuffix(name, parts[len(parts)-1])
}

// MakeDirectory is TC[23,9].
func (d *Depot) MakeDirectory(f pus.FileName) error {
	name, err := place(f.Repository, f.Name)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := errors.Join(d.free(name), d.room(1, 0)); err != nil {
		return err
	}
	if err := d.root.Mkdir(name, 0o755); err != nil {
		return gone(name, err)
	}
	return d.sync(name)
}

// RemoveDirectory is TC[23,10]: one that is empty.
func (d *Depot) RemoveDirectory(f pus.FileName) error {
	name, err := place(f.Repository, f.Name)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.look(name, true); err != nil {
		return err
	}
	if err := d.root.Remove(name); err != nil {
		return gone(name, err)
	}
	return d.sync(name)
}

// RenameDirectory is TC[23,11]: within its repository.
func (d *Depot) RenameDirectory(f pus.DirectoryRename) error {
	from, err := place(f.Repository, f.Old)
	if err != nil {
		return err
	}
	to, err := place(f.Repository, f.New)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.look(from, true); err != nil {
		return err
	}
	return d.move(from, to)
}

// move renames a file or directory and takes what is known of it along.
func (d *Depot) move(from, to string) error {
	if d.locked(from) {
		return refuse(pus.FailureRefused, "%s is locked, or a file in it", from)
	}
	if err := d.free(to); err != nil {
		return err
	}
	return d.remark(func(m map[string]mark) {
		for n, v := range d.marks {
			if rest, below := strings.CutPrefix(n, from); below && (rest == "" || rest[0] == '/') {
				delete(m, n)
				m[to+rest] = v
			}
		}
	}, func() error {
		if err := d.root.Rename(from, to); err != nil {
			return gone(from, err)
		}
		return errors.Join(d.sync(from), d.sync(to))
	})
}

// List is TC[23,12].
func (d *Depot) List(f pus.DirectoryName) (pus.DirectorySummary, error) {
	out := pus.DirectorySummary{Repository: f.Repository}
	dir, err := folder(f.Repository)
	if err != nil {
		return out, err
	}
	if _, err := d.look(dir, true); err != nil {
		return out, err
	}
	entries, err := fs.ReadDir(d.root.FS(), dir)
	for _, e := range entries[:min(len(entries), maxFound)] {
		if cfdp.CheckName(e.Name()) == nil && (e.IsDir() || e.Type().IsRegular()) {
			out.Objects = append(out.Objects, pus.DirectoryObject{Directory: e.IsDir(), Name: e.Name()})
		}
	}
	slices.SortFunc(out.Objects, func(a, b pus.DirectoryObject) int { return strings.Compare(a.Name, b.Name) })
	return out, err
}

// sync makes a change in the directory of name durable.
func (d *Depot) sync(name string) error {
	f, err := d.root.Open(path.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// ReadAt reads part of a file.
func (d *Depot) ReadAt(f pus.FileName, offset, length int64) (out []byte, err error) {
	err = d.change(f, func(name string) error {
		st, err := d.look(name, false)
		if err != nil {
			return err
		}
		if offset < 0 || length < 0 || offset > st.Size() || length > st.Size()-offset {
			return refuse(pus.FailureBadData, "%s has %d octets: none at %d to %d", name, st.Size(), offset, offset+length)
		}
		r, err := d.root.Open(name)
		if err != nil {
			return gone(name, err)
		}
		out = make([]byte, length)
		_, err = io.ReadFull(io.NewSectionReader(r, offset, length), out)
		return errors.Join(err, r.Close())
	})
	return out, err
}

// WriteAt changes part of a file, or appends to it; it is on stable storage afterwards.
func (d *Depot) WriteAt(f pus.FileName, offset int64, data []byte) error {
	return d.change(f, func(name string) error {
		st, err := d.look(name, false)
		if err != nil {
			return err
		}
		end, bound := offset+int64(len(data)), d.marks[name].Max
		switch {
		case offset < 0 || offset > st.Size():
			return refuse(pus.FailureBadData, "%s has %d octets: %d would leave a hole", name, st.Size(), offset)
		case d.locked(name):
			return refuse(pus.FailureRefused, "%s is locked", name)
		case bound != 0 && uint64(end) > bound:
			return refuse(pus.FailureFull, "%s: %d octets, at most %d", name, end, bound)
		}
		if err := d.room(0, uint64(max(0, end-st.Size()))); err != nil {
			return err
		}
		w, err := d.root.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return gone(name, err)
		}
		_, err = w.WriteAt(data, offset)
		return errors.Join(err, w.Sync(), w.Close())
	})
}

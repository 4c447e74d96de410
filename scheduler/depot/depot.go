// Package depot is the file management of service 23: what the ground may do with the
// files that it sent up. There is one root, that of the craft's CFDP filestore; no name,
// link or mount point leads out of it. A repository is a directory below the root, the root
// itself where its name is empty.
//
//	locked       neither deleted, moved nor replaced, by CFDP either
//	created      a file has the bound that TC[23,1] gave it, by CFDP either
//	quota        octets and files of the whole root
package depot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"

	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/durable"
)

// Bounds of the root.
const (
	MaxOctets = 1 << 30
	MaxFiles  = 4096
	maxDepth  = 8
)

const (
	bucket  = "depot"
	keyMark = "files"
)

// Records is where locks and bounds are kept.
type Records interface {
	Put(bucket, key string, v any) error
	Get(bucket, key string, v any) error
}

// mark is what is known of a file besides what the file system says.
type mark struct {
	Locked bool
	Max    uint64 // octets; 0: as the quota has it
}

// Depot is safe for concurrent use.
type Depot struct {
	root    *os.Root
	records Records
	octets  uint64
	files   int

	mu     sync.Mutex
	marks  map[string]mark
	held   map[string]uint64 // octets that are coming, of which the part of that name has some
	copies copies
}

// Open manages the files in folder, of at most that many octets and files.
func Open(folder string, records Records, octets uint64, files int) (*Depot, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("open file depot: %w", err)
	}
	d := &Depot{root: root, records: records, octets: octets, files: files, marks: map[string]mark{}, held: map[string]uint64{}}
	d.copies.init(&d.mu)
	if err := records.Get(bucket, keyMark, &d.marks); err != nil && !errors.Is(err, durable.ErrNotFound) {
		// Nobody knows what was locked: all files that are there are.
		d.marks = map[string]mark{}
		err = errors.Join(err, d.walk(".", func(name string, _ uint64) { d.marks[name] = mark{Locked: true} }))
		return d, fmt.Errorf("file depot: all files are locked: %w", err)
	}
	return d, nil
}

func refuse(code pus.Failure, form string, args ...any) error {
	return &pus.Refusal{Code: code, Text: fmt.Sprintf(form, args...)}
}

// place is the path of an object in a repository.
func place(repository, name string) (string, error) {
	full := path.Join(repository, name)
	if repository != "" {
		if err := cfdp.CheckName(repository); err != nil {
			return "", refuse(pus.FailureNotPermitted, "repository: %v", err)
		}
	}
	if err := cfdp.CheckName(name); err != nil {
		return "", refuse(pus.FailureNotPermitted, "%v", err)
	}
	if err := cfdp.CheckName(full); err != nil || strings.Count(full, "/") >= maxDepth {
		return "", refuse(pus.FailureNotPermitted, "%q is too long or more than %d directories deep", full, maxDepth)
	}
	return full, nil
}

// folder is the path of a repository.
func folder(repository string) (string, error) {
	if repository == "" {
		return ".", nil
	}
	return place("", repository)
}

// gone says in the words of a report why an object cannot be had.
func gone(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return refuse(pus.FailureUnknownName, "no %s on board", name)
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return refuse(pus.FailureRefused, "%s: %v", name, err)
}

// look finds an object of one kind.
func (d *Depot) look(name string, dir bool) (fs.FileInfo, error) {
	st, err := d.root.Lstat(name)
	switch {
	case err != nil:
		return nil, gone(name, err)
	case dir && !st.IsDir():
		return nil, refuse(pus.FailureRefused, "%s is no directory", name)
	case !dir && !st.Mode().IsRegular():
		return nil, refuse(pus.FailureRefused, "%s is no file", name)
	}
	return st, nil
}

// free refuses a name that is taken.
func (d *Depot) free(name string) error {
	if _, err := d.root.Lstat(name); err == nil {
		return refuse(pus.FailureRefused, "%s is there already", name)
	}
	return nil
}

// walk tells of all regular files below dir, those under way by CFDP too.
func (d *Depot) walk(dir string, tell func(name string, octets uint64)) error {
	return fs.WalkDir(d.root.FS(), dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if st, err := e.Info(); err == nil && st.Mode().IsRegular() {
			tell(name, uint64(st.Size()))
		}
		return nil
	})
}

// room refuses what the quota does not hold besides what is there and what copies and uploads
// will bring.
func (d *Depot) room(files int, octets uint64) error {
	n, used := 0, uint64(0)
	err := d.walk(".", func(name string, size uint64) {
		if dir, part := path.Split(name); dir == partDir+"/" {
			size = max(size, d.held[part])
		}
		n++
		used += size
	})
	if err != nil {
		return err
	}
	for _, c := range d.copies.all { // what they have written is counted
		used += uint64(max(0, c.size-c.done))
	}
	if n+files > d.files {
		return refuse(pus.FailureFull, "%d files on board, at most %d", n, d.files)
	}
	if octets > d.octets || used > d.octets-octets {
		return refuse(pus.FailureFull, "%d of %d octets are used, no room for %d", used, d.octets, octets)
	}
	return nil
}

// Admit says whether CFDP may write a file of so many octets, which makes what is on board
// more, or touch it; the depot's locks, bounds and quota hold for it too.
func (d *Depot) Admit(name string, octets uint64, grows bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.bounded(name, octets); err != nil || !grows {
		return err
	}
	return d.room(1, octets)
}

// bounded refuses what a file that is to be replaced does not allow.
func (d *Depot) bounded(name string, octets uint64) error {
	if d.locked(name) {
		return refuse(pus.FailureRefused, "%s is locked", name)
	}
	// The bound of a file that CFDP has taken away holds for no other of its name.
	if m := d.marks[name]; m.Max != 0 && octets > m.Max && d.free(name) != nil {
		return refuse(pus.FailureFull, "%s: %d octets, at most %d", name, octets, m.Max)
	}
	return nil
}

// Hold keeps room for octets in all of the file that is to be name, of which part is what
// CFDP has of it. A later call may want more; without room for that, what was held still is.
func (d *Depot) Hold(part, name string, octets uint64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.bounded(name, octets); err != nil {
		return err
	}
	have := d.held[part]
	if st, err := d.root.Lstat(path.Join(partDir, part)); err == nil {
		have = max(have, uint64(st.Size()))
	}
	if octets <= have {
		return nil
	}
	if err := d.room(0, octets-have); err != nil {
		return err
	}
	d.held[part] = octets
	return nil
}

// Place has put give the part its name, unless the file of that name has been locked or
// bounded since the part was begun.
func (d *Depot) Place(part, name string, put func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	st, err := d.root.Lstat(path.Join(partDir, part))
	if err != nil {
		return gone(name, err)
	}
	if err := d.bounded(name, uint64(st.Size())); err != nil {
		return err
	}
	return put()
}

// Release ends what Hold began: the part is in its place, or thrown away.
func (d *Depot) Release(part string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.held, part)
}

// locked says whether a file, or one below a directory of that name, is locked.
func (d *Depot) locked(name string) bool {
	for n, m := range d.marks {
		if m.Locked && (n == name || strings.HasPrefix(n, name+"/")) {
			return true
		}
	}
	return false
}

// remark changes marks, durably, before fn changes the files. A mark without a file does no
// harm: it is dropped when its name is used again.
func (d *Depot) remark(change func(map[string]mark), fn func() error) error {
	next := map[string]mark{}
	for n, m := range d.marks {
		next[n] = m
	}
	change(next)
	if err := d.records.Put(bucket, keyMark, next); err != nil {
		return err
	}
	d.marks = next
	return fn()
}

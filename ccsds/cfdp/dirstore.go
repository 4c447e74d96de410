package cfdp

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// partDir holds files that are not complete. It is inside the root so that the
// last step can be a rename; no name from outside may enter it.
const partDir = ".cfdp-part"

// maxPartNames bounds the search for a free name of an unfinished file.
const maxPartNames = 1 << 16

// Dir is a Filestore in one directory. It implements Resumer.
type Dir struct {
	root *os.Root
	next int
}

// DirStore opens the directory, which must exist, as a Filestore. No name,
// link or mount point leads out of it: every access goes through os.Root.
func DirStore(dir string) (*Dir, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open file store: %w", err)
	}
	if err := root.Mkdir(partDir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, errors.Join(fmt.Errorf("open file store: %w", err), root.Close())
	}
	return &Dir{root: root}, nil
}

// Close releases the directory. Files that are open stay so.
func (d *Dir) Close() error { return d.root.Close() }

// CheckName accepts a slash-separated relative name, as short and plain as
// every file system takes it.
func CheckName(name string) error {
	switch {
	case name == "" || len(name) > 255:
		return fmt.Errorf("file name of %d octets, 1 to 255", len(name))
	case !fs.ValidPath(name) || name == "." || !filepath.IsLocal(name):
		return fmt.Errorf("file name %q is not a plain relative name", name)
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7F || r == '\\' }):
		return fmt.Errorf("file name %q has a control character or backslash", name)
	}
	for part := range strings.SplitSeq(name, "/") {
		if strings.EqualFold(part, partDir) {
			return fmt.Errorf("file name %q is reserved", name)
		}
	}
	return nil
}

// Create begins a file. Its octets take no space before they arrive.
func (d *Dir) Create(name string, _ uint64) (Writer, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	for range maxPartNames {
		token := fmt.Sprintf("%d.part", d.next)
		d.next++
		f, err := d.root.OpenFile(path.Join(partDir, token), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("create %s: %w", name, err)
		}
		return &dirWriter{File: f, dir: d, name: name, token: token}, nil
	}
	return nil, fmt.Errorf("create %s: too many unfinished files", name)
}

// Resume opens an unfinished file again.
func (d *Dir) Resume(name, token string, _ uint64) (ResumableWriter, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	if err := CheckName(token); err != nil || strings.Contains(token, "/") {
		return nil, fmt.Errorf("resume %s: bad token %q", name, token)
	}
	f, err := d.root.OpenFile(path.Join(partDir, token), os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("resume %s: %w", name, err)
	}
	return &dirWriter{File: f, dir: d, name: name, token: token}, nil
}

// Received opens a file that has arrived.
func (d *Dir) Received(name string) (Reader, error) { return d.Open(name) }

// Sweep removes unfinished files that nobody will resume.
func (d *Dir) Sweep(keep map[string]bool) error {
	entries, err := fs.ReadDir(d.root.FS(), partDir)
	if err != nil {
		return fmt.Errorf("sweep file store: %w", err)
	}
	var errs []error
	for _, e := range entries {
		if !keep[e.Name()] {
			errs = append(errs, d.root.Remove(path.Join(partDir, e.Name())))
		}
	}
	return errors.Join(errs...)
}

// Open opens a regular file for sending.
func (d *Dir) Open(name string) (Reader, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	// Look before opening: opening a FIFO would wait for its writer.
	info, err := d.root.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("open %s: not a regular file", name)
	}
	f, err := d.root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	return &dirReader{File: f, size: info.Size()}, nil
}

type dirReader struct {
	*os.File
	size int64
}

func (r *dirReader) Size() int64 { return r.size }

type dirWriter struct {
	*os.File
	dir         *Dir
	name, token string
}

func (w *dirWriter) Token() string { return w.token }

// Commit syncs the file and renames it, replacing one of the same name.
func (w *dirWriter) Commit() error {
	if err := errors.Join(w.Sync(), w.Close()); err != nil {
		return fmt.Errorf("commit %s: %w", w.name, err)
	}
	if dir := path.Dir(w.name); dir != "." {
		if err := w.dir.root.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("commit %s: %w", w.name, err)
		}
	}
	if err := w.dir.root.Rename(path.Join(partDir, w.token), w.name); err != nil {
		return fmt.Errorf("commit %s: %w", w.name, err)
	}
	return w.dir.syncDir(path.Dir(w.name))
}

// Abort removes the file.
func (w *dirWriter) Abort() error {
	_ = w.Close() // already closed when Commit failed
	if err := w.dir.root.Remove(path.Join(partDir, w.token)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("abort %s: %w", w.name, err)
	}
	return nil
}

// syncDir makes a rename durable.
func (d *Dir) syncDir(name string) error {
	f, err := d.root.Open(name)
	if err != nil {
		return fmt.Errorf("sync %s: %w", name, err)
	}
	return errors.Join(f.Sync(), f.Close())
}

package cfdp

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Act carries out a filestore request within the root. It replaces no file but
// where the request says so, removes no directory that holds something, and
// follows no link out.
func (d *Dir) Act(f FilestoreRequest, maxSize uint64) (RequestStatus, error) {
	for _, name := range []string{f.First, f.Second} {
		if err := CheckName(name); err != nil && (name == f.First || f.twoNames()) {
			return notAllowed(f.Action), err
		}
	}
	switch f.Action {
	case ActionCreateFile:
		return d.createFile(f.First)
	case ActionDeleteFile, ActionDenyFile:
		return d.remove(f, false)
	case ActionRemoveDirectory, ActionDenyDirectory:
		return d.remove(f, true)
	case ActionCreateDirectory:
		if err := d.root.Mkdir(f.First, 0o755); err != nil {
			return createRefused, bare(err)
		}
		return d.settled(f.First)
	case ActionRenameFile:
		return d.rename(f)
	case ActionAppendFile, ActionReplaceFile:
		return d.join(f, maxSize)
	}
	return RequestNotPerformed, errors.New("unknown action")
}

func notAllowed(a Action) RequestStatus {
	switch a {
	case ActionCreateFile, ActionCreateDirectory:
		return createRefused
	case ActionRenameFile, ActionAppendFile, ActionReplaceFile:
		return refusedTwo
	}
	return refused
}

// settled makes the change of a directory durable.
func (d *Dir) settled(names ...string) (RequestStatus, error) {
	for _, n := range names {
		if err := d.syncDir(path.Dir(n)); err != nil {
			return RequestDone, bare(err)
		}
	}
	return RequestDone, nil
}

func (d *Dir) createFile(name string) (RequestStatus, error) {
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return createRefused, bare(err)
	}
	if err := f.Close(); err != nil {
		return createRefused, bare(err)
	}
	return d.settled(name)
}

// remove takes away a file or an empty directory. To deny one that is not there
// is to succeed.
func (d *Dir) remove(f FilestoreRequest, dir bool) (RequestStatus, error) {
	deny := f.Action == ActionDenyFile || f.Action == ActionDenyDirectory
	st, err := d.root.Lstat(f.First)
	switch {
	case errors.Is(err, fs.ErrNotExist) && deny:
		return RequestDone, nil
	case errors.Is(err, fs.ErrNotExist):
		return missingFirst, nil
	case err != nil:
		return refused, bare(err)
	case st.IsDir() != dir:
		return refused, errors.New("a file is no directory")
	}
	if err := d.root.Remove(f.First); err != nil {
		return refused, bare(err)
	}
	return d.settled(f.First)
}

func (d *Dir) rename(f FilestoreRequest) (RequestStatus, error) {
	if _, err := d.root.Lstat(f.First); err != nil {
		return missingFirst, nil
	}
	if _, err := d.root.Lstat(f.Second); err == nil {
		return targetExists, nil
	}
	if err := d.root.Rename(f.First, f.Second); err != nil {
		return refusedTwo, bare(err)
	}
	return d.settled(f.First, f.Second)
}

// join makes the first file anew, of both or of the second only, and puts it in
// place at once: no half of it is ever seen.
func (d *Dir) join(f FilestoreRequest, maxSize uint64) (RequestStatus, error) {
	first, err := d.Open(f.First)
	if err != nil {
		return missingFirst, bare(err)
	}
	defer first.Close()
	second, err := d.Open(f.Second)
	if err != nil {
		return missingSecond, bare(err)
	}
	defer second.Close()
	parts, size := []Reader{second}, uint64(second.Size())
	if f.Action == ActionAppendFile {
		parts, size = []Reader{first, second}, size+uint64(first.Size())
	}
	if size > maxSize {
		return refusedTwo, fmt.Errorf("%d octets, at most %d", size, maxSize)
	}
	w, err := d.Create(f.First, 0)
	if err != nil {
		return refusedTwo, bare(err)
	}
	at := int64(0)
	for _, p := range parts {
		n, err := io.Copy(io.NewOffsetWriter(w, at), io.NewSectionReader(p, 0, p.Size()))
		if err != nil {
			return refusedTwo, errors.Join(bare(err), w.Abort())
		}
		at += n
	}
	if err := w.Commit(); err != nil {
		return refusedTwo, errors.Join(bare(err), w.Abort())
	}
	return RequestDone, nil
}

// bare takes names out of an error: the answer has them already.
func bare(err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		return p.Err
	case errors.As(err, &l):
		return l.Err
	}
	return err
}

// maxListed bounds a listing.
const maxListed = 1000

// List tells what is in a directory, the root for "" or ".": a line for each
// entry, by name, of its kind (f, d, or ? for what is neither), size in octets,
// time of the last change in Unix seconds, and name, quoted as in Go where it is
// not plain. A last line of three dots says that there are more.
func (d *Dir) List(dir string) ([]byte, error) {
	if dir == "" {
		dir = "."
	}
	if dir != "." {
		if err := CheckName(dir); err != nil {
			return nil, err
		}
	}
	// Look before opening: opening a FIFO would wait for its writer.
	st, err := d.root.Stat(dir)
	if err == nil && !st.IsDir() {
		err = errors.New("not a directory")
	}
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir, bare(err))
	}
	f, err := d.root.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir, bare(err))
	}
	defer f.Close()
	entries, err := f.ReadDir(maxListed + 2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return e.Name() == partDir })
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	var out []byte
	for i, e := range entries {
		if i == maxListed {
			return append(out, "...\n"...), nil
		}
		if st, err := e.Info(); err == nil { // else it is gone meanwhile
			out = fmt.Appendf(out, "%c %d %d %s\n", kindOf(st.Mode()), st.Size(), st.ModTime().Unix(), plain(e.Name()))
		}
	}
	return out, nil
}

func kindOf(m fs.FileMode) byte {
	switch {
	case m.IsRegular():
		return 'f'
	case m.IsDir():
		return 'd'
	}
	return '?'
}

func plain(name string) string {
	if q := strconv.QuoteToASCII(name); q != `"`+name+`"` {
		return q
	}
	return name
}

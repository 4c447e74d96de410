package stored

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// asidePrefix names what was a segment and cannot be opened.
const asidePrefix = "bad-"

// Open reads the store in dir, which it makes, of at most max octets. What of it is damaged costs
// no more than itself: Damage tells.
func Open(dir string, max int64) (*Store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	s := &Store{dir: dir, max: max}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries { // by name, which is by number
		if strings.HasPrefix(e.Name(), asidePrefix) { // of an earlier start
			s.note(e.Name(), os.RemoveAll(filepath.Join(dir, e.Name())))
		}
		if n, err := strconv.ParseUint(e.Name(), 16, 64); err == nil && e.Name() == name(n) {
			s.load(n)
		}
	}
	if n := len(s.segments); n > 0 && s.segments[n-1].number == s.last && s.segments[n-1].size < s.max/segments {
		// Gone on with: each start of flight would leave a small one behind otherwise.
		if s.file, err = os.OpenFile(s.path(s.last), os.O_RDWR, 0); err == nil {
			return s, nil
		}
	}
	return s, s.begin()
}

// load takes up a segment, or sets it aside when it cannot be opened.
func (s *Store) load(n uint64) {
	s.last = n
	g, err := s.open(n)
	switch {
	case err != nil:
		s.note(name(n), errors.Join(err, os.Rename(s.path(n), filepath.Join(s.dir, asidePrefix+name(n)))))
		return
	case g.damaged > 0:
		s.note(name(n), fmt.Errorf("%d damaged places passed over", g.damaged))
	}
	s.segments = append(s.segments, g)
}

// open counts what is in a file and cuts off what is behind its last record.
func (s *Store) open(n uint64) (g segment, err error) {
	f, err := os.OpenFile(s.path(n), os.O_RDWR, 0)
	if err != nil {
		return g, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return g, err
	}
	if !st.Mode().IsRegular() {
		return g, errors.New("not a regular file")
	}
	g = scan(f, n, min(st.Size(), s.max)) // a segment is smaller than the store
	if g.size == st.Size() {
		return g, nil
	}
	return g, f.Truncate(g.size)
}

// note keeps what Damage tells. Without an error there is nothing to tell.
func (s *Store) note(file string, err error) {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err // the file is named already
	}
	if err != nil {
		s.damage = append(s.damage, fmt.Sprintf("%s: %v", strings.TrimLeft(file, "0"), err))
	}
}

// Damage is what Open had to pass over, a line for each file, and is empty as a rule.
func (s *Store) Damage() []string { return slices.Clone(s.damage) }

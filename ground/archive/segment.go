package archive

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/perilune/perilune/internal/client"
)

// The record on disk is a row of segments, each named after the first event in it.
const (
	segmentSize = 32 << 20 // octets after which a new segment begins
	segments    = 32       // kept; older ones are removed
	maxLine     = 1 << 20
)

func segmentName(first uint64) string { return fmt.Sprintf("events-%012d.jsonl", first) }

// list returns the segments' paths, oldest first.
func list(dir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "events-????????????.jsonl"))
	slices.Sort(paths)
	return paths, err
}

func firstOf(path string) uint64 {
	var n uint64
	if _, err := fmt.Sscanf(filepath.Base(path), "events-%d.jsonl", &n); err != nil {
		return 0
	}
	return n
}

// room makes sure that the current segment is open and takes n octets more.
func (a *Archive) room(seq uint64, n int) error {
	if a.file != nil && a.size+int64(n) <= segmentSize {
		return nil
	}
	if a.file != nil {
		if err := a.file.Close(); err != nil {
			return err
		}
		a.file = nil
	}
	path := filepath.Join(a.dir, segmentName(seq))
	if a.goOn != "" { // each start of a station would leave a small one behind otherwise
		path, a.goOn = a.goOn, ""
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	st, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	a.file, a.size = f, st.Size()
	all, err := list(a.dir)
	if err != nil {
		return err
	}
	for _, old := range all[:max(0, len(all)-segments)] {
		if err := os.Remove(old); err != nil {
			return err
		}
	}
	return nil
}

// recoverLast finds the last whole event and cuts off a torn line behind it. The segment that
// it is in is gone on with.
func recoverLast(dir string) (last uint64, path string, err error) {
	all, err := list(dir)
	if err != nil || len(all) == 0 {
		return 0, "", err
	}
	path = all[len(all)-1]
	last, good := firstOf(path), int64(0)
	if last > 0 {
		last--
	}
	err = scan(path, func(e client.Event, end int64) error {
		last, good = e.Seq, end
		return nil
	})
	if errors.Is(err, errTorn) {
		err = os.Truncate(path, good)
	}
	return last, path, err
}

var errTorn = errors.New("line without an end")

// scan calls fn for each event of a segment with the offset behind it. Lines that are no events
// are damaged ones and passed over; without its end the last one is torn.
func scan(path string, fn func(e client.Event, end int64) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var end int64
	r := bufio.NewReaderSize(f, 64<<10)
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err != nil {
			return fmt.Errorf("%s: octet %d: %w", path, end, errTorn)
		}
		end += int64(len(line))
		var e client.Event
		if len(line) > maxLine || json.Unmarshal(bytes.TrimSpace(line), &e) != nil {
			continue
		}
		if err := fn(e, end); err != nil {
			return err
		}
	}
}

// replay calls fn for the events on disk after since and before first.
func (a *Archive) replay(since, first uint64, fn func(client.Event) error) error {
	all, err := list(a.dir)
	if err != nil {
		return err
	}
	for i, path := range all {
		if i+1 < len(all) && firstOf(all[i+1]) <= since+1 || firstOf(path) >= first {
			continue
		}
		var failed error
		err := scan(path, func(e client.Event, _ int64) error {
			if e.Seq <= since || e.Seq >= first {
				return nil
			}
			failed = fn(e)
			return failed
		})
		switch {
		case failed != nil:
			return failed
		case err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, errTorn):
			// A segment removed meanwhile, or one that is being written, ends early.
			return err
		}
	}
	return nil
}

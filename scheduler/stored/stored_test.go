package stored_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/scheduler/stored"
)

func open(t *testing.T, dir string, max int64) *stored.Store {
	t.Helper()
	s, err := stored.Open(dir, max)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func all(s *stored.Store) (got []string) {
	for {
		p, ok := s.Next()
		if !ok {
			return got
		}
		got = append(got, string(p))
	}
}

func put(t *testing.T, s *stored.Store, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := s.Add(timecode.Instant(i), fmt.Appendf(nil, "packet %d", i)); err != nil {
			t.Fatal(err)
		}
	}
}

// What was stored comes back by time, over a restart that nobody announced, and what is
// stored meanwhile belongs to no retrieval.
func TestRetrieve(t *testing.T) {
	dir := t.TempDir()
	put(t, open(t, dir, 4096), 0, 30)
	s := open(t, dir, 4096)
	put(t, s, 30, 40)
	if err := s.Retrieve(28, 35); err != nil {
		t.Fatal(err)
	}
	put(t, s, 33, 34)
	if got := fmt.Sprint(all(s)); got != "[packet 28 packet 29 packet 30 packet 31 packet 32 packet 33 packet 34 packet 35]" {
		t.Error(got)
	}
	if sum := s.Summary(); sum.Packets != 41 || sum.Oldest != 0 || sum.Newest != 39 || sum.Retrievals != 0 {
		t.Errorf("%+v", sum)
	}
}

// A full store lets the oldest go and never outgrows its bound.
func TestBound(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 4096)
	put(t, s, 0, 2000)
	sum := s.Summary()
	if sum.Octets > 4096 || sum.Newest != 1999 || sum.Oldest == 0 || sum.Packets < 100 {
		t.Errorf("%+v", sum)
	}
	var size int64
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, f := range files {
		i, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		size += i.Size()
	}
	if size != sum.Octets {
		t.Errorf("%d octets on disk, %d said", size, sum.Octets)
	}
	if err := s.Retrieve(0, 1<<40); err != nil {
		t.Fatal(err)
	}
	if got := all(s); len(got) != sum.Packets || got[len(got)-1] != "packet 1999" {
		t.Errorf("%d packets of %d", len(got), sum.Packets)
	}
}

func TestDeleteAndAbort(t *testing.T) {
	s := open(t, t.TempDir(), 4096)
	put(t, s, 0, 20)
	if err := s.Retrieve(0, 9); err != nil {
		t.Fatal(err)
	}
	s.Abort()
	if got := all(s); got != nil {
		t.Errorf("aborted: %v", got)
	}
	if err := s.Delete(19); err != nil || s.Summary().Packets != 0 {
		t.Errorf("%+v, %v", s.Summary(), err)
	}
	put(t, s, 20, 21)
	for range 16 {
		if err := s.Retrieve(0, 100); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Retrieve(0, 1); !errors.Is(err, stored.ErrFull) {
		t.Errorf("a 17th retrieval: %v", err)
	}
	if got := all(s); len(got) != 16 {
		t.Errorf("%v", got)
	}
}

// A torn record and one with a flipped bit cost what follows in their segment, no more.
func TestDamage(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"torn":    func(b []byte) []byte { return b[:len(b)-3] },
		"flipped": func(b []byte) []byte { b[len(b)-3] ^= 1; return b },
		"garbage": func(b []byte) []byte { return append(b, bytes.Repeat([]byte{0xFF}, 50)...) },
	} {
		dir := t.TempDir()
		put(t, open(t, dir, 1<<20), 0, 5)
		file := filepath.Join(dir, "0000000000000001")
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, damage(b), 0o644); err != nil {
			t.Fatal(err)
		}
		want := 4
		if name == "garbage" {
			want = 5
		}
		if got := open(t, dir, 1<<20).Summary().Packets; got != want {
			t.Errorf("%s: %d packets, want %d", name, got, want)
		}
	}
}

// A flight program that starts again and again fills what it began and leaves no file a start.
func TestManyStarts(t *testing.T) {
	dir := t.TempDir()
	for i := range 50 {
		put(t, open(t, dir, 1<<20), i, i+1)
		open(t, dir, 1<<20)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files, %v", len(entries), err)
	}
	s := open(t, dir, 1<<20)
	if err := s.Retrieve(0, 49); err != nil {
		t.Fatal(err)
	}
	if got := all(s); len(got) != 50 || got[49] != "packet 49" {
		t.Errorf("%d packets came back", len(got))
	}
}

// FuzzOpen: no file makes the store fall over, and what it takes comes back.
func FuzzOpen(f *testing.F) {
	f.Add([]byte{0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 9})
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "0000000000000001"), data, 0o644); err != nil {
			t.Fatal(err)
		}
		s := open(t, dir, 1<<20)
		if err := s.Retrieve(-1<<62, 1<<62); err != nil {
			t.Fatal(err)
		}
		_ = all(s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

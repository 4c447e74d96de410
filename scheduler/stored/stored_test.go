package stored_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
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

// A torn record, flipped bits and garbage cost the records that they hit and no other, at the next
// start as in a store that is open.
func TestDamage(t *testing.T) {
	const record = 18 + len("packet 0")
	garbage := bytes.Repeat([]byte{0xFF}, 50)
	flip := func(b []byte, at int) []byte { b[at] ^= 0x10; return b }
	for name, c := range map[string]struct {
		damage func([]byte) []byte
		lost   int // the packet; -1: none
		places int
	}{
		"torn":            {func(b []byte) []byte { return b[:len(b)-3] }, 4, 1},
		"packet flipped":  {func(b []byte) []byte { return flip(b, 2*record+20) }, 2, 1},
		"marker flipped":  {func(b []byte) []byte { return flip(b, 2*record) }, 2, 1},
		"length flipped":  {func(b []byte) []byte { return flip(b, 2*record+5) }, 2, 1},
		"longer than all": {func(b []byte) []byte { return flip(b, 2*record+4) }, 2, 1},
		"instant flipped": {func(b []byte) []byte { return flip(b, 2*record+13) }, 2, 1},
		"sum flipped":     {func(b []byte) []byte { return flip(b, 2*record+15) }, 2, 1},
		"first flipped":   {func(b []byte) []byte { return flip(b, 0) }, 0, 1},
		"last flipped":    {func(b []byte) []byte { return flip(b, 4*record) }, 4, 1},
		"garbage behind":  {func(b []byte) []byte { return append(b, garbage...) }, -1, 1},
		"garbage before":  {func(b []byte) []byte { return append(bytes.Clone(garbage), b...) }, -1, 1},
		"garbage in two": {func(b []byte) []byte {
			return slices.Concat(b[:record], garbage, b[record:3*record], garbage, b[3*record:])
		}, -1, 2},
		"a record missing": {func(b []byte) []byte { return slices.Delete(b, 2*record, 3*record) }, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			open1 := open(t, dir, 1<<20)
			put(t, open1, 0, 5)
			if err := open1.Retrieve(0, 99); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, "0000000000000001")
			b, err := os.ReadFile(file)
			if err != nil || len(b) != 5*record {
				t.Fatalf("%d octets, %v", len(b), err)
			}
			b = c.damage(b)
			if err := os.WriteFile(file, b, 0o644); err != nil {
				t.Fatal(err)
			}
			var want []string
			for i := range 5 {
				if i != c.lost {
					want = append(want, fmt.Sprint("packet ", i))
				}
			}
			if len(b) <= 5*record { // else the open one does not look that far
				if got := all(open1); !slices.Equal(got, want) {
					t.Errorf("while it is open: %q", got)
				}
			}
			s := open(t, dir, 1<<20)
			damage := s.Damage()
			if len(damage) != min(1, c.places) || c.places > 0 && damage[0] != fmt.Sprintf("1: %d damaged places passed over", c.places) {
				t.Errorf("damage %q", damage)
			}
			put(t, s, 5, 6) // goes behind what is right
			if err := s.Retrieve(0, 99); err != nil {
				t.Fatal(err)
			}
			if got := all(s); !slices.Equal(got, append(want, "packet 5")) {
				t.Errorf("%q", got)
			}
			if sum := s.Summary(); sum.Packets != len(want)+1 {
				t.Errorf("%+v", sum)
			}
		})
	}
}

// What looks like a record in the octets of a packet is none, whatever happens to the others.
func TestRecordInPacket(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 1<<20)
	put(t, s, 0, 1)
	file := filepath.Join(dir, "0000000000000001")
	inner, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Add(7, slices.Concat([]byte("xx"), inner, inner[:10])); err != nil {
			t.Fatal(err)
		}
	}
	put(t, s, 1, 2)
	s = open(t, dir, 1<<20)
	if sum := s.Summary(); sum.Packets != 4 || len(s.Damage()) > 0 {
		t.Errorf("%+v, %q", sum, s.Damage())
	}
}

// A file that cannot be opened is set aside and said; the others and the store go on.
func TestSetAside(t *testing.T) {
	for _, bad := range []string{"0000000000000001", "0000000000000002", "000000000000000a"} {
		dir := t.TempDir()
		for n := range 3 {
			from := t.TempDir()
			put(t, open(t, from, 1<<20), 10*n, 10*n+10)
			if err := os.Rename(filepath.Join(from, "0000000000000001"), filepath.Join(dir, fmt.Sprintf("%016x", 8+n))); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.RemoveAll(filepath.Join(dir, bad)); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(filepath.Join(dir, bad), 0o755); err != nil { // cannot be opened for writing, by root either
			t.Fatal(err)
		}
		want := 30
		if bad == "000000000000000a" {
			want = 20
		}
		s := open(t, dir, 1<<20)
		if d := s.Damage(); len(d) != 1 || !strings.HasPrefix(d[0], strings.TrimLeft(bad, "0")+": is a directory") {
			t.Errorf("damage %q", d)
		}
		put(t, s, 30, 31)
		if sum := s.Summary(); sum.Packets != want+1 {
			t.Errorf("%s: %+v", bad, sum)
		}
		if _, err := os.Stat(filepath.Join(dir, "bad-"+bad)); err != nil {
			t.Error(err)
		}
		s = open(t, dir, 1<<20) // what was set aside is let go
		if _, err := os.Stat(filepath.Join(dir, "bad-"+bad)); !os.IsNotExist(err) || len(s.Damage()) > 0 || s.Summary().Packets != want+1 {
			t.Errorf("after the next start: %v, %q, %+v", err, s.Damage(), s.Summary())
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

// FuzzOpen: no file makes the store fall over; what is right in front of it and behind it comes
// back, and what it takes itself comes back as often as it counted.
func FuzzOpen(f *testing.F) {
	dir := f.TempDir()
	s, err := stored.Open(dir, 1<<20)
	if err == nil {
		err = errors.Join(s.Add(1, []byte("first")), s.Add(2, []byte("second")))
	}
	right, err2 := os.ReadFile(filepath.Join(dir, "0000000000000001"))
	if err = errors.Join(err, err2); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{})
	f.Add(right)
	f.Add(right[:len(right)-1])
	f.Add(right[1:])
	f.Add(bytes.Replace(right, []byte("first"), right, 1))
	f.Add(slices.Concat(right[:4], []byte{0xFF, 0xFF}, right[6:]))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "0000000000000001"), slices.Concat(right, data, right), 0o644); err != nil {
			t.Fatal(err)
		}
		s := open(t, dir, 1<<20)
		if err := errors.Join(s.Add(3, []byte("third")), s.Retrieve(-1<<63, 1<<63-1)); err != nil {
			t.Fatal(err)
		}
		got := all(s)
		// Data that ends in the middle of a record may swallow what is behind it, when all is right but that.
		if len(got) != s.Summary().Packets || len(got) < 3 || got[0] != "first" || got[1] != "second" || got[len(got)-1] != "third" {
			t.Errorf("%q of %+v", got, s.Summary())
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		again := open(t, dir, 1<<20)
		if sum := again.Summary(); sum.Packets != len(got) {
			t.Errorf("%d packets, %d after a start", len(got), sum.Packets)
		}
	})
}

package archive_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/perilune/perilune/ground/archive"
	"github.com/perilune/perilune/internal/client"
)

var errStop = errors.New("enough")

func open(t *testing.T, dir string) *archive.Archive {
	t.Helper()
	a, err := archive.Open(dir, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

// read collects n events after since and checks that none is missing.
func read(t *testing.T, a *archive.Archive, since uint64, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	want := since + 1
	err := a.Follow(ctx, since, func(e client.Event) error {
		if e.Seq != want || e.Text != fmt.Sprint("event ", want) {
			return fmt.Errorf("got event %d %q, want %d", e.Seq, e.Text, want)
		}
		want++
		if n--; n == 0 {
			return errStop
		}
		return nil
	})
	if !errors.Is(err, errStop) {
		t.Fatal(err)
	}
}

func add(a *archive.Archive, from, to int) {
	for i := from; i <= to; i++ {
		a.Add(client.Event{Kind: client.KindTM, Text: fmt.Sprint("event ", i)})
	}
}

func TestFollowFromMemoryAndDisk(t *testing.T) {
	a := open(t, t.TempDir())
	add(a, 1, archive.Ring+500)
	read(t, a, archive.Ring, 500)
	read(t, a, 0, archive.Ring+500)
	read(t, a, 100, archive.Ring)
}

func TestFollowWaitsForNewEvents(t *testing.T) {
	a := open(t, t.TempDir())
	go add(a, 1, 2000)
	read(t, a, 0, 2000)
}

func TestSequenceGoesOnAfterATornLine(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	add(a, 1, 10)
	a.Close()
	files, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if len(files) != 1 {
		t.Fatalf("files %v", files)
	}
	f, err := os.OpenFile(files[0], os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, `{"seq":11,"ki`)
	f.Close()

	a = open(t, dir)
	if a.Last() != 10 {
		t.Fatalf("last is %d, want 10", a.Last())
	}
	add(a, 11, 20)
	read(t, a, 0, 20)
}

// numbers reads what is on disk, all in one segment, as another process would.
func numbers(t *testing.T, dir string, last uint64) (out []uint64) {
	t.Helper()
	if files, err := filepath.Glob(filepath.Join(dir, "*.jsonl")); err != nil || len(files) != 1 {
		t.Errorf("segments %v (%v), want one", files, err)
	}
	a := open(t, dir)
	if a.Last() != last {
		t.Errorf("the last event is %d, want %d", a.Last(), last)
	}
	add(a, int(last)+1, int(last)+1) // a follower that has read the disk waits for it
	err := a.Follow(t.Context(), 0, func(e client.Event) error {
		if e.Seq > last {
			return errStop
		}
		out = append(out, e.Seq)
		return nil
	})
	if !errors.Is(err, errStop) {
		t.Fatal(err)
	}
	return out
}

// A disk that is full for a while costs the events that did not fit, and none behind them.
func TestFullDisk(t *testing.T) {
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	dir := t.TempDir()
	a := open(t, dir)
	add(a, 1, 3)
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	st, err := os.Stat(files[0])
	if err != nil {
		t.Fatal(err)
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	full := syscall.Rlimit{Cur: uint64(st.Size()) + 20, Max: limit.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full); err != nil {
		t.Fatal(err)
	}
	add(a, 4, 5) // half of a line fits
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	add(a, 6, 8)
	a.Close()
	if got := fmt.Sprint(numbers(t, dir, 8)); got != "[1 2 3 6 7 8]" {
		t.Errorf("on disk %s", got)
	}
}

// A damaged line costs its event, and many starts cost none.
func TestDamagedLine(t *testing.T) {
	dir := t.TempDir()
	for n := range 40 {
		a := open(t, dir)
		add(a, n+1, n+1)
		a.Close()
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	b[bytes.IndexByte(b, '\n')+1] ^= 0x10 // the second line's brace
	if err := os.WriteFile(files[0], b, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, dir, 40); len(got) != 39 || got[0] != 1 || got[1] != 3 {
		t.Errorf("on disk %v", got)
	}
}

func TestCloseEndsFollowers(t *testing.T) {
	a := open(t, t.TempDir())
	add(a, 1, 3)
	done := make(chan error)
	go func() { done <- a.Follow(context.Background(), 0, func(client.Event) error { return nil }) }()
	a.Close()
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("a follower outlives the archive")
	}
}

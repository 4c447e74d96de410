package archive_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
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
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
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
	case <-time.After(10 * time.Second):
		t.Fatal("a follower outlives the archive")
	}
}

package debian

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Of several that want a folder one makes it, and the others find it whole.
func TestMakeOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a [b] c", "root")
	left := dir + ".tmp-1"
	if err := os.MkdirAll(filepath.Join(left, "half"), 0o755); err != nil {
		t.Fatal(err)
	}
	var times int // the lock keeps it
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			err := Make(t.Context(), dir, func(work string) error {
				if _, err := os.Stat(filepath.Join(dir, "file")); err == nil {
					return ErrMade
				}
				times++
				return os.WriteFile(filepath.Join(work, "file"), []byte("whole"), 0o644)
			})
			if b, read := os.ReadFile(filepath.Join(dir, "file")); err != nil || string(b) != "whole" {
				t.Errorf("%v, %q, %v", err, b, read)
			}
		})
	}
	all.Wait()
	if entries, err := os.ReadDir(filepath.Dir(dir)); times != 1 || err != nil || len(entries) != 2 { // and the lock
		t.Errorf("made %d times, left %v, %v", times, entries, err)
	}
}

// What cannot be made leaves what was there before, and who waits can be called off.
func TestMakeFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "root")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	bad := errors.New("bad luck")
	err := Make(ctx, dir, func(string) error {
		cancel()
		if err := Make(ctx, dir, func(string) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("a second one: %v", err)
		}
		return bad
	})
	if entries, read := os.ReadDir(filepath.Dir(dir)); !errors.Is(err, bad) || read != nil || len(entries) != 2 {
		t.Errorf("%v, left %v, %v", err, entries, read)
	}
}

// A source that cannot be asked is an error that says so, not one without packages.
func TestPrivateSaysWhatIsWrong(t *testing.T) {
	if err := Tools(); err != nil {
		t.Skip(err)
	}
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	dir := filepath.Join(t.TempDir(), "a b")
	apt, err := Private(dir, "amd64", Source{"debian", "no-such-suite"})
	if err != nil {
		t.Skip(err)
	}
	if err := apt.Update(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "no-such-suite") {
		t.Errorf("%v", err)
	}
}

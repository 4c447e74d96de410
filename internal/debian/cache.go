package debian

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// ErrMade is what the make of Make returns if another process has made the folder.
var ErrMade = errors.New("the folder is there")

// lockPoll is how often it is looked whether another process has made the folder.
const lockPoll = 100 * time.Millisecond

// Make makes the folder dir of a cache, in place of what is there: make fills a new one, its
// argument, which is an absolute path. One process at a time does it, and clears away what
// another has left half done.
func Make(ctx context.Context, dir string, make func(work string) error) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	parent, name := filepath.Split(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	lock, err := alone(ctx, dir+".lock")
	if err != nil {
		return err
	}
	defer lock.Close()
	left, err := fs.Glob(os.DirFS(parent), name+".tmp-*")
	for _, l := range left {
		err = errors.Join(err, os.RemoveAll(filepath.Join(parent, l)))
	}
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp(parent, name+".tmp-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := make(work); err != nil {
		if errors.Is(err, ErrMade) {
			return nil
		}
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.Rename(work, dir)
}

// alone takes the lock of that name; closing it gives it back.
func alone(ctx context.Context, name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", name, err)
		}
		select {
		case <-time.After(lockPoll):
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		}
	}
}

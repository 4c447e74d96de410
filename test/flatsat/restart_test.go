package flatsat_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/perilune/perilune/missions/craft"
)

// running is a part that can be stopped and started again.
type running struct {
	stop context.CancelFunc
	done <-chan error
}

// end stops the part and reports what it died of.
func (r *running) end(f *flatsat, what string) {
	f.t.Helper()
	if r.stop == nil {
		return
	}
	r.stop()
	if err := <-r.done; err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, io.ErrClosedPipe) && !errors.Is(err, io.EOF) {
		f.t.Errorf("%s: %v", what, err)
	}
	r.stop = nil
}

// start lets station and flight meet.
func (f *flatsat) start(ctx context.Context) {
	f.t.Helper()
	f.startGround(ctx)
	f.startFlight(ctx)
}

func (f *flatsat) startGround(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	f.ground = running{stop, f.station(ctx)}
}

func (f *flatsat) startFlight(ctx context.Context) {
	f.t.Helper()
	ctx, stop := context.WithCancel(ctx)
	f.space = running{stop, f.flight(ctx)}
}

// halt stops both.
func (f *flatsat) halt() {
	f.t.Helper()
	f.api.Close()
	f.ground.end(f, "station")
	f.space.end(f, "flight")
}

// again stops both, does something to what they have kept, and starts them: the craft as after
// a reset.
func (f *flatsat) again(ctx context.Context, between func()) {
	f.t.Helper()
	f.halt()
	between()
	f.boots++
	f.start(ctx)
}

// lose removes files that station or craft have kept.
func (f *flatsat) lose(patterns ...string) {
	f.t.Helper()
	f.each(patterns, os.RemoveAll)
}

// damage writes over them.
func (f *flatsat) damage(patterns ...string) {
	f.t.Helper()
	f.each(patterns, func(file string) error {
		return os.WriteFile(file, []byte("PLK1 and then nothing that could be right"), 0o600)
	})
}

func (f *flatsat) each(patterns []string, fn func(file string) error) {
	f.t.Helper()
	time.Sleep(2 * time.Second) // numbers that nobody knows any more begin by the second
	for _, p := range patterns {
		files, err := filepath.Glob(filepath.Join(f.dir, p))
		if err != nil || len(files) == 0 {
			f.t.Fatalf("nothing is %s: %v", p, err)
		}
		for _, file := range files {
			if err := fn(file); err != nil {
				f.t.Fatal(err)
			}
		}
	}
}

// Where station and craft keep what they know of keys.
var (
	stationDB   = filepath.Join("ground", "station.db")
	changedKeys = filepath.Join("keys", craft.ChangedFile("*"))
	craftDB     = filepath.Join("data", "records.db")
)

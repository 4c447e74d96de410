// Package sim puts a world around a craft: it builds the flight image, boots it in QEMU,
// places a noisy, delayed, sometimes absent space link in front of its radio and a ground
// station behind that, and shows what happens.
package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/missions/craft"
	"github.com/perilune/perilune/sim/story"
)

// Options of a simulation.
type Options struct {
	Craft   string    // path of craft.toml
	Root    string    // of the project: where go.mod is
	Out     string    // folder for all that is made, relative to the working directory
	Self    string    // path of the perilune program, for the station
	Accel   string    // "auto", "kvm" or "tcg"
	Build   Builder   // makes the disk
	Data    io.Writer // results
	Talk    io.Writer // what happens meanwhile
	JSON    bool
	Break   string // DEMO_BREAK, for the story
	Example string // folder of the example missions

	manual bool // the story sets the craft's clock itself
}

// Builder makes the craft's image out of files that are particular to this craft (path in
// the image → file here). It is wired in by the command, because the simulator does not
// import the room that writes the flight archive.
type Builder func(ctx context.Context, files map[string]string, talk io.Writer) (Image, error)

// Image is what a Builder made.
type Image struct {
	Disk           string // pristine, bootable
	Kernel, Initrd string // the same, for the probe of KVM
	Cache          string // folder for what is worth keeping
}

// Run flies a craft until ctx ends.
func Run(ctx context.Context, opt Options) error {
	c, err := craft.Load(opt.Craft)
	if err != nil {
		return err
	}
	s, err := open(ctx, c, opt)
	if err != nil {
		return err
	}
	defer s.close()
	s.welcome()
	user := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if err := s.control(ctx); err != nil {
		return err
	}
	go s.faults(ctx)
	go s.passes(ctx)
	go func() { cancel(s.watch(ctx)) }()
	err = s.status(ctx)
	if err != nil { // the station has ended, perhaps, and watch is about to say so
		wait(ctx, settle)
	}
	// Ctrl-C ends the station too, and watch may hear of that before it hears of Ctrl-C.
	if user.Err() != nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// Demo flies the story and returns its report.
func Demo(ctx context.Context, opt Options) (*story.Report, error) {
	what := story.Options{Break: opt.Break, Out: opt.Data}
	if err := what.Check(); err != nil {
		return nil, err
	}
	c, err := craft.Load(opt.Craft)
	if err != nil {
		return nil, err
	}
	c.Sim.BERUp, c.Sim.BERDown = storyUp, storyDown
	if c.Sim.EbN0Down != nil { // the profile has noise of its own, as bad as the story wants it
		c.Sim.BERDown = 0
	}
	c.Sim.Passes, c.Sim.Faults = "always", nil
	opt.manual = true
	s, err := open(ctx, c, opt)
	if err != nil {
		return nil, err
	}
	defer s.close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() { cancel(s.watch(ctx)) }()
	report, err := story.Run(ctx, &world{s}, what)
	if report != nil {
		err = errors.Join(err, report.Write(s.dir))
	}
	return report, err
}

// The story's channel, in bit errors a bit: enough to lose a tenth of the frames.
const (
	storyUp   = 1e-3
	storyDown = 5e-3
)

// lock keeps a second simulation out of the same folder.
func lock(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := flock(f); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("another simulation runs in %s: end it first", dir)
		}
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return f, nil
}

// settle is how long a process may take to end when asked.
const settle = 5 * time.Second

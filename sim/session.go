package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/images/disk"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/missions/craft"
	"github.com/perilune/perilune/sim/qemu"
	"github.com/perilune/perilune/sim/spacelink"
)

// session is a running simulation.
type session struct {
	opt     Options
	craft   *craft.Craft
	dir     string // out/sim
	accel   qemu.Accel
	lock    *os.File
	machine *qemu.Process
	space   *spacelink.Link
	gone    chan error // the station's end; nil if it was not started
	spaced  chan error // the space link's end
	cancel  context.CancelFunc
	api     *client.Client
}

// kept is what a new simulation leaves in the folder of the last one.
var kept = map[string]bool{"keys": true, "lock": true}

// open builds, boots and connects everything. What was started is stopped again when a
// later part fails.
func open(ctx context.Context, c *craft.Craft, opt Options) (_ *session, err error) {
	if err := c.Flies(); err != nil {
		return nil, fmt.Errorf("%s: %w", opt.Craft, err)
	}
	s := &session{opt: opt, craft: c, dir: filepath.Join(opt.Out, "sim"), cancel: func() {}}
	if s.lock, err = lock(s.dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if err = s.sweep(); err != nil {
		return nil, err
	}
	files, err := imageFiles(ctx, c, opt.Craft, opt.Out)
	if err != nil {
		return nil, err
	}
	image, err := opt.Build(ctx, files, opt.Talk)
	if err != nil {
		return nil, err
	}
	if err = s.choose(ctx, image); err != nil {
		return nil, err
	}
	if err = s.boot(ctx, image.Disk); err != nil {
		return nil, err
	}
	return s, s.connect(ctx)
}

// choose decides between KVM and TCG and says why.
func (s *session) choose(ctx context.Context, image Image) error {
	reason := "as ordered"
	switch s.opt.Accel {
	case "kvm", "tcg":
		s.accel = qemu.Accel(s.opt.Accel)
	case "auto":
		v, err := qemu.Probe(ctx, qemu.ProbeConfig{Kernel: image.Kernel, Initrd: image.Initrd, Cache: image.Cache})
		if err != nil {
			return err
		}
		s.accel, reason = v.Accel, v.Reason
	default:
		return fmt.Errorf("accelerator %q: want auto, kvm or tcg", s.opt.Accel)
	}
	fmt.Fprintf(s.opt.Talk, "QEMU runs the craft by %s: %s\n", s.accel, reason)
	return nil
}

// boot copies the disk, so that the craft writes to one of its own, and switches it on.
func (s *session) boot(ctx context.Context, image string) error {
	own := s.path("disk.img")
	if err := disk.Copy(own, image); err != nil {
		return err
	}
	dir, err := filepath.Abs(s.dir)
	if err != nil {
		return err
	}
	s.machine, err = qemu.Start(ctx, qemu.Config{
		Dir: dir, Accel: s.accel, MemoryMiB: s.craft.Memory,
		ConsoleLog: filepath.Join(dir, "console.log"), Disk: filepath.Join(dir, "disk.img"),
	})
	return err
}

// sweep empties out/sim but for what is kept: each flight begins with a new craft.
func (s *session) sweep() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !kept[e.Name()] {
			err = errors.Join(err, os.RemoveAll(filepath.Join(s.dir, e.Name())))
		}
	}
	// Keys are kept; what was changed over the air was changed on a craft that is no more.
	changed, _ := filepath.Glob(filepath.Join(s.dir, "keys", craft.ChangedFile("*"))) // the pattern is good
	for _, file := range changed {
		err = errors.Join(err, os.Remove(file))
	}
	return err
}

func (s *session) path(name string) string { return filepath.Join(s.dir, name) }

// connect opens the space and starts the station.
func (s *session) connect(ctx context.Context) error {
	var err error
	s.space, err = spacelink.New(spacelink.Config{
		Craft: s.machine.Radio, Ground: s.path("radio.sock"), Dir: s.dir,
		BERUp: s.craft.Sim.BERUp, BERDown: s.craft.Sim.BERDown, Seed: s.craft.Sim.Seed,
		Soft: s.craft.Link.Soft, EbN0Down: s.craft.Sim.EbN0Down, Ratio: s.craft.Link.Ratio(),
		Delay: time.Duration(s.craft.Sim.DelayMS) * time.Millisecond, Clock: clock.Real{},
	})
	if err != nil {
		return err
	}
	ctx, s.cancel = context.WithCancel(ctx)
	s.spaced = make(chan error, 1)
	go func() { s.spaced <- s.space.Run(ctx) }()
	if err := s.startStation(ctx); err != nil {
		return err
	}
	return s.dial(ctx)
}

func (s *session) startStation(ctx context.Context) error {
	args := []string{"station", "--craft", s.opt.Craft, "--radio", "unix:" + s.path("radio.sock"),
		"--dir", s.path("ground"), "--socket", s.path("ground.sock"), "--keys", keysDir(s.opt.Out)}
	if s.opt.manual {
		args = append(args, "--auto-time=false")
	}
	if s.opt.Break != "" {
		args = append(args, "--break", s.opt.Break)
	}
	log, err := os.Create(s.path("station.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	station := exec.CommandContext(ctx, s.opt.Self, args...)
	station.Stdout, station.Stderr = log, log
	station.Cancel = func() error { return station.Process.Signal(syscall.SIGTERM) }
	station.WaitDelay = settle
	// Its own group: Ctrl-C reaches the simulator alone, which ends the rest in order.
	station.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := station.Start(); err != nil {
		return fmt.Errorf("start the station: %w", err)
	}
	s.gone = make(chan error, 1)
	go func() { s.gone <- station.Wait() }()
	return nil
}

// dial waits until the station answers.
func (s *session) dial(ctx context.Context) error {
	for {
		api, err := client.Dial(s.path("ground.sock"))
		if err == nil {
			s.api = api
			return nil
		}
		select {
		case end := <-s.gone:
			s.gone <- end
			return fmt.Errorf("the station ended: %v\n%s", end, tail(s.path("station.log"), 1000))
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// watch returns when a part of the simulation ends by itself.
func (s *session) watch(ctx context.Context) error {
	select {
	case err := <-s.gone:
		s.gone <- err
		return fmt.Errorf("the station ended: %v\n%s", err, tail(s.path("station.log"), 1000))
	case err := <-s.spaced:
		s.spaced <- err
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("the space link ended: %w", err)
	case <-s.machine.Done():
		return fmt.Errorf("the craft's computer ended: %v\n%s", s.machine.Wait(), tail(s.path("console.log"), 2000))
	case <-ctx.Done():
		return nil
	}
}

// close ends everything and removes the sockets.
func (s *session) close() {
	s.cancel()
	if s.gone != nil {
		<-s.gone
	}
	if s.space != nil {
		if s.spaced != nil {
			<-s.spaced
		}
		s.space.Close()
	}
	if s.machine != nil {
		s.machine.Kill()
	}
	for _, name := range []string{"ground.sock", "radio.sock", controlSocket} {
		os.Remove(s.path(name))
	}
	s.lock.Close()
}

func flock(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }

// tail is the end of a text file, at most n octets.
func tail(path string, n int64) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil && st.Size() > n {
		f.Seek(-n, io.SeekEnd)
	}
	b, _ := io.ReadAll(io.LimitReader(f, n))
	return string(b)
}

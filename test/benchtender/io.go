package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/missions/sdk"
	"golang.org/x/sys/unix"
)

// Sizes of what the I/O guest does: a disk that the host's page cache holds,
// and frames of Ethernet's longest.
const (
	diskSize  = 64 << 20
	readSize  = 4096
	frameSize = 1514
	ioRounds  = 5
)

// ioBench compares how a guest at CPL 3 reads its disk and sends frames: by
// calls on the reference and by rings, with what the host itself can do on
// the same file and the same tap. All of it takes turns, round by round, so
// that the machine's noise meets all of them; a figure is the median of its
// rounds.
type ioBench struct {
	*bench
	dir, disk string
	cost      map[string][]float64 // ns a piece
	kicks     []float64
}

func (b *bench) inputOutput() error {
	dir, err := os.MkdirTemp("", "benchtender")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	o := &ioBench{bench: b, dir: dir, disk: filepath.Join(dir, "disk"), cost: map[string][]float64{}}
	if err := o.prepare(); err != nil {
		return err
	}
	for range ioRounds {
		if err := o.round(); err != nil {
			return err
		}
	}
	o.report()
	return nil
}

// prepare builds the guest twice from one source, without rings as the
// reference must have it and with them, and fills the disk.
func (o *ioBench) prepare() (err error) {
	disk, radio := hvt.Entry{Name: "disk", Type: hvt.Block}, hvt.Entry{Name: "radio", Type: hvt.Net}
	for name, list := range map[string][]hvt.Entry{"plain": {disk},
		"block": {disk, hvt.Extend("disk", hvt.BlockRing, 64)}, "net": {radio, hvt.Extend("radio", hvt.NetRing, 64)}} {
		if _, err = sdk.Build(context.Background(), sdk.Project{Dir: "test/benchtender/io", Name: name, Sources: []string{"main.c"},
			Manifest: hvt.Manifest{Entries: list}, Arch: runtime.GOARCH, Out: filepath.Join(o.dir, name), Warnings: os.Stderr}); err != nil {
			return err
		}
	}
	return os.WriteFile(o.disk, bytes.Repeat([]byte("perilune"), diskSize/8), 0o600)
}

func (o *ioBench) round() error {
	block := "--block:disk=" + o.disk
	runs := []struct {
		name, tender string
		n            int
		args         []string
	}{
		{"ring", o.tender, o.io, []string{block, filepath.Join(o.dir, "block"), "ring"}},
		{"call.512", o.tender, o.io / 50, []string{block, filepath.Join(o.dir, "plain"), "call"}},
		{"call.4096", o.tender, o.io / 50, []string{block, "--block-sector-size:disk=4096", filepath.Join(o.dir, "plain"), "call"}},
	}
	if reference := os.Getenv("SOLO5_HVT"); reference != "" {
		for _, sector := range []string{"512", "4096"} {
			runs = append(runs, struct {
				name, tender string
				n            int
				args         []string
			}{"hvt." + sector, reference, o.io / 50, []string{block, "--block-sector-size:disk=" + sector, filepath.Join(o.dir, "plain"), "call"}})
		}
	}
	if err := o.hostReads(); err != nil {
		return err
	}
	for _, r := range runs {
		if err := o.guest(r.name, r.tender, r.n, nil, r.args...); err != nil {
			return err
		}
	}
	return o.frames()
}

// guest runs the I/O guest and keeps what a piece cost by its own clock.
func (o *ioBench) guest(name, tender string, n int, files []*os.File, args ...string) error {
	last := len(args) - 1
	what := args[last] + " " + strconv.Itoa(n)
	if files != nil {
		what += " " + strconv.Itoa(frameSize)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, tender, append(append([]string{"--mem=16"}, args[:last]...), what)...)
	cmd.Stderr, cmd.ExtraFiles = os.Stderr, files
	out, err := cmd.Output()
	var count, ns, kicks float64
	if _, scan := fmt.Sscan(string(out), &count, &ns, &kicks); err == nil {
		err = scan
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %q", name, err, out)
	}
	o.cost[name] = append(o.cost[name], ns/count)
	if name == "ring" || name == "send" {
		o.kicks = append(o.kicks, kicks)
	}
	return nil
}

// hostReads is the host's own random pread, as bare as it can be.
func (o *ioBench) hostReads() error {
	f, err := os.Open(o.disk)
	if err != nil {
		return err
	}
	defer f.Close()
	b, fd := make([]byte, readSize), int(f.Fd())
	start := time.Now()
	for range o.io {
		if n, err := unix.Pread(fd, b, rand.Int64N(diskSize/readSize)*readSize); n != readSize {
			return fmt.Errorf("pread: %d, %w", n, err)
		}
	}
	o.cost["pread"] = append(o.cost["pread"], float64(time.Since(start))/float64(o.io))
	return nil
}

// frames sends as the host and as the guest, on the same tap. Without root
// there is none.
func (o *ioBench) frames() error {
	tap, err := openTap("plbench0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchtender: no frames are sent:", err)
		return nil
	}
	defer tap.Close()
	frame := bytes.Repeat([]byte{0xff}, frameSize)
	start := time.Now()
	for range o.io {
		if n, err := unix.Write(int(tap.Fd()), frame); n != frameSize {
			return fmt.Errorf("write to tap: %d, %w", n, err)
		}
	}
	o.cost["tap"] = append(o.cost["tap"], float64(time.Since(start))/float64(o.io))
	return o.guest("send", o.tender, o.io, []*os.File{tap}, "--net:radio=@3", filepath.Join(o.dir, "net"), "send")
}

func openTap(name string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/net/tun: %w", err)
	}
	r, err := unix.NewIfreq(name)
	if err != nil {
		return nil, err
	}
	r.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
	if err = unix.IoctlIfreq(fd, unix.TUNSETIFF, r); err == nil {
		err = up(r)
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("tap %s: %w", name, err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

func up(r *unix.Ifreq) error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, r)
}

func (o *ioBench) report() {
	median := func(name string) float64 {
		v := slices.Sorted(slices.Values(o.cost[name]))
		return v[len(v)/2]
	}
	for _, name := range []string{"pread", "ring", "call.512", "call.4096", "hvt.512", "hvt.4096", "tap", "send"} {
		if o.cost[name] != nil {
			figure("io."+name, median(name)/1e3, "us", 0)
		}
	}
	atLeast("io.ring-of-pread", median("pread")/median("ring"), "x", 0.7)
	if o.cost["hvt.512"] != nil {
		atLeast("io.ring-of-hvt-512", median("hvt.512")/median("ring"), "x", 50)
		atLeast("io.ring-of-hvt-best", min(median("hvt.512"), median("hvt.4096"))/median("ring"), "x", 10)
	}
	if o.cost["send"] != nil {
		atLeast("io.send-of-tap", median("tap")/median("send"), "x", 0.8)
	}
	figure("io.kicks-per-1000", 1000*slices.Max(o.kicks)/float64(o.io), "kicks", 0.1)
}

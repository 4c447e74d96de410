// Package flatsat_test lets the flight program and the ground station meet in one
// process, over the noisy channel, without an emulator: all of both is real but init
// and the tenders.
//
// Each flight is in a bubble of testing/synctest: the clock is fake and moves on when
// all there is waits. Nothing in a bubble may wait for the kernel, so the radio and the
// station's API are pipes inside the process instead of sockets. It says nothing about
// speed: that is for test/vm.
package flatsat_test

import (
	"context"
	"debug/elf"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/perilune/perilune/bus"
	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/devices/radio"
	"github.com/perilune/perilune/ground"
	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/hvt/hvttest"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/missions/bundle"
	"github.com/perilune/perilune/missions/craft"
	"github.com/perilune/perilune/missions/grant"
	"github.com/perilune/perilune/scheduler"
)

const craftTOML = `
name = "luna"
[[tenant]]
name = "acme"
apid = 100
[[tenant]]
name = "borealis"
apid = 101
`

// pipes is a listener whose connections are pipes inside the process.
type pipes struct {
	calls chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newPipes() *pipes { return &pipes{calls: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) dial(ctx context.Context) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.calls <- far:
		return near, nil
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.calls:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// flatsat is a craft that flies and a station that hears it.
type flatsat struct {
	t       *testing.T
	dir     string
	keys    string
	desc    *craft.Craft
	profile link.Profile
	dev     *grant.Dev
	air     *air
	api     *client.Client
	seen    uint64 // the last event that a test waited for
	boots   int

	ground, space running
}

// outside starts a bus with a store, outside of all bubbles. The stores of one process
// share a goroutine that tells the time; it must not belong to a bubble, for it waits on
// a channel that does not.
func outside(t *testing.T) {
	t.Helper()
	b, err := bus.Start(bus.Config{Name: "outside", StoreDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
}

// fly starts both and lets them fly for as long as fn takes.
func fly(t *testing.T, seed uint64, berUp, berDown float64, fn func(ctx context.Context, f *flatsat)) {
	t.Helper()
	desc, err := craft.Parse([]byte(craftTOML), "craft.toml")
	if err != nil {
		t.Fatal(err)
	}
	flyAs(t, desc, nil, seed, berUp, berDown, fn)
}

// flyAs is fly with another craft and, if its receiver gives soft symbols, their noise.
func flyAs(t *testing.T, desc *craft.Craft, awgn *channel.AWGN, seed uint64, berUp, berDown float64, fn func(ctx context.Context, f *flatsat)) {
	t.Helper()
	f := &flatsat{t: t, dir: t.TempDir(), desc: desc}
	f.prepare()
	f.air = &air{awgn: awgn}
	var err error
	if f.air.up, err = channel.New(seed, channel.Config{BER: berUp}); err != nil {
		t.Fatal(err)
	}
	if f.air.down, err = channel.New(seed+1, channel.Config{BER: berDown}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	f.start(ctx)
	defer func() {
		f.halt()
		cancel()
	}()
	// An hour of the fake clock is more than anything here takes.
	limit, done := context.WithTimeout(ctx, time.Hour)
	defer done()
	fn(limit, f)
}

// prepare makes description, keys and folders.
func (f *flatsat) prepare() {
	f.t.Helper()
	fail := func(err error) {
		if err != nil {
			f.t.Fatal(err)
		}
	}
	var err error
	f.keys = filepath.Join(f.dir, "keys")
	f.dev, err = grant.DevKeys(f.keys)
	fail(err)
	for _, spi := range f.desc.SPIs() {
		fail(os.WriteFile(filepath.Join(f.keys, craft.KeyFile(spi)), append(make([]byte, craft.KeySize-1), byte(spi)), 0o600))
	}
	fail(os.WriteFile(filepath.Join(f.keys, craft.MasterFile), append(make([]byte, craft.KeySize-1), 99), 0o600))
	loaded, err := f.desc.LoadKeys(f.keys)
	fail(err)
	f.profile, err = f.desc.Profile(loaded)
	fail(err)
	for _, d := range []string{"data", "image"} {
		fail(os.Mkdir(filepath.Join(f.dir, d), 0o755))
	}
}

func (f *flatsat) station(ctx context.Context) <-chan error {
	l := newPipes()
	cfg := ground.Config{
		Craft: f.desc, Keys: f.keys, Dir: filepath.Join(f.dir, "ground"), AutoTime: true, Listener: l,
		Open: func(context.Context) (radio.Port, error) { return f.air.port(), nil },
	}
	f.api = client.Over(l.dial)
	return background(func() error { return ground.Run(ctx, cfg) })
}

func background(fn func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- fn() }()
	return done
}

func (f *flatsat) flight(ctx context.Context) <-chan error {
	f.t.Helper()
	var grants []grant.Grant
	for _, t := range f.desc.Tenants {
		grants = append(grants, grant.Grant{Tenant: t.Name, APID: t.APID,
			Quota: grant.Quota{MemoryMiB: t.Memory, Guests: t.Guests, StorageMiB: t.Storage, VCPUs: t.VCPUs, Channels: t.Channels}})
	}
	trust, err := f.dev.Trust(f.desc.Name, grants)
	if err != nil {
		f.t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	}
	master, err := craft.LoadMaster(f.keys)
	if err != nil {
		f.t.Fatal(err)
	}
	cfg := scheduler.Config{Craft: f.desc, Profile: f.profile, Master: master, Radio: f.air, Trust: trust, Data: filepath.Join(f.dir, "data"),
		Missions: filepath.Join(f.dir, "image"), Boot: fmt.Sprintf("boot %d", f.boots), Clock: clock.Real{}, Log: log}
	return background(func() error { return scheduler.Run(ctx, cfg) })
}

// pack makes a mission of borealis into a bundle, signed by key.
func (f *flatsat) pack(name string, key grant.Key) string {
	f.t.Helper()
	kernel := filepath.Join(f.dir, name+".hvt")
	program := hvttest.Program(elf.EM_X86_64, []byte{0xF4}, hvt.Entry{Name: "link", Type: hvt.Net})
	if err := os.WriteFile(kernel, program, 0o644); err != nil {
		f.t.Fatal(err)
	}
	toml := fmt.Sprintf("name = %q\ntenant = \"borealis\"\n[guest]\nmemory = 8\n[[packet]]\nname = \"link\"\n", name)
	path := filepath.Join(f.dir, name+".tar")
	_, err := bundle.Write(path, bundle.Contents{Mission: []byte(toml), Kernels: map[string]string{"amd64": kernel, "arm64": kernel}}, key)
	if err != nil {
		f.t.Fatal(err)
	}
	return path
}

package scheduler_test

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/perilune/perilune/devices/radio"
	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/hvt/hvttest"
	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/internal/initproto"
	"github.com/perilune/perilune/missions/bundle"
	"github.com/perilune/perilune/missions/craft"
	"github.com/perilune/perilune/missions/grant"
	"github.com/perilune/perilune/scheduler"
)

// patience bounds every wait of these tests; the machine may be busy.
const patience = 5 * time.Minute

const craftTOML = `
name = "luna"
[link]
down_rate = 2000000
up_rate = 1000000
[[tenant]]
name = "acme"
apid = 100
autostart = ["beacon"]
storage = 1
guests = 4
[[tenant]]
name = "borealis"
apid = 101
`

// craftT is a craft under test: its flight program, with a fake init that has fake
// tenders, and a ground of the real link engine behind a noisy channel.
type craftT struct {
	t      *testing.T
	dir    string
	cfg    scheduler.Config
	dev    *grant.Dev
	radio  *pipe
	init   *fakeInit
	ground *ground
	stop   func()
	ended  chan error
	boots  uint32
}

func newCraft(t *testing.T, ber float64) *craftT {
	t.Helper()
	desc, err := craft.Parse([]byte(craftTOML), "craft.toml")
	if err != nil {
		t.Fatal(err)
	}
	c := &craftT{t: t, dir: t.TempDir(), radio: newPipe()}
	for _, d := range []string{"keys", "data", "image", "down"} {
		if err := os.Mkdir(filepath.Join(c.dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if c.dev, err = grant.DevKeys(filepath.Join(c.dir, "keys")); err != nil {
		t.Fatal(err)
	}
	var grants []grant.Grant
	for _, tt := range desc.Tenants {
		grants = append(grants, grant.Grant{Tenant: tt.Name, APID: tt.APID, Quota: grant.Quota{
			MemoryMiB: tt.Memory, Guests: tt.Guests, StorageMiB: tt.Storage, VCPUs: tt.VCPUs, Channels: tt.Channels}})
	}
	trust, err := c.dev.Trust(desc.Name, grants)
	if err != nil {
		t.Fatal(err)
	}
	profile, err := desc.Profile(map[uint16][craft.KeySize]byte{1: {1}, 2: {2}, 3: {3}})
	if err != nil {
		t.Fatal(err)
	}
	c.bundle("acme", "beacon", filepath.Join(c.dir, "image", "beacon.tar"), "acme")
	log := slog.New(slog.DiscardHandler)
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	}
	c.cfg = scheduler.Config{Craft: desc, Profile: profile, Radio: c.radio, Trust: trust,
		Data: filepath.Join(c.dir, "data"), Missions: filepath.Join(c.dir, "image"), Clock: clock.Real{}, Log: log}
	c.init = &fakeInit{t: t, slots: map[uint32]*fakeSlot{}, kept: map[string][]*os.File{}, run: beacon}
	c.ground = newGround(t, profile, c.radio, filepath.Join(c.dir, "down"), ber)
	t.Cleanup(func() { c.halt(); c.ground.close(); c.init.killAll() })
	return c
}

// bundle packs a mission with a packet device, signed by the key of signer.
func (c *craftT) bundle(tenant, name, file, signer string) (digest string) {
	c.t.Helper()
	return c.bundleWith(tenant, name, file, signer, 1)
}

// bundleWith packs one that declares so many vCPUs, and channels.
func (c *craftT) bundleWith(tenant, name, file, signer string, vcpus int, channels ...string) (digest string) {
	c.t.Helper()
	kernel := filepath.Join(c.t.TempDir(), "kernel")
	devices := []hvt.Entry{{Name: "link", Type: hvt.Net}}
	toml := fmt.Sprintf("name = %q\ntenant = %q\n[guest]\nmemory = 8\nvcpus = %d\n[[packet]]\nname = \"link\"\n", name, tenant, vcpus)
	for _, name := range channels {
		devices = append(devices, hvt.Extend(name, hvt.Channel, hvt.MaxChannelMessage))
		toml += fmt.Sprintf("[[channel]]\nname = %q\n", name)
	}
	if vcpus > 1 {
		devices = append(devices, hvt.Extend("vcpus", hvt.VCPUs, uint32(vcpus)))
	}
	program := hvttest.Program(elf.EM_X86_64, []byte{0xF4}, devices...)
	if err := os.WriteFile(kernel, program, 0o644); err != nil {
		c.t.Fatal(err)
	}
	key, err := c.dev.Tenant(signer)
	if err != nil {
		c.t.Fatal(err)
	}
	d, err := bundle.Write(file, bundle.Contents{Mission: []byte(toml), Kernels: map[string]string{"amd64": kernel, "arm64": kernel}}, key)
	if err != nil {
		c.t.Fatal(err)
	}
	return d.String()
}

// boot starts the craft from a reset; slots are gone.
func (c *craftT) boot() {
	c.boots++
	c.cfg.Boot = fmt.Sprintf("boot %d", c.boots)
	c.init.killAll()
	c.fly(initproto.Welcome{Boots: c.boots})
}

// fly starts the flight program as init would, with the slots that there are.
func (c *craftT) fly(w initproto.Welcome) {
	c.t.Helper()
	ours, theirs, err := initproto.Pair()
	if err != nil {
		c.t.Fatal(err)
	}
	conn, err := initproto.NewConn(theirs)
	if err != nil {
		c.t.Fatal(err)
	}
	c.cfg.Init = conn
	ctx, cancel := context.WithCancel(context.Background())
	served := c.init.serve(ours, w)
	c.ended = make(chan error, 1)
	go func(ended chan error) { ended <- scheduler.Run(ctx, c.cfg) }(c.ended)
	c.stop = func() {
		cancel()
		if err := <-c.ended; err != nil && !errors.Is(err, context.Canceled) {
			c.t.Errorf("flight: %v", err)
		}
		conn.Close()
		<-served // init has read all that was said to it
		ours.Close()
		c.ground.drain()
	}
}

// halt ends the flight program.
func (c *craftT) halt() {
	if c.stop != nil {
		c.stop()
		c.stop = nil
	}
}

// pipe is a radio: bits both ways inside the process.
type pipe struct{ up, down chan []byte }

func newPipe() *pipe { return &pipe{make(chan []byte, 256), make(chan []byte, 256)} }

func (p *pipe) Receive(ctx context.Context, fn func([]byte)) error {
	for {
		select {
		case b := <-p.up:
			fn(b)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *pipe) Write(ctx context.Context, b []byte) (int, error) {
	select {
	case p.down <- slices.Clone(b):
		return len(b), nil
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(500 * time.Millisecond):
		return 0, radio.ErrBusy
	}
}

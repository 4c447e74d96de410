// Package flatsat_test lets the flight program and the ground station meet in one
// process, over the noisy channel, without an emulator: all of both is real but init
// and the tenders.
package flatsat_test

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/ground"
	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/hvt/hvttest"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/missions/bundle"
	"github.com/perilune/perilune/missions/craft"
	"github.com/perilune/perilune/missions/grant"
	"github.com/perilune/perilune/scheduler"
)

const craftTOML = `
name = "luna"
[link]
down_rate = 2000000
up_rate = 2000000
[[tenant]]
name = "borealis"
apid = 101
`

// air is the craft's radio: a socket with noise on it both ways.
type air struct {
	conn     net.Conn
	mu       sync.Mutex
	up, down *channel.Channel
}

func (a *air) Receive(ctx context.Context, fn func([]byte)) error {
	stop := context.AfterFunc(ctx, func() { a.conn.Close() })
	defer stop()
	buf := make([]byte, 4096)
	for {
		n, err := a.conn.Read(buf)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		a.mu.Lock()
		bits, _ := a.up.Pass(buf[:n])
		a.mu.Unlock()
		fn(bits)
	}
}

func (a *air) Write(_ context.Context, b []byte) (int, error) {
	a.mu.Lock()
	bits, _ := a.down.Pass(b)
	a.mu.Unlock()
	if _, err := a.conn.Write(bits); err != nil {
		return 0, err
	}
	return len(b), nil
}

// set changes the noise.
func (a *air) set(fn func(up, down *channel.Channel)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	fn(a.up, a.down)
}

// flatsat is a craft that flies and a station that hears it.
type flatsat struct {
	dir string
	dev *grant.Dev
	air *air
	api *client.Client
}

func fly(t *testing.T, seed uint64, berUp, berDown float64) *flatsat {
	t.Helper()
	dir, err := os.MkdirTemp("", "pl") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	f := &flatsat{dir: dir}
	desc, err := craft.Parse([]byte(craftTOML), "craft.toml")
	if err != nil {
		t.Fatal(err)
	}
	keys := filepath.Join(dir, "keys")
	if f.dev, err = grant.DevKeys(keys); err != nil {
		t.Fatal(err)
	}
	for _, spi := range craft.SPIs() {
		if err := os.WriteFile(filepath.Join(keys, craft.KeyFile(spi)), append(make([]byte, craft.KeySize-1), byte(spi)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f.air = &air{}
	if f.air.up, err = channel.New(seed, channel.Config{BER: berUp}); err != nil {
		t.Fatal(err)
	}
	if f.air.down, err = channel.New(seed+1, channel.Config{BER: berDown}); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "radio.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f.station(t, desc, keys)
	if f.air.conn, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	f.flight(t, desc, keys)
	return f
}

// background runs fn until the test ends, which then waits for it.
func background(t *testing.T, what string, fn func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- fn(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", what, err)
		}
	})
}

func (f *flatsat) station(t *testing.T, desc *craft.Craft, keys string) {
	t.Helper()
	ready := make(chan struct{})
	cfg := ground.Config{
		Craft: desc, Keys: keys, Radio: "unix:" + filepath.Join(f.dir, "radio.sock"), Dir: filepath.Join(f.dir, "ground"),
		Socket: filepath.Join(f.dir, "api.sock"), AutoTime: true, Repeat: time.Second,
		Timers: cfdp.Timers{Ack: time.Second, NAK: time.Second}, Ready: func() { close(ready) },
	}
	background(t, "station", func(ctx context.Context) error { return ground.Run(ctx, cfg) })
	select {
	case <-ready:
	case <-time.After(30 * time.Second):
		t.Fatal("the station does not answer")
	}
	var err error
	if f.api, err = client.Dial(cfg.Socket); err != nil {
		t.Fatal(err)
	}
}

func (f *flatsat) flight(t *testing.T, desc *craft.Craft, keys string) {
	t.Helper()
	loaded, err := craft.LoadKeys(keys)
	if err != nil {
		t.Fatal(err)
	}
	profile, err := desc.Profile(loaded)
	if err != nil {
		t.Fatal(err)
	}
	tenant := desc.Tenants[0]
	trust, err := f.dev.Trust(desc.Name, []grant.Grant{{Tenant: tenant.Name, APID: tenant.APID,
		Quota: grant.Quota{MemoryMiB: tenant.Memory, Guests: tenant.Guests, StorageMiB: tenant.Storage}}})
	if err != nil {
		t.Fatal(err)
	}
	data, image := filepath.Join(f.dir, "data"), filepath.Join(f.dir, "image")
	if err := errors.Join(os.Mkdir(data, 0o755), os.Mkdir(image, 0o755)); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	}
	cfg := scheduler.Config{Craft: desc, Profile: profile, Radio: f.air, Trust: trust, Data: data, Missions: image, Boot: "first", Clock: clock.Real{}, Log: log}
	background(t, "flight", func(ctx context.Context) error { return scheduler.Run(ctx, cfg) })
}

// pack makes a mission's bundle, signed by key.
func (f *flatsat) pack(t *testing.T, name string, key grant.Key) string {
	t.Helper()
	kernel := filepath.Join(f.dir, name+".hvt")
	program := hvttest.Program(elf.EM_X86_64, []byte{0xF4}, hvt.Entry{Name: "link", Type: hvt.Net})
	if err := os.WriteFile(kernel, program, 0o644); err != nil {
		t.Fatal(err)
	}
	toml := fmt.Sprintf("name = %q\ntenant = \"borealis\"\n[guest]\nmemory = 8\n[[packet]]\nname = \"link\"\n", name)
	path := filepath.Join(f.dir, name+".tar")
	_, err := bundle.Write(path, bundle.Contents{Mission: []byte(toml), Kernels: map[string]string{"amd64": kernel, "arm64": kernel}}, key)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMissionThroughNoise(t *testing.T) {
	seeds := []uint64{1, 2, 3}
	if testing.Short() {
		seeds = seeds[:1]
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
			defer cancel()
			f := fly(t, seed, 1e-3, 5e-3)
			mission(t, ctx, f)
		})
	}
}

// mission is what an operator does on a day with bad weather.
func mission(t *testing.T, ctx context.Context, f *flatsat) {
	if _, err := f.api.Ping(ctx); err != nil {
		t.Fatalf("ping: %v", err)
	}
	honest, err := f.dev.Tenant("borealis")
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := grant.NewKey(grant.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	burst := time.AfterFunc(300*time.Millisecond, func() {
		f.air.set(func(up, down *channel.Channel) { up.Burst(5_000); down.Burst(100_000) })
	})
	defer burst.Stop()
	act, err := f.api.Activate(ctx, f.pack(t, "earth", honest), nil)
	if err != nil {
		t.Fatalf("activate: %v", err)
	}
	if act.Mission != "earth" || act.Tenant != "borealis" {
		t.Errorf("activation %+v", act)
	}
	var refused *client.RefusedError
	if _, err := f.api.Activate(ctx, f.pack(t, "moon", stranger), nil); !errors.As(err, &refused) || refused.Rule != missions.RuleSignature {
		t.Errorf("a stranger's bundle: %v", err)
	}
	if _, err := f.api.Do(ctx, client.Request{Function: "mission.list"}); err != nil {
		t.Fatalf("list: %v", err)
	}
	if _, err := f.api.Wait(ctx, 0, func(e client.Event) bool { return e.Field("name") == "bundle activated" }, client.KindEvent); err != nil {
		t.Fatalf("event: %v", err)
	}
	guests, err := f.api.Missions(ctx)
	if err != nil || len(guests) != 1 || guests[0].Mission != "earth" {
		t.Errorf("guests %+v, %v", guests, err)
	}
	schedule(t, ctx, f)
	s, err := f.api.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if s.Link.Corrected == 0 || s.Link.Lost == 0 || s.Link.Retransmissions == 0 {
		t.Errorf("the noise did not hurt: %+v", s.Link)
	}
}

// schedule waits for the clock, orders a ping for later and sees it carried out then.
func schedule(t *testing.T, ctx context.Context, f *flatsat) {
	for {
		s, err := f.api.Status(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if s.Health != nil && s.Health.ScheduleEnabled && s.Health.TimeQuality == "set" {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	at := time.Now().Add(1500 * time.Millisecond)
	id, err := f.api.Schedule(ctx, at, client.Request{Service: 17, Subtype: 1})
	if err != nil {
		t.Fatal(err)
	}
	cmd, err := f.api.WaitCommand(ctx, id, client.StageCompleted)
	if err != nil {
		t.Fatalf("schedule: %v", err)
	}
	if _, err := f.api.WaitCommand(ctx, cmd.Child, client.StageCompleted); err != nil {
		t.Fatalf("scheduled ping: %v", err)
	}
	if early := time.Until(at); early > 100*time.Millisecond {
		t.Errorf("carried out %v early", early)
	}
}

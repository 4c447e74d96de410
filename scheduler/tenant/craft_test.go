package tenant

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/bus"
	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/missions/grant"
	"github.com/perilune/perilune/missions/store"
	"github.com/perilune/perilune/scheduler/safe"
	"github.com/perilune/perilune/tender/snapshot"
	"github.com/perilune/perilune/tender/wire"
)

// craft is a Manager whose one tender is a stand-in that writes a real snapshot, and whose
// stable storage can be copied at every step.
type craft struct {
	t       *testing.T
	m       *Manager
	dir     string
	records *recorder
	body    []byte // of a snapshot

	mu     sync.Mutex
	events []string
	stages []stage
	synced bool // the tender has written the whole snapshot
	answer func(conn *wire.Conn, order wire.Save, file *os.File)
	refuse string // rule by which claims with a snapshot are refused; empty: they are not
	claims []wire.Claim
	speaks uint32 // version of the tender's protocol
}

// stage is stable storage at one moment: what a program finds that starts after a power cut then.
type stage struct {
	name    string
	records map[string]map[string]any
	files   map[string][]byte
	synced  bool
}

// recorder copies stable storage before and after each change of the accounts.
type recorder struct {
	*safe.Records
	change func(name string)

	full string // bucket that has no room

	mu  sync.Mutex
	all map[string]map[string]any
}

func (r *recorder) Put(bucket, key string, v any) error {
	if bucket == r.full {
		return unix.ENOSPC
	}
	r.change("before put " + bucket)
	err := r.Records.Put(bucket, key, v)
	r.mu.Lock()
	if r.all[bucket] == nil {
		r.all[bucket] = map[string]any{}
	}
	r.all[bucket][key] = v
	r.mu.Unlock()
	r.change("after put " + bucket)
	return err
}

func (r *recorder) Delete(bucket, key string) error {
	r.change("before delete " + bucket)
	err := r.Records.Delete(bucket, key)
	r.mu.Lock()
	delete(r.all[bucket], key)
	r.mu.Unlock()
	r.change("after delete " + bucket)
	return err
}

var beaconID = ids.Guest{Tenant: "acme", Mission: "beacon"}

func newCraft(t *testing.T, from *stage) *craft {
	t.Helper()
	c := &craft{t: t, dir: t.TempDir(), speaks: wire.Version, records: &recorder{Records: safe.NewRecords(), change: func(string) {}, all: map[string]map[string]any{}}}
	manifest, err := hvt.Manifest{}.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var body bytes.Buffer
	h := &snapshot.Header{Arch: "any", CPU: "any", Memory: hvt.MemoryStep, Mapped: hvt.MemoryStep, Manifest: manifest, VCPUs: []snapshot.VCPU{{Begun: true}}}
	if err := snapshot.Write(&body, h, ones{}); err != nil {
		t.Fatal(err)
	}
	c.body = body.Bytes()
	c.answer = c.save
	kernel := filepath.Join(c.dir, "kernel")
	if err := os.WriteFile(kernel, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if from != nil {
		for bucket, records := range from.records {
			for key, v := range records {
				if err := c.records.Put(bucket, key, v); err != nil {
					t.Fatal(err)
				}
			}
		}
		for name, content := range from.files {
			path := filepath.Join(c.dir, "snapshots", name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	in := &store.Installed{Tenant: "acme", Name: "beacon", Version: "1", Digest: "sha256:12", Kernel: kernel,
		Mission: &missions.Mission{Name: "beacon", Guest: missions.Guest{Memory: 8, VCPUs: 1}},
		Grant:   grant.Grant{Quota: grant.Quota{MemoryMiB: 8, Guests: 1, VCPUs: 1}}}
	c.m = New(Config{
		Clock: clock.Real{}, Log: slog.New(slog.DiscardHandler), Slots: c, Records: c.records,
		Tenants:  map[string]Tenant{"acme": {APID: 100, MemoryMiB: 8, Guests: 1, VCPUs: 1, StorageMiB: 8}},
		Mission:  func(ids.Guest) *store.Installed { return in },
		Products: filepath.Join(c.dir, "products"), Scratch: filepath.Join(c.dir, "scratch"), Snapshots: filepath.Join(c.dir, "snapshots"),
		Send: func(ccsds.APID, uint8, uint8, []byte) error { return nil },
		Event: func(_ uint8, id pus.EventID, text string) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.events = append(c.events, fmt.Sprintf("%v: %s", id, text))
		},
		Publish: func(bus.Event) {}, Changed: func() {}, Done: func(Product) {},
	})
	for _, dir := range []string{"products", "snapshots"} {
		if err := os.MkdirAll(filepath.Join(c.dir, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(c.m.Detach)
	return c
}

// save is what a tender does that can.
func (c *craft) save(conn *wire.Conn, order wire.Save, file *os.File) {
	c.write(file, c.body)
	_ = conn.Send(wire.Saved{Order: order.Order, Size: uint64(len(c.body))})
	_ = conn.Send(wire.Exited{Kind: wire.Killed, Reason: "saved"})
}

type ones struct{}

func (ones) ReadMemory(_ uint64, b []byte) error {
	for i := range b {
		b[i] = 1
	}
	return nil
}

// copyStage keeps what is on stable storage now.
func (c *craft) copyStage(name string) {
	s := stage{name: name, records: map[string]map[string]any{}, files: map[string][]byte{}}
	c.records.mu.Lock()
	for bucket, records := range c.records.all {
		s.records[bucket] = maps.Clone(records)
	}
	c.records.mu.Unlock()
	for _, path := range c.files() {
		content, err := os.ReadFile(path)
		if err != nil {
			c.t.Error(err)
		}
		rel, err := filepath.Rel(filepath.Join(c.dir, "snapshots"), path)
		if err != nil {
			c.t.Error(err)
		}
		s.files[rel] = content
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s.synced = c.synced
	c.stages = append(c.stages, s)
}

func (c *craft) files() []string {
	all, err := filepath.Glob(filepath.Join(c.dir, "snapshots", "*", "*"))
	if err != nil {
		c.t.Error(err)
	}
	return all
}

// write is the tender's: in two halves, and all of it.
func (c *craft) write(file *os.File, body []byte) {
	half := len(body) / 2
	if _, err := file.WriteAt(body[:half], 0); err != nil {
		c.t.Error(err)
	}
	c.copyStage("half written")
	if _, err := file.WriteAt(body[half:], int64(half)); err != nil {
		c.t.Error(err)
	}
	c.mu.Lock()
	c.synced = true
	c.mu.Unlock()
	c.copyStage("written")
}

// Request starts the stand-in.
func (c *craft) Request(_ context.Context, id uint32, name string, _ Limits) (*Slot, error) {
	control, theirs := socketpair(c.t)
	data, packets := socketpair(c.t)
	conn, err := wire.NewConn(theirs)
	if err != nil {
		return nil, err
	}
	go func() {
		defer c.m.SlotExited(id, 0, 0)
		defer packets.Close()
		defer conn.Close()
		_ = conn.Send(wire.Hello{Version: c.speaks})
		msg, files, err := conn.Receive()
		if err != nil {
			return
		}
		claim := msg.(wire.Claim)
		c.mu.Lock()
		c.claims = append(c.claims, claim)
		refuse := c.refuse
		c.mu.Unlock()
		for _, f := range files {
			defer f.Close()
		}
		if claim.Restore && refuse != "" {
			_ = conn.Send(wire.Refused{Rule: refuse, Reason: "for a test"})
			return
		}
		_ = conn.Send(wire.Claimed{})
		_ = conn.Send(wire.Started{})
		for {
			switch msg, _, err := conn.Receive(); msg := msg.(type) {
			case wire.Save:
				c.answer(conn, msg, files[len(files)-1])
				return
			case wire.Stop:
				_ = conn.Send(wire.Exited{Status: 137, Kind: wire.Killed, Reason: "stopped"})
				return
			default:
				if err != nil {
					return
				}
			}
		}
	}()
	return &Slot{ID: id, PID: 1, Name: name, Control: control, Data: data}, nil
}

func (c *craft) Kill(uint32) error              { return nil }
func (c *craft) Keep(string, ...*os.File) error { return nil }
func (c *craft) Forget(string) error            { return nil }
func (c *craft) has(event string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Contains(strings.Join(c.events, "\n"), event)
}

func socketpair(t *testing.T) (a, b *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fds[0]), "a"), os.NewFile(uintptr(fds[1]), "b")
}

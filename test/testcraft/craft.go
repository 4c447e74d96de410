// Package testcraft is a craft for tests of the ground: the real link, file, bundle and
// PUS code behind a noisy channel, in this process and without guests. Missions only
// say that they run. It flies nowhere.
package testcraft

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/internal/durable"
	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/missions/grant"
	"github.com/perilune/perilune/missions/store"
)

// Config says what the craft is and how bad its link.
type Config struct {
	Profile  link.Profile
	Master   *[32]byte // under which new link keys travel; nil: keys are not managed
	Trust    *grant.Trust
	Tenants  map[string]uint16 // name → APID
	Dir      string
	Up, Down *channel.Channel // nil: no noise
}

// Timers make transfers of tests quick to repair what noise destroyed.
var Timers = cfdp.Timers{Ack: 300 * time.Millisecond, NAK: 300 * time.Millisecond}

// Craft is a test craft. Its methods are safe for concurrent use.
type Craft struct {
	cfg Config

	mu       sync.Mutex
	space    *link.Space
	entity   *cfdp.Entity
	store    *store.Store
	db       *durable.DB
	seq      map[uint16]uint16
	started  time.Time
	quality  timecode.Quality
	offset   time.Duration // of on-board time from the machine's
	running  map[ids.Guest]pus.Guest
	printed  map[ids.Guest]*printed
	plan     []pus.Activity
	later    []later
	lastHK   time.Time
	received []pus.Telecommand
	reports  map[pus.RequestID][]pus.Verification
	mute     bool
}

// New makes a craft.
func New(cfg Config) (*Craft, error) {
	c := &Craft{cfg: cfg, seq: map[uint16]uint16{}, started: time.Now(), running: map[ids.Guest]pus.Guest{}, printed: map[ids.Guest]*printed{}, reports: map[pus.RequestID][]pus.Verification{}, offset: -1000 * time.Hour}
	for _, dir := range []string{"in", "out", "store"} {
		if err := os.MkdirAll(filepath.Join(cfg.Dir, dir), 0o755); err != nil {
			return nil, err
		}
	}
	var err error
	if c.db, err = durable.Open(filepath.Join(cfg.Dir, "craft.db")); err != nil {
		return nil, err
	}
	now := func() (time.Time, bool) { return time.Now().Add(c.offset), c.quality.Valid() }
	if c.store, err = store.Open(filepath.Join(cfg.Dir, "store"), cfg.Trust, c.db, now, slog.New(slog.DiscardHandler)); err != nil {
		return nil, err
	}
	in, err := cfdp.DirStore(filepath.Join(cfg.Dir, "in"))
	if err != nil {
		return nil, err
	}
	out, err := cfdp.DirStore(filepath.Join(cfg.Dir, "out"))
	if err != nil {
		return nil, err
	}
	if c.entity, err = cfdp.New(cfdp.Config{Local: 2, Store: split{in, out}, Serve: true, Timers: Timers}, cfdp.Events{}); err != nil {
		return nil, err
	}
	c.space, err = link.NewSpace(cfg.Profile, &memory{floor: map[uint16]uint64{}, vr: map[ccsds.VCID]uint8{}}, link.SpaceEvents{Packet: c.packet})
	if err == nil && cfg.Master != nil {
		err = c.space.Manage(cfg.Profile.FirstKeys(*cfg.Master), cfg.Profile.FirstRecords(), func() (iv [12]byte, err error) {
			_, err = rand.Read(iv[:])
			return iv, err
		})
	}
	return c, err
}

// Close lets go of the craft's files.
func (c *Craft) Close() error { return c.db.Close() }

type split struct {
	*cfdp.Dir
	out *cfdp.Dir
}

func (s split) Open(name string) (cfdp.Reader, error) { return s.out.Open(name) }

func (s split) Lend(name string) (cfdp.Reader, error) { return s.Dir.Open(name) }

// Serve gives the radio to one station after the other, until ctx ends.
func (c *Craft) Serve(ctx context.Context, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for {
		conn, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		c.contact(ctx, conn)
	}
}

func (c *Craft) contact(ctx context.Context, conn net.Conn) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	go func() {
		defer cancel()
		buf := make([]byte, 4096)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			c.mu.Lock()
			_ = c.space.Receive(pass(c.cfg.Up, buf[:n])) // a saver in memory does not fail
			c.mu.Unlock()
		}
	}()
	period := time.Duration(1279*8) * time.Second / time.Duration(c.cfg.Profile.DownRate)
	tick := time.NewTicker(period)
	defer tick.Stop()
	for ctx.Err() == nil {
		if _, err := conn.Write(c.next()); err != nil && !errors.Is(err, io.ErrShortWrite) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

func pass(ch *channel.Channel, bits []byte) []byte {
	if ch == nil {
		return bits
	}
	out, _ := ch.Pass(bits)
	return out
}

// next is one frame of the downlink, as noise leaves it.
func (c *Craft) next() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.work(now)
	for c.space.Room(2) > 32 {
		pdu, ok := c.entity.Next(now)
		if !ok {
			break
		}
		c.send(2, raw(2, c.count(2), pdu))
	}
	c.entity.Tick(now)
	return pass(c.cfg.Down, c.space.NextCADU(nil))
}

// Offer sends a file down.
func (c *Craft) Offer(name string, data []byte) error {
	path := filepath.Join(c.cfg.Dir, "out", filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.entity.Put(time.Now(), cfdp.Put{Dest: 1, Source: name, DestName: name, Class: 2})
	return err
}

// With calls fn while nothing else touches the channels.
func (c *Craft) With(fn func(up, down *channel.Channel)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fn(c.cfg.Up, c.cfg.Down)
}

// Received are the telecommands that have arrived.
func (c *Craft) Received() []pus.Telecommand {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]pus.Telecommand(nil), c.received...)
}

// memory is a Saver that lives as long as the craft.
type memory struct {
	floor map[uint16]uint64
	vr    map[ccsds.VCID]uint8
}

func (m *memory) LoadFloor(spi uint16) (uint64, error) { return m.floor[spi], nil }
func (m *memory) SaveFloor(spi uint16, n uint64) error { m.floor[spi] = n; return nil }
func (m *memory) LoadVR(vc ccsds.VCID) (uint8, bool, error) {
	v, ok := m.vr[vc]
	return v, ok, nil
}
func (m *memory) SaveVR(vc ccsds.VCID, v uint8) error { m.vr[vc] = v; return nil }

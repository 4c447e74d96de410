package testcraft

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/ground"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/missions/craft"
	"github.com/perilune/perilune/missions/grant"
)

// CraftTOML describes the craft of a World. Its link is fast, so that tests are.
const CraftTOML = `name = "flatsat"
[link]
down_rate = 2000000
up_rate = 2000000
[[link.down_channel]]
vc = 0
security = "both"
[[tenant]]
name = "acme"
apid = 100
[[tenant]]
name = "borealis"
apid = 101
`

// World is a craft and a station with a noisy link between them, in one folder that is
// laid out like a simulator's: out/sim/ground.sock, out/sim/keys.
type World struct {
	Dir    string
	Socket string
	Keys   string
	Craft  *Craft
	Client *client.Client

	space  net.Listener
	cfg    ground.Config
	group  *errgroup.Group
	cancel context.CancelFunc // ends craft and space
	end    func() error       // ends the station
}

// Start makes a world in dir with these bit error ratios. dir's path must be short
// enough for sockets below it.
func Start(dir string, berUp, berDown float64) (*World, error) {
	w := &World{Dir: dir, Socket: filepath.Join(dir, "out", "sim", "ground.sock"), Keys: filepath.Join(dir, "out", "sim", "keys")}
	c, err := craft.Parse([]byte(CraftTOML), "craft.toml")
	if err != nil {
		return nil, err
	}
	if err := w.makeCraft(c, berUp, berDown); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "craft.toml"), []byte(CraftTOML), 0o644); err != nil {
		return nil, err
	}
	radio := filepath.Join(dir, "out", "sim", "radio.sock")
	if w.space, err = net.Listen("unix", radio); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	w.group = &errgroup.Group{}
	w.group.Go(func() error { return w.Craft.Serve(ctx, w.space) })
	w.cfg = ground.Config{
		Craft: c, Keys: w.Keys, Radio: "unix:" + radio, Dir: filepath.Join(dir, "out", "sim", "ground"),
		Socket: w.Socket, AutoTime: true, Repeat: 500 * time.Millisecond, Timers: Timers,
	}
	return w, w.StartStation()
}

func (w *World) makeCraft(c *craft.Craft, berUp, berDown float64) error {
	dev, err := grant.DevKeys(w.Keys)
	if err != nil {
		return err
	}
	apids := map[string]uint16{}
	var grants []grant.Grant
	for _, t := range c.Tenants {
		apids[t.Name] = t.APID
		grants = append(grants, grant.Grant{Tenant: t.Name, APID: t.APID, Quota: grant.Quota{MemoryMiB: t.Memory, Guests: t.Guests, StorageMiB: t.Storage, VCPUs: t.VCPUs, Channels: t.Channels}})
	}
	trust, err := dev.Trust(c.Name, grants)
	if err != nil {
		return err
	}
	for _, spi := range c.SPIs() {
		key := make([]byte, craft.KeySize)
		key[0] = byte(spi)
		if err := os.WriteFile(filepath.Join(w.Keys, craft.KeyFile(spi)), key, 0o600); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(w.Keys, craft.MasterFile), append(make([]byte, craft.KeySize-1), 99), 0o600); err != nil {
		return err
	}
	master, err := craft.LoadMaster(w.Keys)
	if err != nil {
		return err
	}
	keys, err := c.LoadKeys(w.Keys)
	if err != nil {
		return err
	}
	profile, err := c.Profile(keys)
	if err != nil {
		return err
	}
	up, err := channel.New(1, channel.Config{BER: berUp})
	if err != nil {
		return err
	}
	down, err := channel.New(2, channel.Config{BER: berDown})
	if err != nil {
		return err
	}
	w.Craft, err = New(Config{Profile: profile.WithDefaults(), Master: master, Trust: trust, Tenants: apids, Dir: filepath.Join(w.Dir, "craft"), Up: up, Down: down})
	return err
}

// StartStation starts the station; the last one must have ended.
func (w *World) StartStation() error {
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	cfg := w.cfg
	cfg.Ready = func() { close(ready) }
	go func() { done <- ground.Run(ctx, cfg) }()
	w.end = func() error {
		cancel()
		return <-done
	}
	select {
	case <-ready:
	case err := <-done:
		done <- err
		return fmt.Errorf("station: %w", err)
	case <-time.After(5 * time.Minute):
		return errors.New("the station does not answer")
	}
	var err error
	w.Client, err = client.Dial(w.Socket)
	return err
}

// StopStation ends the station alone.
func (w *World) StopStation() error {
	w.Client.Close()
	return w.end()
}

// Close ends everything.
func (w *World) Close() error {
	err := w.StopStation()
	w.cancel()
	return errors.Join(err, w.group.Wait(), w.Craft.Close())
}

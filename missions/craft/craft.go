// Package craft reads craft.toml, the one file that describes a spacecraft: its link,
// its tenants, and under [sim] the world that the simulator puts around it. Flight,
// ground and simulator read the same file; flight ignores [sim].
package craft

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/internal/config"
	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/internal/initproto"
	"github.com/perilune/perilune/missions/database"
)

// Craft is craft.toml.
type Craft struct {
	Name     string   `toml:"name"`
	SCID     uint16   `toml:"scid"`     // spacecraft identifier, 10 bits
	Memory   int      `toml:"memory"`   // MiB of the payload computer in the simulator
	Warm     int      `toml:"warm"`     // slots that wait for guests
	Database string   `toml:"database"` // file of what its missions' packets mean, relative to craft.toml; empty: nothing
	Link     Link     `toml:"link"`
	Tenants  []Tenant `toml:"tenant"`
	Orbit    Orbit    `toml:"orbit"`
	Sim      Sim      `toml:"sim"`

	messages *database.Database
}

// Tenant is a customer whose programs fly, and what it is granted.
type Tenant struct {
	Name         string   `toml:"name"`
	APID         uint16   `toml:"apid"`
	Missions     []string `toml:"missions"`      // folders of missions that are part of the image, relative to craft.toml
	Autostart    []string `toml:"autostart"`     // names of missions that run from boot on
	Memory       int      `toml:"memory"`        // MiB of a guest
	Guests       int      `toml:"guests"`        // at a time
	VCPUs        int      `toml:"vcpus"`         // of a guest
	Channels     int      `toml:"channels"`      // open at a time, of all its guests
	Storage      int      `toml:"storage"`       // MiB on board
	TelemetryBps int      `toml:"telemetry_bps"` // octets of telemetry a second
	Disk         int      `toml:"disk"`          // MiB a second of a guest, read and written each
}

// Limits of a craft. The APIDs below firstTenant are for flight, files and more services.
const (
	firstTenant  = 64
	lastTenant   = 2039 // 2040 to 2047 are reserved by CCSDS 133.0-B
	maxTenants   = 64
	maxSCID      = 1023
	defaultRoom  = 64
	defaultBps   = 4096
	minMemoryMiB = 256
	maxWarm      = 16
	defaultWarm  = 2
	defaultDisk  = 32
)

// Default is a craft before its file is read.
func Default() *Craft {
	return &Craft{Name: "flatsat", SCID: 42, Memory: 640, Warm: defaultWarm, Link: DefaultLink(), Sim: DefaultSim()}
}

// Load reads the craft.toml at path.
func Load(path string) (*Craft, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	c, err := Parse(data, path)
	if err != nil || c.Database == "" {
		return c, err
	}
	return c, c.extend(filepath.Join(filepath.Dir(path), c.Database))
}

// Parse reads craft.toml: defaults, then the text, then Validate. file is the name used
// in messages.
func Parse(data []byte, file string) (*Craft, error) {
	c := Default()
	if err := config.Decode(data, file, c); err != nil {
		return nil, err
	}
	for i := range c.Tenants {
		c.Tenants[i].fill()
	}
	c.Link.fill()
	c.Sim.fill(&c.Link, &c.Orbit)
	if err := c.Link.validate(); err != nil {
		return nil, fmt.Errorf("%s:%d: link: %w", file, lineOf(data, err), err)
	}
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return c, nil
}

// lineOf is where the link's key stands that a complaint begins with, or its table.
func lineOf(data []byte, complaint error) int {
	text := strings.TrimPrefix(complaint.Error(), link.ErrProfile.Error()+": ")
	key, _, _ := strings.Cut(text, " ")
	return config.Line(data, "link", strings.TrimSuffix(key, ":"))
}

func (t *Tenant) fill() {
	for _, d := range []struct {
		field *int
		value int
	}{{&t.Memory, defaultRoom}, {&t.Guests, 2}, {&t.VCPUs, 2}, {&t.Channels, 1}, {&t.Storage, defaultRoom}, {&t.TelemetryBps, defaultBps}, {&t.Disk, defaultDisk}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
}

// Validate reports the first thing that cannot fly.
func (c *Craft) Validate() error {
	if err := ids.CheckName("craft", c.Name); err != nil {
		return err
	}
	if c.SCID > maxSCID {
		return fmt.Errorf("scid %d: want 0 to %d", c.SCID, maxSCID)
	}
	if c.Memory < minMemoryMiB {
		return fmt.Errorf("memory %d: want at least %d MiB", c.Memory, minMemoryMiB)
	}
	if c.Warm < 0 || c.Warm > maxWarm {
		return fmt.Errorf("warm %d: want 0 to %d", c.Warm, maxWarm)
	}
	if len(c.Tenants) > maxTenants {
		return fmt.Errorf("%d tenants, at most %d", len(c.Tenants), maxTenants)
	}
	if c.Database != "" && !filepath.IsLocal(c.Database) {
		return fmt.Errorf("database %q: want a file beside craft.toml or below it", c.Database)
	}
	names, apids, channels := map[string]bool{}, map[uint16]string{}, 0
	for _, t := range c.Tenants {
		if err := t.validate(); err != nil {
			return fmt.Errorf("tenant %q: %w", t.Name, err)
		}
		if names[t.Name] {
			return fmt.Errorf("tenant %q is there twice", t.Name)
		}
		if other, taken := apids[t.APID]; taken {
			return fmt.Errorf("tenant %q: apid %d belongs to %q", t.Name, t.APID, other)
		}
		names[t.Name], apids[t.APID] = true, t.Name
		channels += t.Channels
	}
	if channels > initproto.MaxKept {
		return fmt.Errorf("the tenants have %d channels together, the craft holds %d: lower channels of some", channels, initproto.MaxKept)
	}
	if err := c.Link.validate(); err != nil {
		return fmt.Errorf("link: %w", err)
	}
	if err := c.Orbit.validate(); err != nil {
		return fmt.Errorf("orbit: %w", err)
	}
	if err := c.Sim.validate(); err != nil {
		return fmt.Errorf("sim: %w", err)
	}
	return nil
}

func (t *Tenant) validate() error {
	if err := ids.CheckName("tenant", t.Name); err != nil {
		return err
	}
	if t.APID < firstTenant || t.APID > lastTenant {
		return fmt.Errorf("apid %d: want %d to %d", t.APID, firstTenant, lastTenant)
	}
	for _, v := range []struct {
		key   string
		value int
	}{{"memory", t.Memory}, {"guests", t.Guests}, {"vcpus", t.VCPUs}, {"channels", t.Channels}, {"storage", t.Storage}, {"telemetry_bps", t.TelemetryBps}, {"disk", t.Disk}} {
		if v.value < 1 {
			return fmt.Errorf("%s %d: want more than zero", v.key, v.value)
		}
	}
	for _, m := range t.Autostart {
		if err := ids.CheckName("mission", m); err != nil {
			return err
		}
	}
	return nil
}

// Tenant finds a tenant by name, or returns nil.
func (c *Craft) Tenant(name string) *Tenant {
	for i := range c.Tenants {
		if c.Tenants[i].Name == name {
			return &c.Tenants[i]
		}
	}
	return nil
}

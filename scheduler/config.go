// Package scheduler is the flight program: Run wires its parts together and keeps
// them going. The parts know each other only through what is handed to them here.
//
//	radio ⇄ linkd ⇄ router ⇄ services (PUS)
//	                  ⇅    ↘ files (CFDP) ⇄ store, products
//	                tenant ⇄ tender slots, from init
//
// Flight is unprivileged and crash-only: what it must not forget is on disk before it
// acts on it, and init starts it again. Without a disk it flies on in safe mode.
package scheduler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/internal/initproto"
	"github.com/perilune/perilune/missions/craft"
	"github.com/perilune/perilune/missions/grant"
	"github.com/perilune/perilune/scheduler/linkd"
	"github.com/perilune/perilune/scheduler/router"
	"github.com/perilune/perilune/scheduler/tenant"
)

// Config is what the flight program needs. Radio and Profile it cannot do without.
type Config struct {
	Craft    *craft.Craft
	Profile  link.Profile
	Radio    linkd.Radio
	Master   *[32]byte       // under which new link keys come; nil: they stay as they are
	Trust    *grant.Trust    // nil: no bundle can be activated
	Init     *initproto.Conn // nil: no slots, nobody to report health to
	Data     string          // folder that belongs to flight; empty: none
	Missions string          // folder of bundles that are part of the image
	Boot     string          // identity of this boot of the machine
	Clock    clock.Clock
	Log      *slog.Logger
}

func (c *Config) check() error {
	switch {
	case c.Craft == nil:
		return errors.New("flight: no craft")
	case c.Radio == nil:
		return errors.New("flight: no radio")
	case c.Clock == nil || c.Log == nil:
		return errors.New("flight: no clock or no log")
	}
	if err := c.Profile.Validate(); err != nil {
		return fmt.Errorf("flight: %w", err)
	}
	return nil
}

// bootID is the kernel's name for this boot.
func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "" // time is then free after each restart of the program
	}
	return strings.TrimSpace(string(id))
}

func (c *Config) path(elem ...string) string {
	return filepath.Join(append([]string{c.Data}, elem...)...)
}

// tenants are the craft's customers as the guests' manager knows them.
func (c *Config) tenants() map[string]tenant.Tenant {
	all := map[string]tenant.Tenant{}
	for _, t := range c.Craft.Tenants {
		all[t.Name] = tenant.Tenant{APID: ccsds.APID(t.APID), MemoryMiB: t.Memory, Guests: t.Guests, VCPUs: t.VCPUs, Channels: t.Channels, StorageMiB: t.Storage, DiskMiBps: t.Disk}
	}
	return all
}

// rates are the octets of telemetry a second by APID.
func (c *Config) rates() map[ccsds.APID]int {
	all := map[ccsds.APID]int{}
	for _, t := range c.Craft.Tenants {
		all[ccsds.APID(t.APID)] = t.TelemetryBps
	}
	return all
}

// apids are those of all who report.
func (c *Config) apids() []uint16 {
	all := []uint16{uint16(router.APIDFlight)}
	for _, t := range c.Craft.Tenants {
		all = append(all, t.APID)
	}
	return all
}

func (c *Config) tenantOf(apid ccsds.APID) (string, bool) {
	for _, t := range c.Craft.Tenants {
		if ccsds.APID(t.APID) == apid {
			return t.Name, true
		}
	}
	return "", false
}

// Run flies the craft until ctx ends or it cannot go on; then init decides.
func Run(ctx context.Context, cfg Config) error {
	if err := cfg.check(); err != nil {
		return err
	}
	if cfg.Boot == "" {
		cfg.Boot = bootID()
	}
	f := &flight{cfg: cfg}
	defer f.close()
	if err := f.open(ctx); err != nil {
		return err
	}
	return f.run(ctx)
}

// Package missions is what a tenant sends up: a unikernel, its data and mission.toml,
// which says what the program needs. This package reads mission.toml and holds it
// against the manifest inside the program; bundle, grant, store and craft are beside it.
package missions

import (
	"errors"
	"fmt"
	"net"
	"path"
	"regexp"
	"strings"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/internal/config"
	"github.com/perilune/perilune/internal/ids"
)

// Limits of a mission. They are below what the tender and the craft can do, so that
// a mistake in a file is found where it is made.
const (
	MaxMemoryMiB  = 4096
	MaxDevices    = 16
	MaxArgs       = 4096
	MaxSectorSize = 32768
	MaxGrace      = 30 // seconds: other orders of the tenant wait meanwhile
)

// Mission is mission.toml.
type Mission struct {
	Name        string    `toml:"name"`
	Version     string    `toml:"version"`
	Tenant      string    `toml:"tenant"`
	Description string    `toml:"description"`
	Guest       Guest     `toml:"guest"`
	Build       Build     `toml:"build"`
	Block       []Block   `toml:"block"`
	Packet      []Packet  `toml:"packet"`
	Net         []Net     `toml:"net"`
	Channel     []Channel `toml:"channel"`
}

// Guest is the virtual machine that the program wants.
type Guest struct {
	Memory int    `toml:"memory"` // MiB
	VCPUs  int    `toml:"vcpus"`  // processors
	Args   string `toml:"args"`   // command line
	Kernel string `toml:"kernel"` // path of the built program for amd64, relative to mission.toml
	Seed   bool   `toml:"seed"`   // random octets of the craft for each run (perilune_seed)

	Grace   int    `toml:"grace"`   // seconds from the request to end (perilune_stop_asked) until it is ended; 0: no request
	Restart string `toml:"restart"` // when the craft is ordered to restart: RestartResume or RestartAnew
}

// What becomes of a mission that runs when the craft is ordered to restart. It goes on unless its
// tenant has said otherwise: a restart is the operator's affair, and what a mission has worked out
// is the tenant's.
const (
	RestartResume = "resume" // it is saved, and goes on where it was
	RestartAnew   = "anew"   // it is stopped, and begins anew if it starts by itself
)

// Build says how `mission build` makes the program.
type Build struct {
	Sources []string `toml:"sources"` // C files, relative to mission.toml
	Vectors bool     `toml:"vectors"` // the sources may use floating point and vectors
}

// Block is a block device whose content travels in the bundle.
type Block struct {
	Name       string `toml:"name"`
	File       string `toml:"file"` // relative to mission.toml; its base name is the blob's name
	SectorSize int    `toml:"sector_size"`
	ReadOnly   bool   `toml:"read_only"`
	Ring       bool   `toml:"ring"` // requests also by a ring (perilune_ring.h)
}

// Packet is a NET device whose host is the flight daemon: each datagram is the user
// data of one packet.
type Packet struct {
	Name string `toml:"name"`
	Ring bool   `toml:"ring"` // frames also by a ring
}

// Net is a NET device on a tap of the host.
type Net struct {
	Name string `toml:"name"`
	MAC  string `toml:"mac"`
	Ring bool   `toml:"ring"` // frames also by a ring
}

// Channel carries messages to the other mission of the same tenant that names it.
type Channel struct {
	Name string `toml:"name"`
}

var (
	deviceName = regexp.MustCompile(`^[A-Za-z0-9]{1,67}$`)
	version    = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.+-]{0,31}$`)
)

// Parse reads mission.toml; file is its name in messages.
func Parse(data []byte, file string) (*Mission, error) {
	m := &Mission{Version: "0.1.0", Guest: Guest{Memory: 16, VCPUs: 1, Restart: RestartResume}}
	if err := config.Decode(data, file, m); err != nil {
		return nil, err
	}
	for i := range m.Block {
		if m.Block[i].SectorSize == 0 {
			m.Block[i].SectorSize = 512
		}
	}
	if m.Guest.Kernel == "" {
		m.Guest.Kernel = "build/" + m.Name + ".hvt"
	}
	if len(m.Build.Sources) == 0 {
		m.Build.Sources = []string{"main.c"}
	}
	if err := m.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return m, nil
}

// Validate reports the first thing in m that cannot fly.
func (m *Mission) Validate() error {
	if err := ids.CheckName("mission", m.Name); err != nil {
		return err
	}
	if err := ids.CheckName("tenant", m.Tenant); err != nil {
		return err
	}
	if !version.MatchString(m.Version) {
		return fmt.Errorf("version %q: want letters, digits, '.', '+' or '-', at most 32 octets", m.Version)
	}
	if m.Guest.VCPUs < 1 || m.Guest.VCPUs > hvt.MaxVCPUs {
		return fmt.Errorf("guest.vcpus %d: want 1 to %d", m.Guest.VCPUs, hvt.MaxVCPUs)
	}
	if m.Guest.Memory < 1 || m.Guest.Memory > MaxMemoryMiB {
		return fmt.Errorf("guest.memory %d: want 1 to %d MiB", m.Guest.Memory, MaxMemoryMiB)
	}
	if len(m.Guest.Args) > MaxArgs {
		return fmt.Errorf("guest.args: %d octets, at most %d", len(m.Guest.Args), MaxArgs)
	}
	if r := m.Guest.Restart; r != RestartResume && r != RestartAnew {
		return fmt.Errorf("guest.restart: %q, want %q or %q", r, RestartResume, RestartAnew)
	}
	if g := m.Guest.Grace; g < 0 || g > MaxGrace {
		return fmt.Errorf("guest.grace: %d s, want 0 to %d", g, MaxGrace)
	}
	if m.Guest.Grace > 0 && len(m.Packet) == 0 {
		return errors.New("guest.grace: the request to end comes by a [[packet]] device, there is none")
	}
	for _, p := range append([]string{m.Guest.Kernel}, m.Build.Sources...) {
		if err := checkPath(p); err != nil {
			return err
		}
	}
	return m.validateDevices()
}

func (m *Mission) validateDevices() error {
	seen := map[string]bool{vcpusName: m.Guest.VCPUs > 1, SeedName: m.Guest.Seed}
	blobs := map[string]bool{}
	name := func(kind, n string) error {
		if !deviceName.MatchString(n) {
			return fmt.Errorf("%s name %q: want 1 to 67 letters or digits", kind, n)
		}
		if seen[n] {
			return fmt.Errorf("%s name %q is taken: device names are unique", kind, n)
		}
		seen[n] = true
		return nil
	}
	for _, b := range m.Block {
		if err := errors.Join(name("block", b.Name), checkPath(b.File)); err != nil {
			return err
		}
		if b.SectorSize < 512 || b.SectorSize > MaxSectorSize || b.SectorSize&(b.SectorSize-1) != 0 {
			return fmt.Errorf("block %q: sector_size %d: want a power of two from 512 to %d", b.Name, b.SectorSize, MaxSectorSize)
		}
		if blob := path.Base(b.File); blobs[blob] {
			return fmt.Errorf("block %q: two files are called %q", b.Name, blob)
		} else {
			blobs[blob] = true
		}
	}
	if len(m.Packet) > 1 {
		return fmt.Errorf("%d packet devices: a guest has one", len(m.Packet))
	}
	for _, p := range m.Packet {
		if err := name("packet", p.Name); err != nil {
			return err
		}
	}
	for _, n := range m.Net {
		if err := name("net", n.Name); err != nil {
			return err
		}
		if n.MAC != "" {
			if mac, err := net.ParseMAC(n.MAC); err != nil || len(mac) != 6 {
				return fmt.Errorf("net %q: mac %q: want six octets as aa:bb:cc:dd:ee:ff", n.Name, n.MAC)
			}
		}
	}
	for _, c := range m.Channel {
		if err := name("channel", c.Name); err != nil {
			return err
		}
	}
	if n := len(m.Channel); n > hvt.MaxChannels {
		return fmt.Errorf("%d channels, at most %d", n, hvt.MaxChannels)
	}
	if n := len(m.Block) + len(m.Packet) + len(m.Net) + len(m.Channel); n > MaxDevices {
		return fmt.Errorf("%d devices, at most %d", n, MaxDevices)
	}
	return nil
}

// checkPath refuses what would leave the project's folder.
func checkPath(p string) error {
	if p == "" || p == "." || path.IsAbs(p) || p != path.Clean(p) || p == ".." || strings.HasPrefix(p, "../") {
		return fmt.Errorf("path %q: want a clean path inside the mission's folder", p)
	}
	return nil
}

package missions

import (
	"errors"
	"fmt"

	"github.com/perilune/perilune/hvt"
)

// ErrManifest says that mission.toml and the manifest inside the program disagree.
var ErrManifest = errors.New("mission.toml and the program's manifest disagree")

// Names of the entries that ask for more than devices. No device may have one that is
// in use.
const (
	vcpusName = "vcpus"
	SeedName  = "seed"
)

// RingDepth is the depth of each ring: how many requests are on their way at most.
const RingDepth = 256

// Manifest is what the program built from m must declare: blocks, then the packet
// device, then the networks, each in the order of mission.toml, then the rings of
// those in the same order, then channels, then vCPUs if there is more than one, then
// the seed.
func (m *Mission) Manifest() hvt.Manifest {
	var out hvt.Manifest
	add := func(name string, t hvt.DeviceType) {
		out.Entries = append(out.Entries, hvt.Entry{Name: name, Type: t})
	}
	var rings []hvt.Entry
	device := func(name string, t, ring hvt.DeviceType, wanted bool) {
		add(name, t)
		if wanted {
			rings = append(rings, hvt.Extend(name, ring, RingDepth))
		}
	}
	for _, b := range m.Block {
		device(b.Name, hvt.Block, hvt.BlockRing, b.Ring)
	}
	for _, p := range m.Packet {
		device(p.Name, hvt.Net, hvt.NetRing, p.Ring)
	}
	for _, n := range m.Net {
		device(n.Name, hvt.Net, hvt.NetRing, n.Ring)
	}
	out.Entries = append(out.Entries, rings...)
	for _, c := range m.Channel {
		out.Entries = append(out.Entries, hvt.Extend(c.Name, hvt.Channel, hvt.MaxChannelMessage))
	}
	if m.Guest.VCPUs > 1 {
		out.Entries = append(out.Entries, hvt.Extend(vcpusName, hvt.VCPUs, uint32(m.Guest.VCPUs)))
	}
	if m.Guest.Seed {
		add(SeedName, hvt.Seed)
	}
	return out
}

// CheckManifest compares m with the manifest found in a program; the order of the
// devices does not count. The error names the first device that differs.
func (m *Mission) CheckManifest(got hvt.Manifest) error {
	type key struct {
		name string
		ring bool // a ring has its device's name
	}
	keyOf := func(e hvt.Entry) key { return key{e.Name, e.Type == hvt.BlockRing || e.Type == hvt.NetRing} }
	declared := map[key]hvt.Entry{}
	for _, e := range got.Entries {
		declared[keyOf(e)] = e
	}
	want := m.Manifest()
	for _, e := range want.Entries {
		d, ok := declared[keyOf(e)]
		switch {
		case !ok:
			return fmt.Errorf("%w: device %q is in mission.toml, not in the program", ErrManifest, e.Name)
		case d.Type != e.Type:
			return fmt.Errorf("%w: device %q has type %v in mission.toml, %v in the program", ErrManifest, e.Name, e.Type, d.Type)
		case d.Count() != e.Count():
			return fmt.Errorf("%w: %q is %d in mission.toml, %d in the program", ErrManifest, e.Name, e.Count(), d.Count())
		}
		delete(declared, keyOf(e))
	}
	for _, e := range got.Entries {
		if _, left := declared[keyOf(e)]; left {
			return fmt.Errorf("%w: device %q is in the program, not in mission.toml", ErrManifest, e.Name)
		}
	}
	return nil
}

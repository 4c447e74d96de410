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

// Manifest is what the program built from m must declare: blocks, then the packet
// device, then the networks, each in the order of mission.toml, then vCPUs if
// there is more than one, then the seed.
func (m *Mission) Manifest() hvt.Manifest {
	var out hvt.Manifest
	add := func(name string, t hvt.DeviceType) {
		out.Entries = append(out.Entries, hvt.Entry{Name: name, Type: t})
	}
	for _, b := range m.Block {
		add(b.Name, hvt.Block)
	}
	for _, p := range m.Packet {
		add(p.Name, hvt.Net)
	}
	for _, n := range m.Net {
		add(n.Name, hvt.Net)
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
	declared := map[string]hvt.Entry{}
	for _, e := range got.Entries {
		declared[e.Name] = e
	}
	want := m.Manifest()
	for _, e := range want.Entries {
		d, ok := declared[e.Name]
		switch {
		case !ok:
			return fmt.Errorf("%w: device %q is in mission.toml, not in the program", ErrManifest, e.Name)
		case d.Type != e.Type:
			return fmt.Errorf("%w: device %q has type %v in mission.toml, %v in the program", ErrManifest, e.Name, e.Type, d.Type)
		case d.Count() != e.Count():
			return fmt.Errorf("%w: %q is %d in mission.toml, %d in the program", ErrManifest, e.Name, e.Count(), d.Count())
		}
		delete(declared, e.Name)
	}
	for _, e := range got.Entries {
		if _, left := declared[e.Name]; left {
			return fmt.Errorf("%w: device %q is in the program, not in mission.toml", ErrManifest, e.Name)
		}
	}
	return nil
}

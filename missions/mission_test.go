package missions_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/internal/config"
	"github.com/perilune/perilune/missions"
)

const good = `
name = "earth"
tenant = "borealis"
version = "1.0.0"

[guest]
memory = 16

[[block]]
name = "image"
file = "earth.pgm"

[[packet]]
name = "link"
`

func TestParse(t *testing.T) {
	m, err := missions.Parse([]byte(good), "mission.toml")
	if err != nil {
		t.Fatal(err)
	}
	if m.Guest.Kernel != "build/earth.hvt" || m.Block[0].SectorSize != 512 || m.Build.Sources[0] != "main.c" {
		t.Fatalf("defaults: %+v", m)
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ name, from, to, want string }{
		{"unknown key", "memory", "memroy", `mission.toml:7: unknown key "guest.memroy"`},
		{"name", `"earth"`, `"Earth!"`, "mission name"},
		{"tenant", `"borealis"`, `"../x"`, "tenant name"},
		{"memory", "16", "0", "guest.memory"},
		{"path", "earth.pgm", "../../etc/shadow", "path"},
		{"absolute path", "earth.pgm", "/etc/shadow", "path"},
		{"same name twice", `"link"`, `"image"`, "is taken"},
		{"device name", `"link"`, `"li nk"`, "packet name"},
		{"restart", "memory = 16", "memory = 16\nrestart = \"later\"", `guest.restart: "later"`},
		{"grace", "memory = 16", "memory = 16\ngrace = 31", "guest.grace: 31 s"},
		{"grace without a link", "memory = 16\n\n[[block]]\nname = \"image\"\nfile = \"earth.pgm\"\n\n[[packet]]", "memory = 16\ngrace = 5\n[[net]]", "guest.grace: the request"},
		{"sector size", "earth.pgm\"", "earth.pgm\"\nsector_size = 700", "sector_size"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := missions.Parse([]byte(strings.Replace(good, tt.from, tt.to, 1)), "mission.toml")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %q", err, tt.want)
			}
			if tt.name == "unknown key" && !errors.Is(err, config.ErrUnknownKey) {
				t.Fatalf("%v is not ErrUnknownKey", err)
			}
		})
	}
}

func TestCheckManifest(t *testing.T) {
	m, err := missions.Parse([]byte(good), "mission.toml")
	if err != nil {
		t.Fatal(err)
	}
	image, link := hvt.Entry{Name: "image", Type: hvt.Block}, hvt.Entry{Name: "link", Type: hvt.Net}
	if err := m.CheckManifest(hvt.Manifest{Entries: []hvt.Entry{link, image}}); err != nil {
		t.Fatal(err)
	}
	for name, entries := range map[string][]hvt.Entry{
		"missing":    {image},
		"too many":   {image, link, {Name: "more", Type: hvt.Net}},
		"wrong type": {image, {Name: "link", Type: hvt.Block}},
	} {
		if err := m.CheckManifest(hvt.Manifest{Entries: entries}); !errors.Is(err, missions.ErrManifest) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestSeed(t *testing.T) {
	m, err := missions.Parse([]byte(strings.Replace(good, "[guest]", "[guest]\nseed = true", 1)), "mission.toml")
	if err != nil {
		t.Fatal(err)
	}
	seed := hvt.Extend("seed", hvt.Seed, 0)
	if got := m.Manifest().Entries; got[len(got)-1] != seed {
		t.Errorf("the last entry is %v, want %v", got[len(got)-1], seed)
	}
	m.Block[0].Name = missions.SeedName
	if err := m.Validate(); err == nil {
		t.Error("a device took the seed's name")
	}
}

func TestRings(t *testing.T) {
	m, err := missions.Parse([]byte(good), "mission.toml")
	if err != nil {
		t.Fatal(err)
	}
	plain := m.Manifest()
	m.Block[0].Ring, m.Packet[0].Ring = true, true
	got := m.Manifest()
	n := len(plain.Entries)
	if len(got.Entries) != n+2 || got.Entries[n] != hvt.Extend(m.Block[0].Name, hvt.BlockRing, missions.RingDepth) ||
		got.Entries[n+1] != hvt.Extend(m.Packet[0].Name, hvt.NetRing, missions.RingDepth) {
		t.Errorf("%v", got.Entries)
	}
	if err := m.CheckManifest(got); err != nil {
		t.Error(err)
	}
	if err := m.CheckManifest(plain); !errors.Is(err, missions.ErrManifest) {
		t.Errorf("a ring that the program does not declare: %v", err)
	}
	m.Block[0].Ring = false
	if err := m.CheckManifest(got); !errors.Is(err, missions.ErrManifest) {
		t.Errorf("a ring that mission.toml does not name: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := missions.Parse(data, "fuzz.toml")
		if err == nil && m.Validate() != nil {
			t.Fatal("accepted what it refuses")
		}
	})
}

// What is asked for beside devices does not count as one.
func TestMaxDevices(t *testing.T) {
	for extra := range 2 {
		m, err := missions.Parse([]byte(good), "mission.toml")
		if err != nil {
			t.Fatal(err)
		}
		m.Guest.Seed, m.Guest.VCPUs = true, 2
		for n := len(m.Block) + len(m.Packet) + len(m.Net); n < missions.MaxDevices+extra; n++ {
			m.Net = append(m.Net, missions.Net{Name: fmt.Sprint("n", n)})
		}
		if err := m.Validate(); (err == nil) != (extra == 0) {
			t.Errorf("%d devices above the limit: %v", extra, err)
		}
	}
}

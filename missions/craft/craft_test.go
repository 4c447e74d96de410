package craft_test

import (
	"os"
	"strings"
	"testing"

	"github.com/perilune/perilune/missions/craft"
)

const good = `
name = "luna"
scid = 42

[[tenant]]
name = "acme"
apid = 100
missions = ["beacon"]
autostart = ["beacon"]

[[tenant]]
name = "borealis"
apid = 101

[sim]
ber_up = 1e-3

[[sim.fault]]
kind = "los"
at_s = 30
duration_s = 10
`

func TestParse(t *testing.T) {
	c, err := craft.Parse([]byte(good), "craft.toml")
	if err != nil {
		t.Fatal(err)
	}
	if c.Tenant("borealis").Memory != 64 || c.Sim.BERDown != 1e-3 || c.Link.FrameLength != 1115 {
		t.Fatalf("%+v", c)
	}
	if c.Tenant("nobody") != nil {
		t.Fatal("found a tenant that is not there")
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ name, from, to, want string }{
		{"unknown key", "ber_up", "ber_upp", `craft.toml:16: unknown key "sim.ber_upp"`},
		{"scid", "scid = 42", "scid = 1024", "scid 1024"},
		{"apid twice", "apid = 101", "apid = 100", `apid 100 belongs to "acme"`},
		{"apid of flight", "apid = 101", "apid = 1", "apid 1"},
		{"tenant twice", `"borealis"`, `"acme"`, "is there twice"},
		{"ber", "1e-3", "0.7", "bit error ratio"},
		{"fault kind", `"los"`, `"meteor"`, `kind "meteor"`},
		{"frame length", "scid = 42", "scid = 42\n[link]\nframe_length = 1000", "RS(255,223) wants 1115"},
		{"negative time", "at_s = 30", "at_s = -1", "at_s"},
		{"tle passes", "ber_up = 1e-3", "passes = \"tle\"", "wants tle"},
		{"memory", `name = "luna"`, "name = \"luna\"\nmemory = 3", "memory 3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := craft.Parse([]byte(strings.Replace(good, tt.from, tt.to, 1)), "craft.toml")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestLoadKeys(t *testing.T) {
	dir := t.TempDir()
	if _, err := craft.LoadKeys(dir); err == nil {
		t.Fatal("keys out of nothing")
	}
	for _, spi := range craft.SPIs() {
		if err := os.WriteFile(dir+"/"+craft.KeyFile(spi), make([]byte, craft.KeySize), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	keys, err := craft.LoadKeys(dir)
	if err != nil || len(keys) != 3 {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	if err := os.WriteFile(dir+"/"+craft.KeyFile(2), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := craft.LoadKeys(dir); err == nil || !strings.Contains(err.Error(), "5 octets, want 32") {
		t.Fatalf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = craft.Parse(data, "fuzz.toml")
	})
}

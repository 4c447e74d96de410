package craft_test

import (
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/missions/craft"
)

// inOrbit is a craft.toml with elements (of test/golden/orbit.py) and a station.
const inOrbit = `
name = "luna"
scid = 42
[sim]
passes = "tle"
tle = [
  "1 90001U 26001A   26324.50000000  .00000000  00000-0  50000-4 0    14",
  "2 90001  97.6000  33.1000 0012000  90.0000 270.0000 15.05000000    14",
]
[[sim.station]]
name = "kiruna"
lat = 67.857
lon = 20.964
alt = 402
min_elevation = 5
`

func TestOrbit(t *testing.T) {
	c, err := craft.Parse([]byte(inOrbit), "craft.toml")
	if err != nil {
		t.Fatal(err)
	}
	tle, stations, err := c.Sim.Orbit()
	if err != nil || len(stations) != 1 || stations[0].MinElevationDeg != 5 || stations[0].AltM != 402 {
		t.Fatalf("%+v, %v", stations, err)
	}
	if want := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC); !tle.Epoch.Equal(want) {
		t.Errorf("epoch %v", tle.Epoch)
	}
}

func TestOrbitRefuses(t *testing.T) {
	tests := []struct{ name, from, to, want string }{
		{"checksum", "50000-4 0    14", "50000-4 0    15", "TLE line 1, column 69: checksum"},
		{"one line", "  \"2 90001  97.6000  33.1000 0012000  90.0000 270.0000 15.05000000    14\",\n", "", "two lines"},
		{"latitude", "67.857", "97", "lat"},
		{"horizon", "min_elevation = 5", "min_elevation = 95", "minimum elevation 95"},
		{"altitude", "alt = 402", "alt = nan", "altitude NaN"},
		{"twice", "[[sim.station]]", "[[sim.station]]\nname = \"kiruna\"\n[[sim.station]]", `station "kiruna" is there twice`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := craft.Parse([]byte(strings.Replace(inOrbit, tt.from, tt.to, 1)), "craft.toml")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %q", err, tt.want)
			}
		})
	}
	// Elements are checked although contact does not depend on them.
	text := strings.Replace(strings.Replace(inOrbit, `"tle"`, `"always"`, 1), "270.0000 15", "270.0001 15", 1)
	if _, err := craft.Parse([]byte(text), "craft.toml"); err == nil || !strings.Contains(err.Error(), "line 2, column 69") {
		t.Fatalf("got %v", err)
	}
}

// What the craft knows of its orbit is the world's too, unless the world has another.
func TestOrbitOfTheCraft(t *testing.T) {
	text := strings.Replace(inOrbit, "[sim]\npasses = \"tle\"\ntle", "[sim]\npasses = \"tle\"\n[orbit]\ntle", 1)
	c, err := craft.Parse([]byte(text), "craft.toml")
	if err != nil {
		t.Fatal(err)
	}
	if tle, _, err := c.Sim.Orbit(); err != nil || tle.Catalog != "90001" || len(c.Orbit.TLE) != 2 {
		t.Errorf("%+v, %v", tle, err)
	}
	_, err = craft.Parse([]byte(strings.Replace(text, "270.0000 15", "270.0001 15", 1)), "craft.toml")
	if err == nil || !strings.Contains(err.Error(), "craft.toml: orbit: tle: TLE line 2, column 69") {
		t.Errorf("got %v", err)
	}
	c, err = craft.Parse([]byte(inOrbit), "craft.toml")
	if err != nil || len(c.Orbit.TLE) != 0 {
		t.Errorf("the world's orbit became the craft's: %v, %v", c.Orbit, err)
	}
}

package sim

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/missions/craft"
	"github.com/perilune/perilune/sim/spacelink"
)

// The built-in craft's orbit and stations; the instants are those of
// plan/orbit/testdata/passes.txt.
func builtInSky(t *testing.T) *sky {
	t.Helper()
	c, err := craft.Load("flatsat/craft.toml")
	if err != nil {
		t.Fatal(err)
	}
	k, err := newSky(&c.Sim)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func clockAt(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.DateTime, "2026-11-20 "+s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestSkyAt(t *testing.T) {
	k := builtInSky(t)
	tests := []struct{ at, before, want string }{
		{"12:21:07", "", ""},
		{"12:21:08", "", "svalbard"}, // rises at 07.4
		{"12:27:20", "", "svalbard"}, // the higher of two
		{"12:27:20", "kiruna", "kiruna"},
		{"12:27:20", "elsewhere", "svalbard"},
		{"12:31:20", "kiruna", "kiruna"},
		{"12:31:21", "svalbard", "kiruna"}, // svalbard's has set at 12:30:53
		{"12:31:22", "kiruna", ""},
	}
	for _, tt := range tests {
		v, err := k.at(clockAt(t, tt.at), tt.before)
		if err != nil || v.station != tt.want {
			t.Errorf("%s after %q: %q, %v, want %q", tt.at, tt.before, v.station, err, tt.want)
		}
	}
	v, err := k.at(clockAt(t, "12:21:08"), "")
	if d := v.delay(); err != nil || d < 6500*time.Microsecond || d > 8*time.Millisecond { // about 2100 km
		t.Errorf("light time at the horizon %v, %v", d, err)
	}
	if _, err := k.at(clockAt(t, "12:00:00").AddDate(90, 0, 0), ""); err == nil {
		t.Error("a view 90 years from the elements")
	}
}

func TestSkyChange(t *testing.T) {
	k := builtInSky(t)
	views := map[string]view{}
	for _, at := range []string{"12:21:08", "12:29:00", "12:31:21", "12:31:22"} {
		v, err := k.at(clockAt(t, at), "")
		if err != nil {
			t.Fatal(err)
		}
		views[at] = v
	}
	tests := []struct {
		from view
		at   string
		want string
	}{
		{view{}, "12:21:08", "AOS svalbard: elevation 5°, azimuth 44°"},
		{views["12:21:08"], "12:29:00", ""},
		{views["12:29:00"], "12:31:21", "AOS kiruna: elevation 5°"}, // handed over
		{views["12:31:21"], "12:31:22", "LOS kiruna: next AOS svalbard at 13:55:50 UTC, in 1h24m29s, for 9m35s"},
		{view{}, "12:31:22", ""},
	}
	for _, tt := range tests {
		got := k.change(tt.from, views[tt.at], clockAt(t, tt.at))
		if !strings.HasPrefix(got, tt.want) || tt.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", tt.at, got, tt.want)
		}
	}
}

// passes speaks at once, and ends with its context or with the orbit.
func TestPasses(t *testing.T) {
	tests := []struct{ name, passes, one, want string }{
		{"always", "always", "not looked at", ""},
		{"flying", "tle", "1 90001U 26001A   26324.50000000  .00000000  00000-0  50000-4 0    14", "AOS "},
		{"too old", "tle", "1 90001U 26001A   60324.50000000  .00000000  00000-0  50000-4 0    12", "the orbit ends: propagate to "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := craft.Load("flatsat/craft.toml")
			if err != nil {
				t.Fatal(err)
			}
			c.Sim.Passes, c.Sim.TLE[0] = tt.passes, tt.one
			dir := t.TempDir()
			space, err := spacelink.New(spacelink.Config{Ground: filepath.Join(dir, "radio.sock"), Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			defer space.Close()
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			defer cancel()
			var talk bytes.Buffer
			(&session{opt: Options{Talk: &talk}, craft: c, space: space}).passes(ctx)
			got := talk.String()
			if !strings.Contains(got, tt.want) || strings.Count(got, "\n") > 1 || (got == "") != (tt.want == "") {
				t.Errorf("said %q, want one line with %q", got, tt.want)
			}
		})
	}
}

func TestSkyNever(t *testing.T) {
	k := builtInSky(t)
	for i := range k.stations {
		k.stations[i].MinElevationDeg = 89.99
	}
	if text := k.outlook(clockAt(t, "12:00:00")); text != "no pass in the next 48 h" {
		t.Error(text)
	}
}

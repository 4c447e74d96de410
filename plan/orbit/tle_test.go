package orbit_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/plan/orbit"
)

// Two objects of the verification set of AIAA 2006-6753.
const (
	low1     = "1 28057U 03049A   06177.78615833  .00000060  00000-0  35940-4 0  1836"
	low2     = "2 28057  98.4283 247.6961 0000884  88.1964 271.9322 14.35478080140550"
	molniya1 = "1 08195U 75081A   06176.33215444  .00000099  00000-0  11873-3 0   813"
	molniya2 = "2 08195  64.1586 279.0717 6877146 264.7651  20.2257  2.00491383225656"
)

func TestParseTLE(t *testing.T) {
	got, err := orbit.ParseTLE(low1, low2+" \r\n")
	if err != nil {
		t.Fatal(err)
	}
	want := orbit.TLE{
		Catalog: "28057", Classification: 'U', Designator: "03049A",
		Epoch: time.Date(2006, 6, 26, 18, 52, 4, 79_712_000, time.UTC),
		NDot:  6e-7, BStar: got.BStar, ElementSet: 183,
		InclinationDeg: 98.4283, NodeDeg: 247.6961, Eccentricity: 0.0000884,
		PerigeeDeg: 88.1964, AnomalyDeg: 271.9322, MeanMotion: 14.35478080, Revolution: 14055,
	}
	if math.Abs(got.BStar-0.35940e-4) > 1e-20 {
		t.Errorf("B* %g", got.BStar)
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// Signs and powers as they really occur.
func TestParseSigns(t *testing.T) {
	got, err := orbit.ParseTLE(
		"1 16925U 86065D   06151.67415771  .02550794 -30915-6  18784-3 0  4486",
		"2 16925  62.0906 295.0239 5596327 245.1593  47.9690  4.88511875148616")
	if err != nil || math.Abs(got.NDDot+0.30915e-6) > 1e-18 {
		t.Errorf("%+v, %v", got, err)
	}
	got, err = orbit.ParseTLE(repaired("1 E8195U          57001.00000000 -.00000099 +00000+0 -11873+2 0     0"), repaired(strings.Replace(molniya2, "08195", "E8195", 1)))
	if err != nil || got.NDot != -9.9e-7 || math.Abs(got.BStar+11.873) > 1e-12 || got.Catalog != "E8195" || got.Designator != "" ||
		!got.Epoch.Equal(time.Date(1957, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v, %v", got, err)
	}
}

// put overwrites columns from column (1 to 69) on and repairs the checksum.
func put(line string, column int, text string) string {
	return repaired(line[:column-1] + text + line[column-1+len(text):])
}

func TestParseTLERefuses(t *testing.T) {
	tests := []struct {
		name, one, two string
		line, column   int
		reason         string
	}{
		{"empty", "", "", 1, 1, "0 columns"},
		{"short", low1[:60], low2, 1, 61, "60 columns"},
		{"long", low1, low2 + "0", 2, 70, "70 columns"},
		{"swapped", low2, low1, 1, 1, "line number"},
		{"checksum", low1, low2[:68] + "9", 2, 69, "checksum '9'"},
		{"other octets", strings.Replace(low1, "U", "\x00", 1), low2, 1, 8, "printable"},
		{"not ASCII", "1 28057U 03049\xe9   06177.78615833  .00000060  00000-0  35940-4 0  1836", low2, 1, 15, "printable"},
		{"number", put(low1, 4, "I"), low2, 1, 4, "object's number"},
		{"letter I", put(low1, 3, "I"), low2, 1, 3, "object's number"},
		{"two objects", low1, molniya2, 2, 3, `object "08195"`},
		{"class", put(low1, 8, "X"), low2, 1, 8, "one of"},
		{"designator", put(low1, 10, "a"), low2, 1, 10, "designator"},
		{"gap", put(low1, 18, "1"), low2, 1, 18, "blank"},
		{"day 0", put(low1, 21, "000"), low2, 1, 21, "day 0"},
		{"day 366 of 2006", put(low1, 21, "366"), low2, 1, 21, "the year 2006 has 365"},
		{"epoch's point", put(low1, 24, ","), low2, 1, 24, "decimal point"},
		{"drag", put(low1, 55, "3 940"), low2, 1, 56, "digit"},
		{"drag's power", put(low1, 60, " "), low2, 1, 60, "one of"},
		{"another theory", put(low1, 63, "4"), low2, 1, 63, "one of"},
		{"inclination", low1, put(low2, 9, "180.0001"), 2, 9, "180.0001, want 0 to 180"},
		{"node", low1, put(low2, 18, "361"), 2, 18, "want 0 to 360"},
		{"eccentricity", low1, put(low2, 27, " "), 2, 27, "digit"},
		{"minus", low1, put(low2, 36, "-"), 2, 36, "digit"},
		{"mean motion", low1, put(low2, 53, "18.00000001"), 2, 53, "want 0 to 18"},
		{"no motion", low1, put(low2, 53, " 0.00000000"), 2, 53, "zero"},
		{"revolution", low1, put(low2, 64, "1 055"), 2, 65, "digit"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := orbit.ParseTLE(tt.one, tt.two)
			var p *orbit.ParseError
			if !errors.As(err, &p) || p.Line != tt.line || p.Column != tt.column || !strings.Contains(p.Reason, tt.reason) {
				t.Fatalf("got %v, want line %d, column %d: …%s…", err, tt.line, tt.column, tt.reason)
			}
			if place := fmt.Sprintf("TLE line %d, column %d: ", tt.line, tt.column); !strings.HasPrefix(err.Error(), place) {
				t.Errorf("%v does not begin with %q", err, place)
			}
		})
	}
}

// FuzzParseTLE feeds two lines, and propagates what passes for elements: there is a finite
// state or an error, never a panic.
func FuzzParseTLE(f *testing.F) {
	f.Add(low1, low2, 100.0)
	f.Add(molniya1, molniya2, -5000.0)
	f.Fuzz(func(t *testing.T, one, two string, minutes float64) {
		// Most mutations fail the checksum alone: try also with the right one.
		if len(one) == 69 && len(two) == 69 {
			one, two = repaired(one), repaired(two)
		}
		tle, err := orbit.ParseTLE(one, two)
		if err != nil {
			var p *orbit.ParseError
			if !errors.As(err, &p) || p.Column < 1 || p.Column > 70 {
				t.Fatalf("error without a place: %v", err)
			}
			return
		}
		if tle.Epoch.Year() < 1957 || tle.Epoch.Year() > 2056 || tle.MeanMotion <= 0 || tle.Eccentricity >= 1 {
			t.Fatalf("out of range: %+v", tle)
		}
		p, err := orbit.NewPropagator(tle)
		if err != nil {
			return
		}
		s, err := p.AtMinutes(minutes)
		for i := range 3 {
			if v := s.Position[i] + s.Velocity[i]; err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
				t.Fatalf("%v at %g min", s, minutes)
			}
		}
	})
}

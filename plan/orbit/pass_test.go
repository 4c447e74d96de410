package orbit_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/plan/orbit"
)

// golden is one of the files of test/golden/orbit.py: stations, and what belongs to each
// element set.
type golden struct {
	stations map[string]orbit.Station
	orbits   []goldenOrbit
}

type goldenOrbit struct {
	tle  orbit.TLE
	rows [][]string
}

func readGolden(t *testing.T, path string) golden {
	t.Helper()
	g := golden{stations: map[string]orbit.Station{}}
	all := lines(t, path)
	for i := 0; i < len(all); i++ {
		f := strings.Fields(all[i])
		switch {
		case f[0] == "station":
			v := floats(t, f[2:])
			g.stations[f[1]] = orbit.Station{Name: f[1], LatDeg: v[0], LonDeg: v[1], AltM: v[2], MinElevationDeg: v[3]}
		case f[0] == "1":
			tle, err := orbit.ParseTLE(all[i], all[i+1])
			if err != nil {
				t.Fatal(err)
			}
			g.orbits = append(g.orbits, goldenOrbit{tle: tle})
			i++
		default:
			o := &g.orbits[len(g.orbits)-1]
			o.rows = append(o.rows, f)
		}
	}
	return g
}

func instant(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// turn is the difference of two azimuths.
func turn(a, b float64) float64 { return math.Abs(math.Remainder(a-b, 360)) }

// What rounding and six places leave.
const (
	sightDeg = 2e-6
	sightKm  = 2e-6
)

func TestLook(t *testing.T) {
	g := readGolden(t, "testdata/sights.txt")
	n, worst := 0, 0.0
	for _, o := range g.orbits {
		for _, f := range o.rows {
			want := floats(t, f[2:])
			az, el, km, err := orbit.Look(o.tle, g.stations[f[1]], instant(t, f[0]))
			if err != nil {
				t.Fatal(err)
			}
			worst = max(worst, math.Abs(km-want[2]))
			if turn(az, want[0]) > sightDeg || math.Abs(el-want[1]) > sightDeg || math.Abs(km-want[2]) > sightKm {
				t.Errorf("%s over %s at %s: %.6f° %.6f° %.6f km, want %v", o.tle.Catalog, f[1], f[0], az, el, km, want)
			}
			n++
		}
	}
	t.Logf("%d sights, worst range off by %.3g km", n, worst)
}

// tolerance of an instant. The peak of a high orbit is so flat that elevations a tenth of
// a second apart are equal to nine places.
func tolerance(o goldenOrbit, peak bool) time.Duration {
	if peak && o.tle.MeanMotion < 5 {
		return 100 * time.Millisecond
	}
	return 10 * time.Millisecond
}

func TestPasses(t *testing.T) {
	g := readGolden(t, "testdata/passes.txt")
	n := 0
	for _, o := range g.orbits {
		rows := map[string][][]string{}
		for _, f := range o.rows {
			rows[f[0]] = append(rows[f[0]], f)
		}
		for name, st := range g.stations {
			whole := wholePasses(t, o.tle, st)
			if len(whole) != len(rows[name]) {
				t.Errorf("%s over %s: %d passes, want %d: %v", o.tle.Catalog, name, len(whole), len(rows[name]), whole)
				continue
			}
			for i, f := range rows[name] {
				comparePass(t, o, whole[i], f)
				n++
			}
		}
	}
	t.Logf("%d passes", n)
}

// wholePasses are those of two days from epoch, without any that the span cuts.
func wholePasses(t *testing.T, tle orbit.TLE, st orbit.Station) []orbit.Pass {
	t.Helper()
	all, err := orbit.Passes(tle, st, tle.Epoch, tle.Epoch.Add(48*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(p orbit.Pass) bool { return p.Begun || p.Open })
}

func comparePass(t *testing.T, o goldenOrbit, p orbit.Pass, f []string) {
	t.Helper()
	want := floats(t, f[4:])
	if turn(p.AOSAzimuth, want[1]) > 1e-3 || turn(p.TCAAzimuth, want[2]) > 0.01 || turn(p.LOSAzimuth, want[3]) > 1e-3 ||
		math.Abs(p.MaxElevation-want[0]) > 1e-4 {
		t.Errorf("%s over %s: %+v, want %v", o.tle.Catalog, p.Station, p, f)
	}
	for j, at := range []time.Time{p.AOS, p.TCA, p.LOS} {
		if off := at.Sub(instant(t, f[1+j])).Abs(); off > tolerance(o, j == 1) {
			t.Errorf("%s over %s: instant %d is %v from %s", o.tle.Catalog, p.Station, j, off, f[1+j])
		}
	}
}

// A span cuts the pass that lies across its ends, and says so.
func TestPassCut(t *testing.T) {
	g := readGolden(t, "testdata/passes.txt")
	tle, st := g.orbits[0].tle, g.stations["kiruna"]
	p := wholePasses(t, tle, st)[0]
	from, to := p.AOS.Add(time.Minute), p.AOS.Add(2*time.Minute)
	got, err := orbit.Passes(tle, st, from, to)
	if err != nil || len(got) != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	if c := got[0]; !c.Begun || !c.Open || !c.AOS.Equal(from) || !c.LOS.Equal(to) || !c.TCA.Equal(to) || c.Duration() != time.Minute {
		t.Errorf("%+v", c)
	}
}

// A pass of a few seconds falls between two samples of the scan.
func TestShortPass(t *testing.T) {
	g := readGolden(t, "testdata/passes.txt")
	tle, st := g.orbits[0].tle, g.stations["kiruna"]
	for i, p := range wholePasses(t, tle, st) {
		st.MinElevationDeg = p.MaxElevation - 0.002
		start := p.TCA.Add(-10*time.Minute - 13*time.Second) // no sample near the peak
		got, err := orbit.Passes(tle, st, start, start.Add(20*time.Minute))
		if err != nil || len(got) != 1 {
			t.Fatalf("pass %d: %v, %v", i, got, err)
		}
		if d := got[0].Duration(); d > 30*time.Second || got[0].TCA.Sub(p.TCA).Abs() > 20*time.Millisecond {
			t.Errorf("pass %d: %v at %v, want at %v", i, d, got[0].TCA, p.TCA)
		}
	}
}

func TestPassErrors(t *testing.T) {
	g := readGolden(t, "testdata/passes.txt")
	tle, st := g.orbits[0].tle, g.stations["kiruna"]
	from := tle.Epoch
	tests := []struct {
		name   string
		change func(*orbit.TLE, *orbit.Station)
		from   time.Time
		span   time.Duration
		want   error
	}{
		{"empty", nil, from, 0, orbit.ErrWindow},
		{"too long", nil, from, 367 * 24 * time.Hour, orbit.ErrWindow},
		{"far", nil, from.AddDate(100, 0, 0), time.Hour, orbit.ErrTooFar},
		{"very far", nil, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), time.Hour, orbit.ErrTooFar},
		{"latitude", func(_ *orbit.TLE, s *orbit.Station) { s.LatDeg = 91 }, from, time.Hour, orbit.ErrStation},
		{"no number", func(_ *orbit.TLE, s *orbit.Station) { s.LonDeg = math.NaN() }, from, time.Hour, orbit.ErrStation},
		{"altitude", func(_ *orbit.TLE, s *orbit.Station) { s.AltM = 1e6 }, from, time.Hour, orbit.ErrStation},
		{"horizon", func(_ *orbit.TLE, s *orbit.Station) { s.MinElevationDeg = 90 }, from, time.Hour, orbit.ErrStation},
		{"below ground", func(e *orbit.TLE, _ *orbit.Station) { e.MeanMotion = 17.5 }, from, time.Hour, orbit.ErrDecayed},
		{"no motion", func(e *orbit.TLE, _ *orbit.Station) { e.MeanMotion = 0 }, from, time.Hour, orbit.ErrOutside},
		{"open orbit", func(e *orbit.TLE, _ *orbit.Station) { e.Eccentricity = 1 }, from, time.Hour, orbit.ErrOutside},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, s := tle, st
			if tt.change != nil {
				tt.change(&e, &s)
			}
			if _, err := orbit.Passes(e, s, tt.from, tt.from.Add(tt.span)); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// Geodetic undoes Station.Position.
func TestGeodetic(t *testing.T) {
	for _, st := range []orbit.Station{
		{LatDeg: 0, LonDeg: 0}, {LatDeg: 90, LonDeg: 0, AltM: 2800}, {LatDeg: -89.9, LonDeg: 45, AltM: 3000},
		{LatDeg: 47.88, LonDeg: 11.08, AltM: 663}, {LatDeg: -33.15, LonDeg: -70.67, AltM: 100_000},
	} {
		lat, lon, height := orbit.Geodetic(st.Position())
		if math.Abs(lat-st.LatDeg) > 1e-9 || math.Abs(lon-st.LonDeg) > 1e-9 || math.Abs(height-st.AltM/1000) > 1e-8 {
			t.Errorf("%+v: %.10f° %.10f° %.9f km", st, lat, lon, height)
		}
	}
}

func TestLookRefuses(t *testing.T) {
	g := readGolden(t, "testdata/sights.txt")
	tle, st := g.orbits[0].tle, g.stations["kiruna"]
	if _, _, _, err := orbit.Look(tle, orbit.Station{LatDeg: 100}, tle.Epoch); !errors.Is(err, orbit.ErrStation) {
		t.Error(err)
	}
	if _, _, _, err := orbit.Look(orbit.TLE{}, st, tle.Epoch); !errors.Is(err, orbit.ErrOutside) {
		t.Error(err)
	}
	if _, _, _, err := orbit.Look(tle, st, tle.Epoch.AddDate(60, 0, 0)); !errors.Is(err, orbit.ErrTooFar) {
		t.Error(err)
	}
}

// The epoch J2000.0 and that of Unix time.
func TestJulianDay(t *testing.T) {
	for at, want := range map[string]float64{"2000-01-01T12:00:00Z": 2451545, "1970-01-01T00:00:00Z": 2440587.5} {
		if got := orbit.JulianDay(instant(t, at)); got != want {
			t.Errorf("%s: %f, want %f", at, got, want)
		}
	}
}

func TestGMST(t *testing.T) {
	for _, l := range lines(t, "testdata/gmst.txt") {
		f := strings.Fields(l)
		want := floats(t, f[1:])[0]
		if got := orbit.GMST(instant(t, f[0])) / math.Pi * 12; math.Abs(got-want) > 1e-7 {
			t.Errorf("%s: %.9f h, want %.9f", f[0], got, want)
		}
	}
}

func BenchmarkPassesDay(b *testing.B) {
	tle, err := orbit.ParseTLE(low1, low2)
	if err != nil {
		b.Fatal(err)
	}
	st := orbit.Station{Name: "kiruna", LatDeg: 67.857, LonDeg: 20.964, AltM: 402, MinElevationDeg: 5}
	for b.Loop() {
		if _, err := orbit.Passes(tle, st, tle.Epoch, tle.Epoch.Add(24*time.Hour)); err != nil {
			b.Fatal(err)
		}
	}
}

package craft

import (
	"fmt"
	"slices"
	"strings"

	"github.com/perilune/perilune/ccsds/link"
)

// Sim is the world that the simulator puts around a craft.
type Sim struct {
	BERUp    float64   `toml:"ber_up"`       // bit error ratio of the uplink
	BERDown  float64   `toml:"ber_down"`     // and of the downlink
	EbN0Down *float64  `toml:"ebn0_down_db"` // noise of the downlink's receiver; in place of ber_down, unless that is given too
	DelayMS  int       `toml:"delay_ms"`     // one way, when passes = "always"
	Seed     uint64    `toml:"seed"`         // of noise; the same seed gives the same noise to the same bits
	Passes   string    `toml:"passes"`       // "always": in contact but for faults; "tle": as the orbit has it
	TLE      []string  `toml:"tle"`          // the two lines, if they are not those that the craft itself has
	Stations []Station `toml:"station"`
	Faults   []Fault   `toml:"fault"`
}

// Station is a place on the ground with an antenna.
type Station struct {
	Name         string  `toml:"name"`
	Latitude     float64 `toml:"lat"`           // degrees north
	Longitude    float64 `toml:"lon"`           // degrees east
	Altitude     float64 `toml:"alt"`           // metres above the ellipsoid
	MinElevation float64 `toml:"min_elevation"` // degrees
}

// Fault is something that goes wrong on purpose.
type Fault struct {
	Kind     string  `toml:"kind"`       // one of Kinds
	At       float64 `toml:"at_s"`       // seconds after first lock
	Duration float64 `toml:"duration_s"` // seconds; for los, burst and ber
	Link     string  `toml:"link"`       // "up", "down" or "" for both; for burst and ber
	Value    float64 `toml:"value"`      // bit error ratio; for ber
}

// Kinds of faults.
const (
	FaultLOS        = "los"         // loss of signal both ways
	FaultBurst      = "burst"       // half of all bits are wrong
	FaultBER        = "ber"         // another bit error ratio
	FaultReset      = "reset"       // the craft's computer is reset
	FaultKillFlight = "kill-flight" // the flight daemon dies
)

// Kinds lists what a fault can be.
var Kinds = []string{FaultLOS, FaultBurst, FaultBER, FaultReset, FaultKillFlight}

// DefaultSim is a noisy channel that is always there.
func DefaultSim() Sim {
	return Sim{BERUp: 1e-4, BERDown: 1e-3, DelayMS: 5, Seed: 1, Passes: "always"}
}

// fill takes the default noise away where there is another, and from streams of packets, which
// rest on somebody else's that loses nothing; and the craft's orbit is the world's too, unless it has another.
func (s *Sim) fill(l *Link, o *Orbit) {
	if len(s.TLE) == 0 {
		s.TLE = o.TLE
	}
	def, packets := DefaultSim(), string(link.FramingPackets)
	if (s.EbN0Down != nil || l.Down == packets) && s.BERDown == def.BERDown {
		s.BERDown = 0
	}
	if l.Up == packets && s.BERUp == def.BERUp {
		s.BERUp = 0
	}
}

func (s *Sim) validate() error {
	for _, b := range []float64{s.BERUp, s.BERDown} {
		if !(b >= 0 && b <= 0.5) {
			return fmt.Errorf("bit error ratio %g: want 0 to 0.5", b)
		}
	}
	if s.EbN0Down != nil && !(*s.EbN0Down >= -5 && *s.EbN0Down <= 30) {
		return fmt.Errorf("ebn0_down_db %g: want -5 to 30", *s.EbN0Down)
	}
	if s.DelayMS < 0 || s.DelayMS > 10_000 {
		return fmt.Errorf("delay_ms %d: want 0 to 10000", s.DelayMS)
	}
	switch s.Passes {
	case "always":
	case "tle":
		if len(s.TLE) != 2 || len(s.Stations) == 0 {
			return fmt.Errorf("passes = %q wants tle with two lines and at least one [[sim.station]]", s.Passes)
		}
	default:
		return fmt.Errorf("passes %q: want always or tle", s.Passes)
	}
	if len(s.TLE) > 0 {
		if _, _, err := s.Orbit(); err != nil {
			return err
		}
	}
	names := map[string]bool{}
	for _, st := range s.Stations {
		if st.Name == "" || !(st.Latitude >= -90 && st.Latitude <= 90) || !(st.Longitude >= -180 && st.Longitude <= 360) {
			return fmt.Errorf("station %q: want a name, lat from -90 to 90 and lon from -180 to 360 degrees", st.Name)
		}
		if err := st.orbit().Validate(); err != nil {
			return err
		}
		if names[st.Name] {
			return fmt.Errorf("station %q is there twice", st.Name)
		}
		names[st.Name] = true
	}
	for i, f := range s.Faults {
		if err := f.Validate(); err != nil {
			return fmt.Errorf("fault %d: %w", i+1, err)
		}
	}
	return nil
}

// Validate reports what is wrong with f.
func (f *Fault) Validate() error {
	if !slices.Contains(Kinds, f.Kind) {
		return fmt.Errorf("kind %q: want one of %s", f.Kind, strings.Join(Kinds, ", "))
	}
	if !(f.At >= 0) || !(f.Duration >= 0) {
		return fmt.Errorf("%s: at_s and duration_s are not negative", f.Kind)
	}
	if f.Link != "" && f.Link != "up" && f.Link != "down" {
		return fmt.Errorf("%s: link %q: want up or down, or leave it out for both", f.Kind, f.Link)
	}
	if f.Kind == FaultBER && !(f.Value >= 0 && f.Value <= 0.5) {
		return fmt.Errorf("ber: value %g: want 0 to 0.5", f.Value)
	}
	return nil
}

package main

import "time"

// Three deaths of flight in ten minutes make the craft safe.
const (
	maxDeaths   = 3
	deathWindow = 10 * time.Minute
)

// deaths remembers when flight died.
type deaths []time.Time

// add notes a death and says whether it is one too many.
func (d *deaths) add(now time.Time) bool {
	kept := (*d)[:0]
	for _, t := range *d {
		if now.Sub(t) < deathWindow {
			kept = append(kept, t)
		}
	}
	*d = append(kept, now)
	return len(*d) >= maxDeaths
}

func (d *deaths) forget() { *d = nil }

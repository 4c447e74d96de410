package console

import (
	"math"
	"time"
)

// Bucket limits a flow: it fills at Rate units a second up to Burst, and what
// flows takes from it. A new one is empty; Fill it for a first burst.
type Bucket struct {
	Rate, Burst float64
	level       float64
	at          time.Time
}

// Fill makes the bucket full.
func (b *Bucket) Fill(now time.Time) { b.level, b.at = b.Burst, now }

// Has says whether n units may flow now.
func (b *Bucket) Has(n float64, now time.Time) bool {
	b.level = min(b.Burst, b.level+b.Rate*max(0, now.Sub(b.at).Seconds()))
	b.at = now
	return b.level >= n
}

// Spend takes n units, of which Has was asked.
func (b *Bucket) Spend(n float64) { b.level -= n }

// Wait is how long it takes from the last Has until n units, at most Burst,
// are there, rounded up: to wait for less than the clock's step is to spin.
func (b *Bucket) Wait(n float64) time.Duration {
	return time.Duration(math.Ceil(max(0, n-b.level) / b.Rate * float64(time.Second)))
}

package linktool

import (
	"time"

	"github.com/perilune/perilune/ccsds/sdls"
)

// numbers gives out the anti-replay numbers of a protected downlink: above all that a craft
// with the same keys has used, since it is not known which.
func numbers() func(spi uint16) (uint64, error) {
	next := map[uint16]uint64{}
	return func(spi uint16) (uint64, error) {
		if next[spi] == 0 {
			next[spi] = sdls.FirstNumber(time.Now())
		}
		next[spi]++
		return next[spi], nil
	}
}

// noFloors are the anti-replay floors of one who has received nothing before. What comes
// twice in one input is refused; an input can be read any number of times.
type noFloors struct{}

func (noFloors) Floor(uint16) (uint64, error) { return 0, nil }
func (noFloors) Raise(uint16, uint64) error   { return nil }

package linkd

import (
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/internal/clock"
)

// first begins the anti-replay numbers of the downlink above all that were ever used when
// the records know of none: on a craft without a disk, or whose records were damaged, a
// number that came again would be the same initialisation vector under the same key.
type first struct {
	link.Saver
	clock clock.Clock
	down  map[uint16]bool
}

func newFirst(cfg Config) *first {
	f := &first{Saver: cfg.Saver, clock: cfg.Clock, down: map[uint16]bool{}}
	for _, spi := range cfg.Profile.DownSPI {
		f.down[spi], f.down[link.Spare(spi)] = true, true
	}
	return f
}

// LoadFloor is the number that was used last under spi.
func (f *first) LoadFloor(spi uint16) (uint64, error) {
	n, err := f.Saver.LoadFloor(spi)
	if err == nil && n == 0 && f.down[spi] {
		n = sdls.FirstNumber(f.clock.Now())
	}
	return n, err
}

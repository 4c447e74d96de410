package linkd

import (
	"sync"

	"github.com/perilune/perilune/ccsds"
)

// aside gives the link's lock back while something of the uplink is made durable, so that the
// transmitter goes on: link.Saver allows it. Numbers of the downlink are the transmitter's own, and
// it waits for them.
type aside struct {
	*first
	lock *sync.Mutex // held by who calls
}

// SaveFloor makes n the floor of spi.
func (a aside) SaveFloor(spi uint16, n uint64) error {
	if !a.down[spi] {
		a.lock.Unlock()
		defer a.lock.Lock()
	}
	return a.first.SaveFloor(spi, n)
}

// SaveVR makes v the checkpoint of vc.
func (a aside) SaveVR(vc ccsds.VCID, v uint8) error {
	a.lock.Unlock()
	defer a.lock.Lock()
	return a.first.SaveVR(vc, v)
}

package link

import (
	"maps"
	"slices"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/ccsds/uslp"
)

// Floors keeps the highest anti-replay number received of each association of the
// downlink over restarts: Floor is 0 where none was, Raise never lowers it.
type Floors interface {
	Floor(spi uint16) (uint64, error)
	Raise(spi uint16, n uint64) error
}

// downMask is the authentication mask of the downlink's frames: the whole primary header but
// frame counts, which security precedes.
func (p Profile) downMask() []byte {
	zone := make([]byte, p.InsertZone)
	switch p.Down {
	case FramingAOS:
		return sdls.MaskAOS(p.HeaderControl, len(zone))
	case FramingUSLP:
		return sdls.MaskUSLP(uslp.MinHeaderLength+uslpDownCount, len(zone))
	}
	return sdls.MaskTM(0)
}

// downAssociations are the security associations of the downlink.
func (p Profile) downAssociations() (out []sdls.SA) {
	for _, vc := range slices.Sorted(maps.Keys(p.DownSPI)) {
		spi := p.DownSPI[vc]
		out = append(out, p.downAssociation(vc, spi, p.Keys[spi]))
	}
	return out
}

// downAssociation is one of downlink channel vc. It has no window: nothing overtakes on a
// downlink, and frame counts are not authenticated.
func (p Profile) downAssociation(vc ccsds.VCID, spi uint16, key [32]byte) sdls.SA {
	return sdls.SA{SPI: spi, Key: key, VCs: []ccsds.VCID{vc}, Mask: p.downMask(),
		Service: p.DownMode[vc].service()}
}

// downOverhead is what security adds to a frame on vc, in octets.
func (p Profile) downOverhead(vc ccsds.VCID) int {
	if _, ok := p.DownSPI[vc]; !ok {
		return 0
	}
	return sdls.SA{Service: p.DownMode[vc].service()}.Overhead()
}

// DownAuthenticated reports whether nobody but the craft can make frames of downlink virtual
// channel vc that are taken.
func (p Profile) DownAuthenticated(vc ccsds.VCID) bool {
	_, protected := p.DownSPI[vc]
	return protected && p.DownMode[vc] != ModeEncrypt
}

// reserve gives out numbers that were saved as used before: after a restart it goes on
// above all of them.
type reserve struct {
	saver Saver
	spi   map[uint16]*reserved
}

type reserved struct{ next, saved uint64 }

// reserveBlock is how many numbers are saved as used at a time.
const reserveBlock = 1024

func (r *reserve) number(spi uint16) (uint64, error) {
	c, err := r.load(spi)
	if err != nil {
		return 0, err
	}
	if c.next > c.saved {
		top := max(c.saved, c.next-1) + reserveBlock
		if err := r.saver.SaveFloor(spi, top); err != nil {
			return 0, err
		}
		c.saved = top
	}
	c.next++
	return c.next - 1, nil
}

// last is the number that was given last under spi.
func (r *reserve) last(spi uint16) (uint64, error) {
	c, err := r.load(spi)
	if err != nil {
		return 0, err
	}
	return c.next - 1, nil
}

// raise lets the numbers of spi go on above n.
func (r *reserve) raise(spi uint16, n uint64) error {
	c, err := r.load(spi)
	if err == nil {
		c.next = max(c.next, n+1)
	}
	return err
}

func (r *reserve) load(spi uint16) (*reserved, error) {
	if r.spi[spi] == nil {
		n, err := r.saver.LoadFloor(spi)
		if err != nil {
			return nil, err
		}
		r.spi[spi] = &reserved{next: n + 1, saved: n}
	}
	return r.spi[spi], nil
}

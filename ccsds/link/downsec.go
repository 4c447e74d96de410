package link

import (
	"fmt"
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
		out = append(out, sdls.SA{SPI: spi, Key: p.Keys[spi], VCs: []ccsds.VCID{vc}, Mask: p.downMask(),
			Service: p.DownMode[vc].service(), Window: sdls.MaxWindow})
	}
	return out
}

// downOverhead is what security adds to a frame on vc, in octets.
func (p Profile) downOverhead(vc ccsds.VCID) int {
	if _, ok := p.DownSPI[vc]; !ok {
		return 0
	}
	return sdls.SA{Service: p.DownMode[vc].service()}.Overhead()
}

// downSender protects the frames of a downlink.
type downSender struct {
	p       Profile
	sender  *sdls.Sender
	numbers func(spi uint16) (uint64, error)
}

func newDownSender(p Profile, numbers func(uint16) (uint64, error)) (*downSender, error) {
	if numbers == nil {
		return nil, fmt.Errorf("%w: protected channels and no anti-replay numbers", ErrProfile)
	}
	s, err := sdls.NewSender(p.downAssociations())
	return &downSender{p, s, numbers}, err
}

func (s *downSender) Overhead(vc ccsds.VCID) int { return s.p.downOverhead(vc) }

func (s *downSender) Protect(dst []byte, vc ccsds.VCID, header, data []byte) ([]byte, error) {
	spi := s.p.DownSPI[vc]
	n, err := s.numbers(spi)
	if err != nil {
		return dst, fmt.Errorf("anti-replay number for SPI %d: %w", spi, err)
	}
	return s.sender.Apply(dst, spi, vc, n, header, data)
}

// downReceiver opens the frames of a downlink.
type downReceiver struct {
	p        Profile
	receiver *sdls.Receiver
	floors   Floors
	saved    map[uint16]uint64
}

// floorEvery is how far an anti-replay floor may be ahead of what Floors knows before it
// is saved in between.
const floorEvery = 256

func newDownReceiver(p Profile, floors Floors) (*downReceiver, error) {
	r, err := sdls.NewReceiver(p.downAssociations())
	if err != nil {
		return nil, err
	}
	d := &downReceiver{p, r, floors, map[uint16]uint64{}}
	for _, spi := range p.DownSPI {
		if floors == nil {
			return nil, fmt.Errorf("%w: protected channels and nothing to keep anti-replay floors", ErrProfile)
		}
		n, err := floors.Floor(spi)
		if err != nil {
			return nil, fmt.Errorf("load anti-replay floor, SPI %d: %w", spi, err)
		}
		r.SetFloor(spi, n)
		d.saved[spi] = n
	}
	return d, nil
}

// open removes security where the channel has some. A floor that cannot be saved is no
// reason to lose the frame: only old telemetry could come twice, after a restart.
func (d *downReceiver) open(vc ccsds.VCID, header, field []byte) ([]byte, error) {
	spi, ok := d.p.DownSPI[vc]
	if !ok {
		return field, nil
	}
	clear, err := d.receiver.Open(vc, header, field)
	if err != nil {
		return nil, err
	}
	if d.receiver.Floor(spi) >= d.saved[spi]+floorEvery {
		_ = d.save(spi)
	}
	return clear, nil
}

// save gives a floor that has risen to Floors.
func (d *downReceiver) save(spi uint16) error {
	n := d.receiver.Floor(spi)
	if n <= d.saved[spi] {
		return nil
	}
	if err := d.floors.Raise(spi, n); err != nil {
		return fmt.Errorf("save anti-replay floor, SPI %d: %w", spi, err)
	}
	d.saved[spi] = n
	return nil
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
	c := r.spi[spi]
	if c == nil {
		n, err := r.saver.LoadFloor(spi)
		if err != nil {
			return 0, err
		}
		c = &reserved{next: n + 1, saved: n}
		r.spi[spi] = c
	}
	if c.next > c.saved {
		if err := r.saver.SaveFloor(spi, c.saved+reserveBlock); err != nil {
			return 0, err
		}
		c.saved += reserveBlock
	}
	c.next++
	return c.next - 1, nil
}

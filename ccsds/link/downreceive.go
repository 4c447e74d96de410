package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/sdls"
)

// downReceiver opens the frames of a downlink.
type downReceiver struct {
	p        Profile
	receiver *sdls.Receiver
	floors   Floors
	saved    map[uint16]uint64     // by association
	heard    map[ccsds.VCID]uint16 // of the last frame of a channel that opened
	changed  func(vc ccsds.VCID, spi uint16)
}

// floorEvery is how far an anti-replay floor may be ahead of what Floors knows before it
// is saved in between.
const floorEvery = 256

func newDownReceiver(p Profile, floors Floors) (*downReceiver, error) {
	r, err := sdls.NewReceiver(p.downAssociations())
	if err != nil {
		return nil, err
	}
	if floors == nil {
		return nil, fmt.Errorf("%w: protected channels and nothing to keep anti-replay floors", ErrProfile)
	}
	d := &downReceiver{p: p, receiver: r, floors: floors, saved: map[uint16]uint64{}, heard: map[ccsds.VCID]uint16{}}
	for _, spi := range p.DownSPI {
		if err := d.load(spi); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// load reads the floor of an association.
func (d *downReceiver) load(spi uint16) error {
	n, err := d.floors.Floor(spi)
	if err != nil {
		return fmt.Errorf("load anti-replay floor, SPI %d: %w", spi, err)
	}
	d.receiver.SetFloor(spi, n)
	d.saved[spi] = n
	return nil
}

// associate takes frames of vc under spi too, or under another key than before.
func (d *downReceiver) associate(vc ccsds.VCID, spi uint16, key [32]byte) error {
	if err := d.receiver.Put(d.p.downAssociation(vc, spi, key)); err != nil {
		return err
	}
	if _, known := d.saved[spi]; known {
		return nil
	}
	return d.load(spi)
}

// open removes security where the channel has some. A floor that cannot be saved is no
// reason to lose the frame: only old telemetry could come twice, after a restart.
func (d *downReceiver) open(vc ccsds.VCID, header, field []byte) ([]byte, error) {
	if _, ok := d.p.DownSPI[vc]; !ok {
		return field, nil
	}
	clear, err := d.receiver.Open(vc, header, field)
	if err != nil {
		return nil, err
	}
	spi := binary.BigEndian.Uint16(field)
	if d.heard[vc] != spi {
		d.heard[vc] = spi
		if d.changed != nil {
			d.changed(vc, spi)
		}
	}
	if d.receiver.Floor(spi) >= d.saved[spi]+floorEvery {
		_ = d.save(spi)
	}
	return clear, nil
}

// saveAll gives all floors that have risen to Floors.
func (d *downReceiver) saveAll() error {
	var errs []error
	for spi := range maps.Clone(d.saved) {
		errs = append(errs, d.save(spi))
	}
	return errors.Join(errs...)
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

// AssociateDown makes the ground take frames of downlink channel vc under spi with key too.
// The station does so before the craft may use it, and takes both until it has changed.
func (g *Ground) AssociateDown(vc ccsds.VCID, spi uint16, key [32]byte) error {
	if _, ok := g.p.DownSPI[vc]; !ok || g.frames.sec == nil {
		return fmt.Errorf("associate downlink channel %d: %w", vc, ErrUnmanaged)
	}
	if err := g.frames.sec.associate(vc, spi, key); err != nil {
		return fmt.Errorf("associate downlink channel %d: %w", vc, err)
	}
	return nil
}

// DissociateDown makes the ground refuse frames of the downlink under spi.
func (g *Ground) DissociateDown(spi uint16) {
	if g.frames.sec != nil {
		g.frames.sec.receiver.Remove(spi)
	}
}

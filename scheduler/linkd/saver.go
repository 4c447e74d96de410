package linkd

import (
	"errors"
	"slices"
	"strconv"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/internal/durable"
)

// Records is where authority is kept; a Put that returned is on stable storage.
type Records interface {
	Put(bucket, key string, v any) error
	Get(bucket, key string, v any) error
}

const (
	bucketFloors = "sdls-floor"
	bucketVR     = "farm-vr"
)

// Saver keeps the link's authority. What it saves is durable before it returns.
type Saver struct{ Records Records }

func floorKey(spi uint16) string { return strconv.Itoa(int(spi)) }
func vrKey(vc ccsds.VCID) string { return strconv.Itoa(int(vc)) }

// LoadFloor is the highest anti-replay number accepted under spi, 0 if none was.
func (s Saver) LoadFloor(spi uint16) (n uint64, err error) {
	if err = s.Records.Get(bucketFloors, floorKey(spi), &n); errors.Is(err, durable.ErrNotFound) {
		return 0, nil
	}
	return n, err
}

// Check reads what p's link needs to begin: damage here would keep it from beginning at all.
func (s Saver) Check(p link.Profile) (err error) {
	p = p.WithDefaults()
	for _, spi := range p.SPI {
		_, e := s.LoadFloor(spi)
		err = errors.Join(err, e)
	}
	for _, vc := range slices.Concat(p.AD, p.BD) {
		_, _, e := s.LoadVR(vc)
		err = errors.Join(err, e)
	}
	return err
}

// SaveFloor makes n the floor of spi.
func (s Saver) SaveFloor(spi uint16, n uint64) error {
	return s.Records.Put(bucketFloors, floorKey(spi), n)
}

// LoadVR is the last checkpoint of FARM's V(R) on vc, if there is one.
func (s Saver) LoadVR(vc ccsds.VCID) (v uint8, ok bool, err error) {
	if err = s.Records.Get(bucketVR, vrKey(vc), &v); errors.Is(err, durable.ErrNotFound) {
		return 0, false, nil
	}
	return v, err == nil, err
}

// SaveVR makes v the checkpoint of vc; link.Space asks for it every few frames.
func (s Saver) SaveVR(vc ccsds.VCID, v uint8) error {
	return s.Records.Put(bucketVR, vrKey(vc), v)
}

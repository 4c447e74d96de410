package link

import (
	"maps"
	"slices"

	"github.com/perilune/perilune/ccsds/sdls"
)

// MasterKey is the number of the key under which others travel. A session key has any other;
// the one that a craft is built with has that of its association.
const MasterKey uint16 = 0

// Spare is the partner of an association: each protected channel has two, of which one is in
// use while the other takes the next key.
func Spare(spi uint16) uint16 { return spi ^ 0x8000 }

// sends says whether an association protects what the craft sends.
func (p Profile) sends(spi uint16) bool {
	for _, own := range p.DownSPI {
		if spi == own || spi == Spare(own) {
			return true
		}
	}
	return false
}

// FirstKeys are the keys of a craft that nobody has rekeyed yet.
func (p Profile) FirstKeys(master [32]byte) []sdls.Key {
	keys := []sdls.Key{{ID: MasterKey, Value: master, State: sdls.Active, Master: true}}
	for _, spi := range slices.Concat(slices.Sorted(maps.Values(p.SPI)), slices.Sorted(maps.Values(p.DownSPI))) {
		keys = append(keys, sdls.Key{ID: spi, Value: p.Keys[spi], State: sdls.Active})
	}
	return keys
}

// FirstRecords are the associations of such a craft: those of the profile, and for each an
// unkeyed spare.
func (p Profile) FirstRecords() []sdls.Record {
	var out []sdls.Record
	pair := func(spi uint16, sends bool, sa func(spi uint16) sdls.SA) {
		out = append(out,
			sdls.Record{SA: sa(spi), KeyID: spi, State: sdls.Operational, Sends: sends},
			sdls.Record{SA: sa(Spare(spi)), Sends: sends})
	}
	for _, vc := range slices.Sorted(maps.Keys(p.SPI)) {
		pair(p.SPI[vc], false, func(spi uint16) sdls.SA { return p.association(vc, spi, [32]byte{}) })
	}
	for _, vc := range slices.Sorted(maps.Keys(p.DownSPI)) {
		pair(p.DownSPI[vc], true, func(spi uint16) sdls.SA { return p.downAssociation(vc, spi, [32]byte{}) })
	}
	return out
}

// Planned is the association that the profile has for an SPI, or for its partner, without a key.
func (p Profile) Planned(spi uint16) (sdls.SA, bool) {
	p = p.WithDefaults()
	for _, r := range p.FirstRecords() {
		if r.SA.SPI == spi {
			return r.SA, true
		}
	}
	return sdls.SA{}, false
}

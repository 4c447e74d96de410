package link

import (
	"fmt"
	"slices"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/sdls"
)

// downSender protects the frames of a downlink.
type downSender struct {
	p       Profile
	sender  *sdls.Sender
	numbers func(spi uint16) (uint64, error)
	use     map[ccsds.VCID][]uint16 // associations of a channel; the last protects it
}

func newDownSender(p Profile, numbers func(uint16) (uint64, error)) (*downSender, error) {
	if numbers == nil {
		return nil, fmt.Errorf("%w: protected channels and no anti-replay numbers", ErrProfile)
	}
	s := &downSender{p: p, numbers: numbers}
	return s, s.restart()
}

// restart goes back to the associations of the profile.
func (s *downSender) restart() (err error) {
	s.use = map[ccsds.VCID][]uint16{}
	for vc, spi := range s.p.DownSPI {
		s.use[vc] = []uint16{spi}
	}
	s.sender, err = sdls.NewSender(s.p.downAssociations())
	return err
}

// clear forgets all associations.
func (s *downSender) clear() {
	for vc, all := range s.use {
		for _, spi := range slices.Clone(all) {
			s.Remove(spi)
		}
		delete(s.use, vc)
	}
}

func (s *downSender) Overhead(vc ccsds.VCID) int { return s.p.downOverhead(vc) }

func (s *downSender) Protect(dst []byte, vc ccsds.VCID, header, data []byte) ([]byte, error) {
	all := s.use[vc]
	if len(all) == 0 {
		return dst, fmt.Errorf("channel %d: %w", vc, sdls.ErrSPI)
	}
	spi := all[len(all)-1]
	n, err := s.numbers(spi)
	if err != nil {
		return dst, fmt.Errorf("anti-replay number for SPI %d: %w", spi, err)
	}
	return s.sender.Apply(dst, spi, vc, n, header, data)
}

// Put makes an association the one that protects its channels from the next frame on. The
// room that frames have for packets is fixed, so it must add as much as the profile's.
func (s *downSender) Put(sa sdls.SA) error {
	for _, vc := range sa.VCs {
		if have := s.p.downOverhead(vc); have == 0 || have != sa.Overhead() {
			return fmt.Errorf("SPI %d adds %d octets to frames of channel %d, which has room for %d: %w", sa.SPI, sa.Overhead(), vc, have, sdls.ErrVC)
		}
	}
	if err := s.sender.Put(sa); err != nil {
		return err
	}
	s.forget(sa.SPI)
	for _, vc := range sa.VCs {
		s.use[vc] = append(s.use[vc], sa.SPI)
	}
	return nil
}

// Remove forgets an association.
func (s *downSender) Remove(spi uint16) {
	s.sender.Remove(spi)
	s.forget(spi)
}

func (s *downSender) forget(spi uint16) {
	for vc := range s.use {
		s.use[vc] = slices.DeleteFunc(s.use[vc], func(o uint16) bool { return o == spi })
	}
}

// managedSender is a downSender whose numbers are those of a Space.
type managedSender struct {
	*downSender
	reserve *reserve
}

// Number is the last number that was given under spi; 0 where that cannot be read.
func (m managedSender) Number(spi uint16) uint64 {
	n, _ := m.reserve.last(spi) // a number that is not known is not given either
	return n
}

func (m managedSender) Raise(spi uint16, n uint64) error { return m.reserve.raise(spi, n) }

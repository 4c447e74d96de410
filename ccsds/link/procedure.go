package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/sdls"
)

// Procedure carries out an extended procedure of CCSDS 355.1-B-1 that came in a packet, and
// returns the reply, nil if it has none. What Managed says then must be durable before the reply
// is sent, and before Receive or Procedure is called again; the downlink may go on meanwhile, also
// under an association that has just been started, since its numbers are durable by themselves. On
// error nothing has changed, and it is counted.
func (s *Space) Procedure(command []byte) (reply []byte, err error) {
	if s.manager == nil {
		err = ErrUnmanaged
	} else if err = s.allows(command); err == nil {
		reply, err = s.manager.Handle(0, command)
	}
	if err != nil {
		s.stats.Refused["sdls procedure: "+procedureReason(err)]++
	}
	return reply, err
}

// allows refuses what would take away the last way to command a channel or to be heard on
// it, and what does not fit the profile.
func (s *Space) allows(command []byte) error {
	p, err := sdls.ParsePDU(command)
	if err != nil || p.Procedure.Group != sdls.AssociationManagement || len(p.Data) < 2 {
		return nil // the manager says what is wrong with it
	}
	if err := s.allowed(p); err != nil {
		s.log.Procedure(p, err)
		return err
	}
	return nil
}

func (s *Space) allowed(p sdls.PDU) error {
	spi := binary.BigEndian.Uint16(p.Data)
	records := s.manager.Records()
	at := slices.IndexFunc(records, func(r sdls.Record) bool { return r.SA.SPI == spi })
	if at < 0 {
		return nil
	}
	switch p.Procedure {
	case sdls.SAStop, sdls.SASetARSN, sdls.SASetWindow:
		return keepsWay(records, records[at])
	case sdls.SAStart:
		return s.mayStart(records[at], sdls.ParseLinks(p.Data[2:]))
	}
	return nil
}

// mayStart says whether an association may start on channels. Its floor is made durable: that of
// another key, which the SPI had before, would be too high after a restart.
func (s *Space) mayStart(r sdls.Record, links []sdls.Link) error {
	if err := s.p.mayStart(r, links); err != nil {
		return err
	}
	if r.State != sdls.Keyed || r.Sends {
		return nil
	}
	return s.saver.SaveFloor(r.SA.SPI, r.ARSN)
}

// keepsWay refuses to touch the only association of a channel.
func keepsWay(records []sdls.Record, touched sdls.Record) error {
	if touched.State != sdls.Operational {
		return nil
	}
	ways := map[ccsds.VCID]int{}
	for _, r := range records {
		if r.State == sdls.Operational && r.Sends == touched.Sends {
			for _, vc := range r.SA.VCs {
				ways[vc]++
			}
		}
	}
	for _, vc := range touched.SA.VCs {
		if ways[vc] < 2 {
			return fmt.Errorf("association %d is the only one of channel %d: %w", touched.SA.SPI, vc, sdls.ErrInUse)
		}
	}
	return nil
}

// mayStart refuses to start an association on channels that are not of this craft, or in clear,
// and one that would let commands in which nobody has authenticated.
func (p Profile) mayStart(r sdls.Record, links []sdls.Link) error {
	spi, framing, own := r.SA.SPI, p.Up, p.SPI
	if r.Sends {
		framing, own = p.Down, p.DownSPI
	} else if r.SA.Service == sdls.Encryption {
		return fmt.Errorf("association %d authenticates nothing: %w", spi, sdls.ErrBadSA)
	}
	if len(links) == 0 && len(r.SA.VCs) == 0 {
		return fmt.Errorf("association %d is started on no channel: %w", spi, sdls.ErrVC)
	}
	for _, l := range links {
		if l.Version != framing.version() || l.SCID != p.SCID {
			return fmt.Errorf("association %d: version %d of spacecraft %d, want %d of %d: %w", spi, l.Version, l.SCID, framing.version(), p.SCID, sdls.ErrVC)
		}
		if _, ok := own[l.VCID]; !ok {
			return fmt.Errorf("association %d: channel %d is not protected: %w", spi, l.VCID, sdls.ErrVC)
		}
	}
	return nil
}

// version is the transfer frame version number of a framing.
func (f Framing) version() uint8 {
	switch f {
	case FramingAOS:
		return 1
	case FramingUSLP:
		return 12
	}
	return 0
}

// Link names an uplink channel, or with down a downlink channel, as the procedures do.
func (p Profile) Link(vc ccsds.VCID, down bool) sdls.Link {
	if p = p.WithDefaults(); down {
		return sdls.Link{Version: p.Down.version(), SCID: p.SCID, VCID: vc}
	}
	return sdls.Link{Version: p.Up.version(), SCID: p.SCID, VCID: vc}
}

func procedureReason(err error) string {
	for _, c := range []struct {
		err    error
		reason string
	}{
		{sdls.ErrForged, "forged"}, {sdls.ErrReplayed, "replayed"}, {sdls.ErrNoKey, "no such key"}, {sdls.ErrMaster, "master key"},
		{sdls.ErrState, "not in this state"}, {sdls.ErrInUse, "in use"}, {sdls.ErrSPI, "unknown SPI"}, {sdls.ErrVC, "channel"}, {ErrUnmanaged, "unmanaged"},
	} {
		if errors.Is(err, c.err) {
			return c.reason
		}
	}
	return "malformed"
}

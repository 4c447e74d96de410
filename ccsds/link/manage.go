package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/sdls"
)

// MasterKey is the number of the key under which others travel. A session key has any other;
// the one that a craft is built with has that of its association.
const MasterKey uint16 = 0

// ErrUnmanaged says that keys and associations cannot be changed over this link.
var ErrUnmanaged = errors.New("link: keys are not managed over this link")

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

// Manage puts keys and associations in the place of those of the profile, so that Procedure
// can change them. nonce gives vectors for proofs, each only once ever. Who cannot be sure
// that a command came from the ground must not change keys by it: an uplink channel that is
// not authenticated makes it ErrUnmanaged. On error the associations of the profile are in use.
func (s *Space) Manage(keys []sdls.Key, records []sdls.Record, nonce func() ([12]byte, error)) error {
	for _, vc := range s.p.uplink() {
		if _, ok := s.p.SPI[vc]; !ok || s.p.UpMode[vc] == ModeEncrypt {
			return fmt.Errorf("%w: uplink channel %d is not authenticated", ErrUnmanaged, vc)
		}
	}
	err := s.manage(keys, records, nonce)
	if err == nil {
		return nil
	}
	s.keys, s.manager = nil, nil
	for _, r := range records {
		s.sdls.Remove(r.SA.SPI)
	}
	for _, sa := range s.p.associations(false) {
		err = errors.Join(err, s.sdls.Put(sa))
	}
	if sec := s.down.frames.sec; sec != nil {
		err = errors.Join(err, sec.restart())
	}
	return fmt.Errorf("space link: %w", err)
}

func (s *Space) manage(keys []sdls.Key, records []sdls.Record, nonce func() ([12]byte, error)) error {
	ring, err := sdls.NewKeyring(keys...)
	if err != nil {
		return err
	}
	if s.manager != nil {
		for _, r := range s.manager.Records() {
			s.sdls.Remove(r.SA.SPI)
		}
	}
	for _, spi := range s.p.SPI {
		s.sdls.Remove(spi)
	}
	c := sdls.Config{Keys: ring, Records: records, Receiver: s.sdls, Sends: s.p.sends, FSR: &s.fsr, Log: &s.log, Nonce: nonce}
	if sec := s.down.frames.sec; sec != nil {
		sec.clear()
		c.Sender = managedSender{sec, &s.down.reserve}
	}
	m, err := sdls.NewManager(c)
	if err != nil {
		return err
	}
	for _, r := range records {
		if r.Sends {
			continue
		}
		n, err := s.saver.LoadFloor(r.SA.SPI)
		if err != nil {
			return fmt.Errorf("load anti-replay floor, SPI %d: %w", r.SA.SPI, err)
		}
		s.sdls.SetFloor(r.SA.SPI, n)
	}
	s.keys, s.manager = ring, m
	return nil
}

// Managed are the keys and associations of now. They hold secrets.
func (s *Space) Managed() ([]sdls.Key, []sdls.Record) {
	if s.manager == nil {
		return nil, nil
	}
	return s.keys.Keys(), s.manager.Records()
}

// SecurityLog is the log that the ground reads by procedures.
func (s *Space) SecurityLog() *sdls.Log { return &s.log }

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
		s.restarted()
	}
	if err != nil {
		s.stats.Refused["sdls procedure: "+procedureReason(err)]++
	}
	return reply, err
}

// restarted forgets the numbers of which a procedure has let lower ones come again, under another
// key. No other procedure may: it would let in what was held back.
func (s *Space) restarted() {
	for _, vc := range s.vcs {
		if s.sdls.Floor(vc.last.spi) < vc.last.n {
			vc.last = adNumber{}
		}
	}
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

// Associate makes the ground protect what it sends from now on uplink channel vc under spi
// with key. Frames that are under way keep theirs. The craft must have it in operation.
func (g *Ground) Associate(vc ccsds.VCID, spi uint16, key [32]byte) error {
	if _, ok := g.p.SPI[vc]; !ok {
		return fmt.Errorf("associate uplink channel %d: %w", vc, ErrUnmanaged)
	}
	if err := g.sdls.Put(g.p.association(vc, spi, key)); err != nil {
		return fmt.Errorf("associate uplink channel %d: %w", vc, err)
	}
	g.p.SPI[vc] = spi
	return nil
}

// Association is the SPI under which the ground sends on uplink channel vc.
func (g *Ground) Association(vc ccsds.VCID) (spi uint16, ok bool) {
	spi, ok = g.p.SPI[vc]
	return spi, ok
}

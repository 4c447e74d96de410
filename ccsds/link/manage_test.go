package link_test

import (
	"errors"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/sdls"
)

// managed is a craft with keys that can be changed: uplink SPI 1 to 3, downlink 16 on channel 0.
func managed(t *testing.T) (*link.Space, func(sdls.PDU, error) error) {
	t.Helper()
	p := profile()
	p.Keys[16], p.DownSPI = [32]byte{16}, map[ccsds.VCID]uint16{0: 16}
	s, err := link.NewSpace(p, newDisk(), link.SpaceEvents{})
	if err != nil {
		t.Fatal(err)
	}
	keys := append(p.FirstKeys([32]byte{99}), sdls.Key{ID: 1000, Value: [32]byte{7}, State: sdls.Active})
	if err := s.Manage(keys, p.FirstRecords(), func() (iv [12]byte, err error) { return iv, nil }); err != nil {
		t.Fatal(err)
	}
	return s, func(p sdls.PDU, err error) error {
		t.Helper()
		command, err2 := p.Append(nil)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		_, err = s.Procedure(command)
		return err
	}
}

// An association starts only where the profile has room for it, and where it authenticates.
func TestStartRefused(t *testing.T) {
	up, down := sdls.Link{SCID: 42, VCID: 0}, sdls.Link{SCID: 42, VCID: 0}
	for name, tt := range map[string]struct {
		spi     uint16
		service sdls.Service
		links   []sdls.Link
		want    error
	}{
		"good":                  {100, sdls.AuthenticatedEncryption, []sdls.Link{up}, nil},
		"other spacecraft":      {100, sdls.AuthenticatedEncryption, []sdls.Link{{SCID: 43}}, sdls.ErrVC},
		"other frames":          {100, sdls.AuthenticatedEncryption, []sdls.Link{{Version: 12, SCID: 42}}, sdls.ErrVC},
		"no such channel":       {100, sdls.AuthenticatedEncryption, []sdls.Link{up, {SCID: 42, VCID: 9}}, sdls.ErrVC},
		"no channel":            {100, sdls.AuthenticatedEncryption, nil, sdls.ErrVC},
		"encryption alone":      {100, sdls.Encryption, []sdls.Link{up}, sdls.ErrBadSA},
		"good, down":            {32784, sdls.AuthenticatedEncryption, []sdls.Link{down}, nil},
		"channel in clear":      {32784, sdls.AuthenticatedEncryption, []sdls.Link{{SCID: 42, VCID: 1}}, sdls.ErrVC},
		"other room for a MAC":  {32784, sdls.Encryption, []sdls.Link{down}, sdls.ErrVC},
		"encryption on recover": {100, sdls.Encryption, []sdls.Link{{SCID: 42, VCID: 2}}, sdls.ErrBadSA},
	} {
		s, do := managed(t)
		if tt.spi == 32784 {
			if err := do(sdls.AssociationPDU(sdls.SADelete, tt.spi), nil); err != nil {
				t.Fatal(err)
			}
		}
		for _, err := range []error{do(sdls.CreatePDU(sdls.SA{SPI: tt.spi, Service: tt.service})), do(sdls.RekeyPDU(tt.spi, 1000, 1, 12), nil)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		before := s.Stats().RefusedTotal()
		err := do(sdls.StartPDU(tt.spi, tt.links...), nil)
		if !errors.Is(err, tt.want) || (err != nil) != (s.Stats().RefusedTotal() == before+1) {
			t.Errorf("%s: %v, %d counted", name, err, s.Stats().RefusedTotal()-before)
		}
		state := sdls.Keyed
		if tt.want == nil {
			state = sdls.Operational
		}
		_, records := s.Managed()
		for _, r := range records {
			if r.SA.SPI == tt.spi && r.State != state {
				t.Errorf("%s: it is %s", name, r.State)
			}
		}
	}
}

// What cannot be managed leaves the keys of the profile in use, up and down.
func TestManageFails(t *testing.T) {
	p := profile()
	p.Keys[16], p.DownSPI = [32]byte{16}, map[ccsds.VCID]uint16{0: 16}
	s, err := link.NewSpace(p, newDisk(), link.SpaceEvents{})
	if err != nil {
		t.Fatal(err)
	}
	records := p.FirstRecords()
	records[len(records)-1].State = sdls.Operational // with a key that is not there
	if err := s.Manage(p.FirstKeys([32]byte{99}), records, nil); !errors.Is(err, sdls.ErrNoKey) && !errors.Is(err, sdls.ErrMaster) {
		t.Errorf("managed: %v", err)
	}
	if err := s.Send(0, ccsds.AppendIdlePacket(nil, 20)); err != nil {
		t.Fatal(err)
	}
	s.NextCADU(nil)
	if st := s.Stats(); st.Unprotected != 0 || st.FramesIdle != 0 {
		t.Errorf("%d frames were not protected, %d idle", st.Unprotected, st.FramesIdle)
	}
	if _, err := s.Procedure([]byte{0x31, 0, 0}); !errors.Is(err, link.ErrUnmanaged) {
		t.Errorf("procedure: %v", err)
	}
}

// Under another key the numbers of an association begin anew, also those of sequence-controlled frames.
func TestNumbersAnew(t *testing.T) {
	w := newWorld(t, profile(), 19, 0, 0)
	fresh := sdls.Key{ID: 1000, Value: [32]byte{7}, State: sdls.Active}
	next := sdls.Key{ID: 1001, Value: [32]byte{8}, State: sdls.Active}
	if err := w.space.Manage(append(w.p.FirstKeys([32]byte{99}), fresh, next), w.p.FirstRecords(), nil); err != nil {
		t.Fatal(err)
	}
	w.feedUp = load(0, 5, 1)
	w.until(time.Minute, "first packets", func() bool { return len(w.accepted[0]) == 5 })
	channel := sdls.Link{SCID: 42, VCID: 0}
	for _, p := range []sdls.PDU{
		sdls.RekeyPDU(link.Spare(1), fresh.ID, 0, 12), sdls.StartPDU(link.Spare(1), channel),
		sdls.AssociationPDU(sdls.SAStop, 1), sdls.AssociationPDU(sdls.SAExpire, 1),
		sdls.RekeyPDU(1, next.ID, 0, 12), sdls.StartPDU(1, channel),
	} {
		command, err := p.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.space.Procedure(command); err != nil {
			t.Fatal(err)
		}
	}
	w.keys.next[1] = 0
	if err := w.gnd.Associate(0, 1, next.Value); err != nil {
		t.Fatal(err)
	}
	if err := w.gnd.Send(0, packet(5, 100), false, 5); err != nil {
		t.Fatal(err)
	}
	w.until(time.Minute, "a packet under the new key", func() bool { return len(w.accepted[0]) == 6 })
	inOrder(t, "on board", w.got[0], 6)
}

package station

import (
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/spp"
	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/internal/clock"
)

// received counts the file packets that reach the files.
type received struct {
	noFiles
	n int
}

func (r *received) Receive(time.Time, []byte, uint64) error { r.n++; return nil }

// Where the channel of a kind of packets is authenticated, such a packet counts from
// authenticated channels alone: one in clear could be anybody's. It leaves nothing behind
// either by which the true one would pass for a repetition.
func TestForgedOnAnotherChannel(t *testing.T) {
	answer := tm(t, 7, pus.ServiceTest, pus.IAmAlive, nil)
	data, err := pus.TenantData{Mission: "beacon", Data: []byte("hello")}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	tenant := tm(t, 8, pus.ServiceTenant, pus.TenantTelemetry, data)
	file, err := spp.Append(nil, &spp.Packet{APID: apidFiles, SeqFlags: spp.Unsegmented}, make([]byte, 20))
	if err != nil {
		t.Fatal(err)
	}
	both, encrypt := link.ModeBoth, link.ModeEncrypt
	for _, c := range []struct {
		name     string
		modes    map[ccsds.VCID]link.Mode // of protected channels
		packet   []byte
		home, vc ccsds.VCID
		taken    bool
	}{
		{"all in clear", nil, answer, 0, 5, true},
		{"at home", map[ccsds.VCID]link.Mode{0: both}, answer, 0, 0, true},
		{"in clear beside", map[ccsds.VCID]link.Mode{0: both}, answer, 0, 1, false},
		{"authenticated replay", map[ccsds.VCID]link.Mode{0: both, 3: link.ModeAuthenticate}, answer, 0, 3, true},
		{"replay in clear", map[ccsds.VCID]link.Mode{0: both}, answer, 0, 3, false},
		{"encrypted only", map[ccsds.VCID]link.Mode{0: both, 1: encrypt}, answer, 0, 1, false},
		{"home encrypted only", map[ccsds.VCID]link.Mode{0: encrypt}, answer, 0, 1, true},
		{"tenant in clear", map[ccsds.VCID]link.Mode{0: both}, tenant, 1, 1, true},
		{"tenant's in clear beside", map[ccsds.VCID]link.Mode{1: both}, tenant, 1, 0, false},
		{"file in clear", map[ccsds.VCID]link.Mode{0: both}, file, 2, 2, true},
		{"file in clear beside", map[ccsds.VCID]link.Mode{2: both}, file, 2, 0, false},
	} {
		p := link.Profile{Keys: map[uint16][32]byte{}, DownSPI: map[ccsds.VCID]uint16{}, DownMode: c.modes}
		for vc := range c.modes {
			spi := 16 + uint16(vc)
			p.DownSPI[vc], p.Keys[spi] = spi, [32]byte{byte(spi)}
		}
		files := &received{}
		s, n := quietWith(t, clock.NewFake(time.Unix(1e9, 0)), p, files)
		s.packet(c.vc, c.packet, 0)
		taken := files.n > 0
		for _, e := range n.events {
			refused := e.Kind == client.KindBad && strings.Contains(e.Text, "not authenticated")
			if taken = taken || !refused; refused == c.taken {
				t.Errorf("%s: %s: %s", c.name, e.Kind, e.Text)
			}
		}
		if taken != c.taken || len(n.events)+files.n == 0 {
			t.Errorf("%s: taken %t, %d events", c.name, taken, len(n.events))
		}
		before := len(n.events) + files.n
		s.packet(c.home, c.packet, 0)
		if !c.taken && len(n.events)+files.n == before {
			t.Errorf("%s: the true one after it is not taken", c.name)
		}
	}
}

// A craft not ours may send packets of some APIDs in clear beside an authenticated channel 0. With
// them named they are shown, and what they say is not believed: no verification, no picture of
// the craft, no part of a larger packet, nothing by which a true packet passes for a repetition.
func TestShownInClear(t *testing.T) {
	p := link.Profile{Keys: map[uint16][32]byte{16: {16}}, DownSPI: map[ccsds.VCID]uint16{0: 16}}
	s, n := quietWith(t, clock.NewFake(time.Unix(1e9, 0)), p, noFiles{})
	s.cfg.Clear = map[ccsds.VCID][]uint16{1: {64}}
	c, _, err := s.build(client.Request{Service: pus.ServiceTest, Subtype: pus.AreYouAlive})
	if err != nil {
		t.Fatal(err)
	}
	s.remember(c)
	done, err := pus.Verification{Subtype: pus.CompletionSuccess, Request: pus.RequestID(c.request)}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	flight := append([]byte{0, byte(pus.SIDFlight)}, pus.Housekeeping{UptimeS: 7}.Encode()...)
	from := func(apid ccsds.APID, service, subtype uint8, data []byte) []byte {
		packet, err := pus.BuildTM(apid, 9, service, subtype, 0, 0, timecode.FromTime(time.Unix(1e9, 0)), timecode.Set, data)
		if err != nil {
			t.Fatal(err)
		}
		return packet
	}
	take := func(vc ccsds.VCID, packet []byte) client.Event {
		t.Helper()
		before := len(n.events)
		s.packet(vc, packet, 0)
		if len(n.events) != before+1 {
			t.Fatalf("%d events", len(n.events)-before)
		}
		return n.events[before]
	}
	for name, packet := range map[string][]byte{
		"verification": from(64, pus.ServiceVerification, pus.CompletionSuccess, done),
		"housekeeping": from(64, pus.ServiceHousekeeping, pus.HousekeepingReport, flight),
		"part":         from(64, pus.ServiceLarge, 1, []byte{0, 1, 0, 1, 5}),
		"other":        from(64, 200, 1, []byte{1, 2}),
	} {
		if e := take(1, packet); e.Kind != client.KindTM || e.Fields["in_clear"] != true || len(e.Data) == 0 {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if s.health != nil || c.Reached(client.StageVerified) || len(n.events) != 4 {
		t.Errorf("believed: %+v, %+v", s.health, c.Command)
	}
	if e := take(1, from(65, 3, 25, flight)); e.Kind != client.KindBad || !strings.Contains(e.Text, "clear = [65] for down_channel 1 in the craft's file") {
		t.Errorf("another APID: %s: %s", e.Kind, e.Text)
	}
	if e := take(5, from(64, 3, 25, flight)); e.Kind != client.KindBad || !strings.Contains(e.Text, "down_channel 5") {
		t.Errorf("another channel: %s: %s", e.Kind, e.Text)
	}
	if e := take(0, from(64, pus.ServiceHousekeeping, pus.HousekeepingReport, flight)); e.Fields["in_clear"] != nil || s.health == nil {
		t.Errorf("the true one: %+v", e)
	}
}

// The advice to take packets in clear is not given for those that never are.
func TestNeverInClear(t *testing.T) {
	p := link.Profile{Keys: map[uint16][32]byte{16: {16}}, DownSPI: map[ccsds.VCID]uint16{0: 16}}
	s, n := quietWith(t, clock.NewFake(time.Unix(1e9, 0)), p, noFiles{})
	s.packet(1, tm(t, 7, pus.ServiceTest, pus.IAmAlive, nil), 0)
	if len(n.events) != 1 || n.events[0].Kind != client.KindBad || strings.Contains(n.events[0].Text, "clear =") {
		t.Errorf("%+v", n.events)
	}
}

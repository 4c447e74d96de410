package station

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/internal/durable"
	"github.com/perilune/perilune/missions/database"
)

func TestCounterNeverRepeats(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	seen := map[uint64]bool{}
	last := uint64(0)
	for range 5 {
		db, err := durable.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		c := NewCounter(db, time.Now)
		for range 100 {
			n, err := c.Next(1)
			if err != nil {
				t.Fatal(err)
			}
			if seen[n] || n <= last {
				t.Fatalf("number %d after %d", n, last)
			}
			seen[n], last = true, n
		}
		db.Close() // as a crash would: nothing else is written
	}
}

// A station that has lost its state begins above all the anti-replay numbers it ever used.
func TestCounterAfterItsStateIsLost(t *testing.T) {
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	var last uint64
	for range 3 {
		db, err := durable.Open(filepath.Join(t.TempDir(), "db"))
		if err != nil {
			t.Fatal(err)
		}
		c := NewCounter(db, func() time.Time { return at })
		for range 1000 {
			n, err := c.Next(1)
			if err != nil || n <= last {
				t.Fatalf("number %d after %d, %v", n, last, err)
			}
			last = n
		}
		if n, err := c.NextOf("commands"); n != 1 || err != nil {
			t.Errorf("commands begin at %d, %v", n, err)
		}
		db.Close()
		at = at.Add(2 * time.Second)
	}
}

// Frames that were received before a restart are not received again after it.
func TestFloorOutlivesARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	db, err := durable.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	c := NewCounter(db, time.Now)
	for _, n := range []uint64{1000, 10} {
		if err := c.Raise(16, n); err != nil {
			t.Fatal(err)
		}
	}
	db.Close()
	if db, err = durable.Open(path); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c = NewCounter(db, time.Now)
	if n, err := c.Floor(16); n != 1000 || err != nil {
		t.Errorf("floor %d, %v", n, err)
	}
	if n, err := c.Floor(17); n != 0 || err != nil {
		t.Errorf("floor of another association %d, %v", n, err)
	}
}

func TestPacerKeepsTheRate(t *testing.T) {
	p := pacer{rate: 8000}
	now := time.Unix(0, 0)
	var waited time.Duration
	for range 10 {
		d := p.after(now, 100) // 100 ms at this rate
		waited += d
		now = now.Add(d)
	}
	if waited != time.Second {
		t.Errorf("1000 octets took %v", waited)
	}
	// A pause is not made up for.
	now = now.Add(time.Hour)
	if d := p.after(now, 100); d != 100*time.Millisecond {
		t.Errorf("after a pause %v", d)
	}
}

// tm is a telemetry packet.
func tm(t testing.TB, seq uint16, service, subtype uint8, data []byte) []byte {
	t.Helper()
	p, err := pus.BuildTM(1, seq, service, subtype, 0, 0, timecode.FromTime(time.Unix(1e9, 0)), timecode.Set, data)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The craft's own housekeeping has a text of its own; what is out of its limits stands in it.
func TestHousekeepingOutOfLimits(t *testing.T) {
	s, n := quiet(t, clock.Real{})
	s.packet(0, tm(t, 1, 3, 25, pus.EncodeReport(pus.SIDFlight, pus.Housekeeping{UptimeS: 5, FlightRestarts: 2}.Encode())), 0)
	s.packet(0, tm(t, 2, 3, 25, pus.EncodeReport(pus.SIDFlight, pus.Housekeeping{UptimeS: 5, FlightRestarts: 3, Pending: 256}.Encode())), 0)
	var got []client.Event
	for _, e := range n.events {
		if e.Kind == client.KindTM {
			got = append(got, e)
		}
	}
	if len(got) != 2 || strings.Contains(got[0].Text, "(") {
		t.Fatalf("%+v", got)
	}
	if text := got[1].Text; !strings.Contains(text, "flight_restarts=3 (warning)") || !strings.Contains(text, "pending=256 (critical)") {
		t.Errorf("text %q", text)
	}
	values, ok := got[1].Fields["values"].([]database.Value)
	if !ok || len(values) != 11 || values[0].String() != "uptime=5 s" {
		t.Errorf("values %v", got[1].Fields["values"])
	}
}

func report(t testing.TB, seq uint16, v pus.Verification) []byte {
	t.Helper()
	data, err := v.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return tm(t, seq, pus.ServiceVerification, v.Subtype, data)
}

func TestReportsMoveACommandOn(t *testing.T) {
	s, _ := quiet(t, clock.NewFake(time.Unix(1e9, 0)))
	c, err := s.Send(client.Request{Function: "mission.list"})
	if err != nil {
		t.Fatal(err)
	}
	cmd := s.find(c.ID)
	id := pus.RequestID(cmd.request)
	for i, tt := range []struct {
		v    pus.Verification
		want string
	}{
		{pus.Verification{Subtype: pus.AcceptanceSuccess, Request: id}, client.StageVerified},
		{pus.Verification{Subtype: pus.StartSuccess, Request: id}, client.StageStarted},
		{pus.Verification{Subtype: pus.AcceptanceSuccess, Request: id}, client.StageStarted},                            // late
		{pus.Verification{Subtype: pus.AcceptanceFailure, Request: id, Code: pus.FailureRefused}, client.StageStarted},  // it was taken before
		{pus.Verification{Subtype: pus.CompletionFailure, Request: id + 1, Code: pus.FailureFull}, client.StageStarted}, // another's
		{pus.Verification{Subtype: pus.CompletionSuccess, Request: id}, client.StageCompleted},
		{pus.Verification{Subtype: pus.CompletionFailure, Request: id}, client.StageCompleted},
	} {
		s.packet(0, report(t, uint16(i), tt.v), 0)
		if cmd.Stage != tt.want {
			t.Errorf("report %d: %s, want %s", i, cmd.Stage, tt.want)
		}
	}
	select {
	case <-cmd.done:
	default:
		t.Error("nobody is told of the end")
	}
}

func TestRepeatedPacketsCountOnce(t *testing.T) {
	s, n := quiet(t, clock.NewFake(time.Unix(1e9, 0)))
	data, err := pus.Event{Severity: pus.EventInfo, ID: pus.EventGuestExited, Text: "acme/beacon: status 255, abort"}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	p := tm(t, 7, pus.ServiceEvent, pus.EventInfo, data)
	for range 4 {
		s.packet(0, p, 4242)
	}
	if len(n.events) != 1 {
		t.Fatalf("%d events", len(n.events))
	}
	e := n.events[0]
	if e.Kind != client.KindEvent || e.Field("tenant") != "acme" || e.Field("mission") != "beacon" || e.Number("status") != 255 || e.Bit != 4242 {
		t.Errorf("event %+v", e)
	}
}

func TestUnansweredCommandsGoUpAgain(t *testing.T) {
	fake := clock.NewFake(time.Unix(1e9, 0))
	s, n := quiet(t, fake)
	s.link.State = link.Lock.String()
	c, err := s.Send(client.Request{Service: 17, Subtype: 1})
	if err != nil {
		t.Fatal(err)
	}
	cmd := s.find(c.ID)
	repeats := func() (count int) {
		s.repeat(fake.Now())
		for _, e := range n.events {
			if e.Kind == client.KindRepeated {
				count++
			}
		}
		return count
	}
	fake.Advance(time.Hour)
	if repeats() != 0 {
		t.Fatal("it was repeated before its frame was on board")
	}
	cmd.Radiated = 1
	s.accepted(cmd)
	fake.Advance(repeatAfter + 1)
	if repeats() != 1 {
		t.Fatal("it was not repeated")
	}
	if fake.Advance(repeatAfter + 1); repeats() != 1 {
		t.Fatal("the second time did not wait longer")
	}
	s.link.State = link.Search.String()
	if fake.Advance(time.Hour); repeats() != 1 {
		t.Fatal("it was repeated without a return link")
	}
	s.link.State = link.Lock.String()
	s.packet(0, report(t, 1, pus.Verification{Subtype: pus.CompletionSuccess, Request: pus.RequestID(cmd.request)}), 0)
	if repeats() != 2 {
		t.Fatal("a ping was done without its answer")
	}
	s.packet(0, tm(t, 2, pus.ServiceTest, pus.IAmAlive, nil), 0)
	if fake.Advance(time.Hour); repeats() != 2 {
		t.Fatal("it was repeated after its answer")
	}
}

// FuzzPacket lets the station read any packet: it is recorded, or told apart, and
// nothing breaks.
func FuzzPacket(f *testing.F) {
	f.Add(tm(f, 1, 17, 2, nil))
	f.Add(report(f, 1, pus.Verification{Subtype: pus.CompletionFailure, Request: 7, Code: pus.FailureFull, Text: "full"}))
	f.Add(tm(f, 1, 3, 25, pus.EncodeReport(pus.SIDFlight, pus.Housekeeping{}.Encode())))
	guests, err := pus.EncodeGuests([]pus.Guest{{Tenant: "acme", Mission: "beacon"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(tm(f, 1, 3, 25, pus.EncodeReport(pus.SIDGuests, guests)))
	event, err := pus.Event{Severity: 1, ID: pus.EventGuestExited, Text: "acme/beacon: status 1"}.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(tm(f, 1, 5, 1, event))
	f.Fuzz(func(t *testing.T, packet []byte) {
		s, _ := quiet(t, clock.NewFake(time.Unix(1e9, 0)))
		s.packet(ccsds.VCID(0), packet, 1)
		s.Status()
	})
}

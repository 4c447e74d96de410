package scheduler_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/internal/initproto"
	"github.com/perilune/perilune/missions/database"
)

func isBeacon(tm pus.Telemetry) bool {
	return tm.APID == 100 && tm.Service == pus.ServiceTenant && tm.Subtype == pus.TenantTelemetry
}

// count is the beacon's own counter.
func count(t *testing.T, tm pus.Telemetry) uint16 {
	t.Helper()
	d, err := pus.DecodeTenantData(tm.Payload)
	if err != nil || len(d.Data) != 2 || d.Mission != "beacon" {
		t.Fatalf("telemetry %q, %v", tm.Payload, err)
	}
	return binary.BigEndian.Uint16(d.Data)
}

func TestPingOverNoise(t *testing.T) {
	c := newCraft(t, 1e-4)
	c.boot()
	c.ground.event(pus.EventBoot, "boot 1, normal")
	id := c.ground.command(1, pus.ServiceTest, pus.AreYouAlive, nil)
	c.ground.verified(id, pus.AcceptanceSuccess)
	c.ground.verified(id, pus.StartSuccess)
	c.ground.wait("TM[17,2]", func(tm pus.Telemetry) bool { return tm.Service == 17 && tm.Subtype == 2 && tm.APID == 1 })
	c.ground.verified(id, pus.CompletionSuccess)
	hk := c.ground.wait("housekeeping", func(tm pus.Telemetry) bool {
		sid, _, err := pus.DecodeReport(tm.Payload)
		return tm.Service == 3 && err == nil && sid == pus.SIDFlight
	})
	_, data, _ := pus.DecodeReport(hk.Payload)
	if h, err := pus.DecodeHousekeeping(data); err != nil || h.Boots != 1 || h.Mode != pus.ModeNormal {
		t.Errorf("housekeeping %+v, %v", h, err)
	}
}

func TestRefusals(t *testing.T) {
	c := newCraft(t, 0)
	c.boot()
	for _, tt := range []struct {
		name             string
		apid             ccsds.APID
		service, subtype uint8
		data             []byte
		code             pus.Failure
	}{
		{"unknown APID", 500, 17, 1, nil, pus.FailureIllegalAPID},
		{"unknown service", 1, 77, 1, nil, pus.FailureIllegalType},
		{"data too long", 1, 17, 1, []byte{1}, pus.FailureBadData},
		{"service 17 to a tenant", 100, 17, 1, nil, pus.FailureIllegalType},
		{"tenant data to flight", 1, 128, 1, []byte{1, 'a'}, pus.FailureIllegalType},
	} {
		id := c.ground.command(tt.apid, tt.service, tt.subtype, tt.data)
		if v := c.ground.verified(id, pus.AcceptanceFailure); v.Code != tt.code {
			t.Errorf("%s: %v %q, want %v", tt.name, v.Code, v.Text, tt.code)
		}
	}
	c.ground.event(pus.EventPacketRefused, "nobody has APID 500")
	for _, tt := range []struct {
		name    string
		args    []string
		subtype uint8
		code    pus.Failure
	}{
		{"no.such", nil, pus.StartFailure, pus.FailureUnknownName},
		{pus.FunctionMissionStart, []string{"acme"}, pus.StartFailure, pus.FailureBadData},
		{pus.FunctionMissionStart, []string{"acme", "../x"}, pus.CompletionFailure, pus.FailureUnknownName},
		{pus.FunctionMissionStart, []string{"acme", "none"}, pus.CompletionFailure, pus.FailureUnknownName},
		{pus.FunctionBundleActivate, []string{"../../etc/passwd", "x"}, pus.CompletionFailure, pus.FailureBadData},
		{pus.FunctionSafeLeave, nil, pus.CompletionFailure, pus.FailureNotNow},
	} {
		if v := c.ground.verified(c.ground.function(tt.name, tt.args...), tt.subtype); v.Code != tt.code {
			t.Errorf("%s %v: %v %q, want %v", tt.name, tt.args, v.Code, v.Text, tt.code)
		}
	}
}

// The ground sends a telecommand again when it missed the reports: it must not act twice.
func TestTelecommandTwice(t *testing.T) {
	c := newCraft(t, 0)
	c.boot()
	c.ground.wait("beacon", isBeacon)
	data, err := pus.Function{Name: pus.FunctionMissionStop, Arguments: []string{"acme", "beacon"}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	p, err := pus.BuildTC(1, 99, pus.AckAll, pus.ServiceFunction, pus.PerformFunction, 7, data)
	if err != nil {
		t.Fatal(err)
	}
	id := c.ground.send(p)
	c.ground.verified(id, pus.CompletionSuccess)
	// Done twice it would fail: the beacon no longer runs.
	c.ground.forget()
	c.ground.send(p)
	c.ground.verified(id, pus.CompletionSuccess)
	c.halt()
	c.ground.forget()
	c.fly(initproto.Welcome{Boots: 1, Restarts: 1})
	c.ground.event(pus.EventFlightRestarted, "restart 1")
	c.ground.send(p)
	c.ground.verified(id, pus.CompletionSuccess)
	c.ground.mu.Lock()
	defer c.ground.mu.Unlock()
	for _, tm := range c.ground.tm {
		if tm.Service == pus.ServiceVerification && tm.Subtype%2 == 0 {
			t.Errorf("TM[1,%d] %q", tm.Subtype, tm.Payload)
		}
	}
}

func TestGuestOutlivesFlight(t *testing.T) {
	c := newCraft(t, 0)
	c.boot()
	c.ground.event(pus.EventGuestStarted, "acme/beacon")
	c.ground.wait("console", func(tm pus.Telemetry) bool {
		return tm.APID == 100 && tm.Subtype == pus.TenantConsole && bytes.Contains(tm.Payload, []byte("beacon is up"))
	})
	first := count(t, c.ground.wait("beacon", isBeacon))
	pid := c.init.slot("acme/beacon").pid
	c.halt()
	time.Sleep(200 * time.Millisecond) // the guest counts on meanwhile
	c.ground.forget()
	c.fly(initproto.Welcome{Boots: 1, Restarts: 1, Cause: "killed by signal 9"})
	c.ground.event(pus.EventFlightRestarted, "killed by signal 9")
	next := count(t, c.ground.wait("beacon", isBeacon))
	if next <= first || c.init.slot("acme/beacon").pid != pid {
		t.Errorf("the counter went from %d to %d, pid %d", first, next, pid)
	}
	tc, err := pus.TenantData{Mission: "beacon", Data: []byte("hello")}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	c.ground.verified(c.ground.command(100, 128, 1, tc), pus.CompletionSuccess)
	c.ground.wait("answer", func(tm pus.Telemetry) bool { return isBeacon(tm) && bytes.HasSuffix(tm.Payload, []byte("hello")) })

	// It ends under the new program, and its tenant's other missions do not.
	if tc, err = (pus.TenantData{Mission: "beacon", Data: []byte("abort")}).Encode(); err != nil {
		t.Fatal(err)
	}
	c.ground.command(100, 128, 1, tc)
	c.ground.event(pus.EventGuestExited, "acme/beacon: status 255, abort: asked to")
	c.ground.wait("guest table", func(tm pus.Telemetry) bool {
		sid, data, err := pus.DecodeReport(tm.Payload)
		if tm.Service != 3 || err != nil || sid != pus.SIDGuests {
			return false
		}
		g, err := pus.DecodeGuests(data)
		return err == nil && len(g) == 1 && g[0].State == pus.GuestExited && g[0].Exit == 255 && g[0].Digest != [8]byte{}
	})
	v := c.ground.verified(c.ground.command(100, 128, 1, tc), pus.CompletionFailure)
	if v.Code != pus.FailureUnknownName {
		t.Errorf("telecommand to an ended guest: %v %q", v.Code, v.Text)
	}
}

func TestBundleUp(t *testing.T) {
	c := newCraft(t, 1e-4)
	c.boot()
	file := filepath.Join(c.dir, "image", "survey.tar.new")
	digest := c.bundle("borealis", "survey", file, "borealis")
	order, _, err := c.dev.Order("luna", digest)
	if err != nil {
		t.Fatal(err)
	}
	c.ground.setTime()
	c.upload("survey.tar", file, order)
	c.ground.verified(c.ground.function(pus.FunctionBundleActivate, "survey.tar", "survey.tar.order"), pus.CompletionSuccess)
	c.ground.event(pus.EventBundleActivated, "borealis/survey")
	c.ground.verified(c.ground.function(pus.FunctionMissionStart, "borealis", "survey"), pus.CompletionSuccess)
	c.ground.wait("telemetry of borealis", func(tm pus.Telemetry) bool { return tm.APID == 101 })

	// The tenant's own key, but not that of this tenant.
	digest = c.bundle("borealis", "forged", file, "acme")
	if order, _, err = c.dev.Order("luna", digest); err != nil {
		t.Fatal(err)
	}
	c.upload("forged.tar", file, order)
	v := c.ground.verified(c.ground.function(pus.FunctionBundleActivate, "forged.tar", "forged.tar.order"), pus.CompletionFailure)
	if v.Code != pus.FailureNotPermitted || !strings.HasPrefix(v.Text, "bundle.signature: ") {
		t.Errorf("%v %q", v.Code, v.Text)
	}
	c.ground.event(pus.EventBundleRefused, "bundle.signature")

	// What was activated survives a reset; what was started by telecommand does not run.
	c.halt()
	c.ground.forget()
	c.boot()
	c.ground.event(pus.EventBoot, "boot 2")
	c.ground.verified(c.ground.function(pus.FunctionMissionStart, "borealis", "survey"), pus.CompletionSuccess)
}

// Two orders are signed at the same time, and the later one is on board first: both hold, once.
func TestOrdersOvertake(t *testing.T) {
	c := newCraft(t, 0)
	c.boot()
	c.ground.setTime()
	files, orders := map[string]string{}, map[string]string{}
	for _, name := range []string{"survey", "second"} {
		files[name] = filepath.Join(c.dir, "image", name+".new")
		order, _, err := c.dev.Order("luna", c.bundle("borealis", name, files[name], "borealis"))
		if err != nil {
			t.Fatal(err)
		}
		orders[name] = order
	}
	content, err := os.ReadFile(files["survey"])
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"second", "survey"} {
		c.upload(name+".tar", files[name], orders[name])
		c.ground.verified(c.ground.function(pus.FunctionBundleActivate, name+".tar", name+".tar.order"), pus.CompletionSuccess)
		c.ground.event(pus.EventBundleActivated, "borealis/"+name)
	}
	if err := os.WriteFile(files["survey"], content, 0o644); err != nil {
		t.Fatal(err)
	}
	c.upload("again.tar", files["survey"], orders["survey"])
	v := c.ground.verified(c.ground.function(pus.FunctionBundleActivate, "again.tar", "again.tar.order"), pus.CompletionFailure)
	if v.Code != pus.FailureNotPermitted || !strings.HasPrefix(v.Text, "order.sequence: order 1 was carried out before") {
		t.Errorf("the order again: %v %q", v.Code, v.Text)
	}
}

// upload sends a bundle and its order and waits until both are on board.
func (c *craftT) upload(name, file, order string) {
	c.t.Helper()
	orderFile := filepath.Join(c.dir, "image", "order")
	if err := os.WriteFile(orderFile, []byte(order), 0o644); err != nil {
		c.t.Fatal(err)
	}
	c.ground.put(name, file)
	c.ground.put(name+".order", orderFile)
	c.ground.event(pus.EventBundleStaged, name)
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(c.dir, "data", "incoming", name+".order")); err == nil {
			return
		}
	}
	c.t.Fatal("the order did not arrive")
}

func TestProductDown(t *testing.T) {
	c := newCraft(t, 1e-4)
	c.boot()
	c.ground.wait("beacon", isBeacon)
	const size = 100_000
	tell := func(text string) {
		tc, err := pus.TenantData{Mission: "beacon", Data: []byte(text)}.Encode()
		if err != nil {
			t.Fatal(err)
		}
		c.ground.verified(c.ground.command(100, 128, 1, tc), pus.CompletionSuccess)
	}
	tell("product image.121 100000")
	c.ground.event(pus.EventProductComplete, "acme/beacon/image.121, 100000 octets")
	c.ground.event(pus.EventProductSent, "acme/beacon/image.121")
	got, err := os.ReadFile(filepath.Join(c.dir, "down", "acme", "beacon", "image.121"))
	if err != nil || len(got) != size {
		t.Fatalf("%d octets, %v", len(got), err)
	}
	for i := range got {
		if got[i] != byte(i) {
			t.Fatalf("octet %d is %d", i, got[i])
		}
	}
	if _, err := os.Stat(filepath.Join(c.dir, "data", "products", "acme", "beacon", "image.121")); !os.IsNotExist(err) {
		t.Errorf("a sent product is still on board: %v", err)
	}
	// acme may store 1 MiB.
	tell("product big 2000000")
	c.ground.event(pus.EventPacketRefused, "grant.quota: product big")
	tell("product ../../etc/passwd 10")
	c.ground.wait("beacon after refusals", isBeacon)
}

func TestScheduleWaitsForTime(t *testing.T) {
	c := newCraft(t, 0)
	c.boot()
	c.ground.wait("beacon", isBeacon)
	ping := func(seq uint16) []byte {
		p, err := pus.BuildTC(1, seq, pus.AckAll, pus.ServiceTest, pus.AreYouAlive, 9, nil)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	now := time.Now()
	insert := func(at time.Time, p []byte) pus.RequestID {
		data, err := database.Default().Form.EncodeInsertion(pus.Insertion{Activities: []pus.Activity{{Release: timecode.FromTime(at), Request: p}}})
		if err != nil {
			t.Fatal(err)
		}
		return c.ground.command(1, pus.ServiceSchedule, pus.ScheduleInsert, data)
	}
	first, second := ping(1000), ping(1001)
	soon := now.Add(time.Hour) // nothing here takes so long
	c.ground.verified(insert(soon, first), pus.CompletionSuccess)
	c.ground.event(pus.EventPlanWaitsForTime, "1 activities")
	c.ground.setTimeTo(soon.Add(-time.Second))
	id, _ := pus.RequestIDOf(first)
	c.ground.verified(id, pus.CompletionSuccess)
	c.ground.event(pus.EventPlanReleased, "TC[17,1]")

	v := c.ground.verified(insert(now.Add(-time.Hour), ping(1002)), pus.CompletionFailure)
	if v.Code != pus.FailureNotNow {
		t.Errorf("an activity of the past: %v %q", v.Code, v.Text)
	}
	// A second one survives a restart of the program, which keeps the time, and a reset,
	// which does not.
	later := soon.Add(time.Hour)
	c.ground.verified(insert(later, second), pus.CompletionSuccess)
	c.halt()
	c.ground.forget()
	c.boot()
	c.ground.event(pus.EventPlanWaitsForTime, "1 activities")
	c.ground.setTimeTo(later)
	id, _ = pus.RequestIDOf(second)
	c.ground.verified(id, pus.CompletionSuccess)
}

func TestReplayFloorSurvives(t *testing.T) {
	c := newCraft(t, 0)
	c.boot()
	c.ground.verified(c.ground.command(1, 17, 1, nil), pus.CompletionSuccess)
	c.ground.verified(c.ground.function(pus.FunctionMissionStop, "acme", "beacon"), pus.CompletionSuccess)
	c.ground.acknowledged() // else the ground itself sends it again, by right
	c.ground.mu.Lock()
	heard := bytes.Clone(c.ground.recorded)
	c.ground.mu.Unlock()
	c.halt()
	c.ground.forget()
	c.boot()
	c.ground.event(pus.EventBoot, "boot 2")
	// Somebody sends what was recorded. FARM may take a frame of it, SDLS none.
	for at := 0; at < len(heard); at += 256 {
		c.radio.up <- heard[at:min(at+256, len(heard))]
	}
	c.ground.verified(c.ground.command(1, 17, 1, nil), pus.CompletionSuccess)
	c.ground.mu.Lock()
	defer c.ground.mu.Unlock()
	for _, tm := range c.ground.tm {
		if v, err := pus.DecodeVerification(tm.Subtype, tm.Payload); tm.Service == 1 && err == nil && v.Request.Seq() < 2 {
			t.Errorf("a replayed telecommand was taken: %+v", v)
		}
	}
}

// A product that is half handed over when flight dies is whole in the end.
func TestProductOutlivesFlight(t *testing.T) {
	c := newCraft(t, 0)
	const size = 300_000
	half, again := make(chan struct{}), make(chan struct{})
	c.init.run = func(s *fakeSlot) {
		w := &pausing{w: s.packets, after: size / 2, half: half, again: again}
		product(w, "long", size)
		<-s.stopped
	}
	c.boot()
	<-half
	c.halt()
	close(again)
	c.fly(initproto.Welcome{Boots: 1, Restarts: 1})
	c.ground.event(pus.EventProductSent, "acme/beacon/long")
	got, err := os.ReadFile(filepath.Join(c.dir, "down", "acme", "beacon", "long"))
	if err != nil || len(got) != size {
		t.Fatalf("%d octets, %v", len(got), err)
	}
	for i := range got {
		if got[i] != byte(i) {
			t.Fatalf("octet %d is %d", i, got[i])
		}
	}
}

// pausing writes like a guest that waits for room, and stops once in the middle.
type pausing struct {
	w           io.Writer
	n, after    int
	half, again chan struct{}
}

func (p *pausing) Write(b []byte) (int, error) {
	if p.n += len(b); p.half != nil && p.n > p.after {
		close(p.half)
		p.half = nil
		<-p.again
	}
	for {
		n, err := p.w.Write(b)
		if !errors.Is(err, unix.EAGAIN) {
			return n, err
		}
		time.Sleep(time.Millisecond)
	}
}

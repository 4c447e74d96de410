package scheduler_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/internal/initproto"
)

// procedure sends an extended procedure and waits for what becomes of it.
func (g *ground) procedure(p sdls.PDU, err error) pus.Verification {
	g.t.Helper()
	return g.ended(g.procedureUp(p, err))
}

func (g *ground) procedureUp(p sdls.PDU, err error) pus.RequestID {
	g.t.Helper()
	data, err2 := p.Append(nil)
	if err != nil || err2 != nil {
		g.t.Fatal(err, err2)
	}
	return g.command(1, pus.ServiceSecurity, pus.SecurityCommand, data)
}

// ended waits for the last report of a telecommand.
func (g *ground) ended(id pus.RequestID) (v pus.Verification) {
	g.t.Helper()
	g.wait("end of "+id.String(), func(tm pus.Telemetry) bool {
		if tm.Service != pus.ServiceVerification || tm.Subtype != pus.CompletionSuccess && tm.Subtype != pus.CompletionFailure {
			return false
		}
		var err error
		v, err = pus.DecodeVerification(tm.Subtype, tm.Payload)
		return err == nil && v.Request == id
	})
	return v
}

func (g *ground) succeeds(p sdls.PDU, err error) {
	g.t.Helper()
	if v := g.procedure(p, err); v.Failed() {
		g.t.Fatalf("procedure %02x: %s", p.Tag(), v.Text)
	}
}

// alive pings the craft on virtual channel 0.
func (g *ground) alive() {
	g.t.Helper()
	g.verified(g.command(1, pus.ServiceTest, pus.AreYouAlive, nil), pus.CompletionSuccess)
}

// association is the one that telecommands on virtual channel 0 use.
func (g *ground) association() uint16 {
	g.mu.Lock()
	defer g.mu.Unlock()
	spi, _ := g.link.Association(0)
	return spi
}

func iv(t *testing.T) (v [12]byte) {
	t.Helper()
	if _, err := rand.Read(v[:]); err != nil {
		t.Fatal(err)
	}
	return v
}

// The key of virtual channel 0 is changed over the air, with flight restarted in the middle
// and the craft reset afterwards: no telecommand is lost, and the key of before is refused.
func TestKeyRotation(t *testing.T) {
	c := newCraft(t, 0)
	master := sdls.Key{ID: link.MasterKey, Value: [32]byte{9}, State: sdls.Active, Master: true}
	c.cfg.Master = &master.Value
	c.boot()
	g := c.ground
	g.alive()
	old := g.association()
	spare, key := link.Spare(old), sdls.KeyBlock{ID: 1000, Value: [32]byte{7, 7}}

	g.succeeds(sdls.OTARPDU(master, iv(t), key))
	c.halt()
	g.forget()
	c.fly(initproto.Welcome{Boots: 1, Restarts: 1})
	challenge := sdls.Challenge{Key: key.ID, Value: [16]byte{1, 2, 3}}
	g.succeeds(sdls.VerifyPDU(challenge), nil)
	reply := g.wait("proof", func(tm pus.Telemetry) bool { return tm.Service == pus.ServiceSecurity })
	ours, err := sdls.NewKeyring(sdls.Key{ID: key.ID, Value: key.Value})
	if err != nil {
		t.Fatal(err)
	}
	if p, err := sdls.ParsePDU(reply.Payload); err != nil || ours.CheckProof(p, challenge) != nil {
		t.Fatalf("proof %x: %v", reply.Payload, err)
	}
	g.succeeds(sdls.KeysPDU(sdls.KeyActivate, key.ID), nil)
	g.succeeds(sdls.RekeyPDU(spare, key.ID, 0, 12), nil)
	g.succeeds(sdls.StartPDU(spare, sdls.Link{SCID: 42}), nil)
	g.event(pus.EventKeysChanged, "association started")

	// Both are good: what is under way keeps the old key.
	before := g.command(1, pus.ServiceTest, pus.AreYouAlive, nil)
	g.mu.Lock()
	err = g.link.Associate(0, spare, key.Value)
	g.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	g.alive()
	g.verified(before, pus.CompletionSuccess)
	g.succeeds(sdls.AssociationPDU(sdls.SAStop, old), nil)
	g.succeeds(sdls.AssociationPDU(sdls.SAExpire, old), nil)
	g.succeeds(sdls.KeysPDU(sdls.KeyDeactivate, old), nil)
	g.succeeds(sdls.KeysPDU(sdls.KeyDestroy, old), nil)

	// A reset does not bring the key of the image back.
	c.halt()
	g.forget()
	c.boot()
	g.alive()
	forged, err := pus.BuildTC(1, 9000, pus.AckAll, pus.ServiceTest, pus.AreYouAlive, 7, nil)
	if err != nil {
		t.Fatal(err)
	}
	g.mu.Lock()
	err = g.link.Associate(0, old, c.cfg.Profile.Keys[old])
	if err == nil {
		err = g.link.Send(ccsds.VCID(0), forged, true, nil)
	}
	g.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	g.event(pus.EventLinkRefused, "unknown SPI")
}

// What must not be done to keys is refused, told and changes nothing.
func TestKeysRefused(t *testing.T) {
	c := newCraft(t, 0)
	master := sdls.Key{ID: link.MasterKey, Value: [32]byte{9}, State: sdls.Active, Master: true}
	c.cfg.Master = &master.Value
	c.boot()
	g := c.ground
	spi := g.association()
	wrong := master
	wrong.Value[0] = 8
	forged, err := sdls.OTARPDU(wrong, iv(t), sdls.KeyBlock{ID: 1000, Value: [32]byte{7}})
	for name, id := range map[string]pus.RequestID{
		"forged":      g.procedureUp(forged, err),
		"own way":     g.procedureUp(sdls.AssociationPDU(sdls.SAStop, spi), nil),
		"own numbers": g.procedureUp(sdls.SetARSNPDU(spi, 1<<40, 12), nil),
		"in use":      g.procedureUp(sdls.KeysPDU(sdls.KeyDeactivate, spi), nil),
		"master":      g.procedureUp(sdls.KeysPDU(sdls.KeyDestroy, link.MasterKey), nil),
		"no such key": g.procedureUp(sdls.KeysPDU(sdls.KeyActivate, 77), nil),
		"malformed":   g.command(1, pus.ServiceSecurity, pus.SecurityCommand, []byte{1, 2}),
	} {
		if v := g.ended(id); v.Code != pus.FailureRefused {
			t.Errorf("%s: %+v", name, v)
		}
	}
	g.event(pus.EventKeysRefused, "MAC does not match")
	g.alive()
	// Without a master key nothing is managed.
	c.halt()
	c.cfg.Master = nil
	g.forget()
	c.fly(initproto.Welcome{Boots: 1, Restarts: 1})
	if v := g.procedure(sdls.KeysPDU(sdls.KeyActivate, 77), nil); v.Code != pus.FailureRefused {
		t.Errorf("unmanaged: %+v", v)
	}
}

// A procedure that somebody has recorded and sends again is dropped, counted, told by an event
// and in the security log, and not answered.
func TestReplayedProcedure(t *testing.T) {
	c := newCraft(t, 0)
	master := sdls.Key{ID: link.MasterKey, Value: [32]byte{9}, State: sdls.Active, Master: true}
	c.cfg.Master = &master.Value
	c.boot()
	g := c.ground
	g.alive()
	data, err := sdls.InventoryPDU(0, 0xFFFF).Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := pus.BuildTC(1, 9000, pus.AckAll, pus.ServiceSecurity, pus.SecurityCommand, 7, data)
	if err != nil {
		t.Fatal(err)
	}
	g.mu.Lock()
	from := len(g.recorded)
	err = g.link.Send(0, p, true, nil) // by the bypass service: FARM-1 has nothing against a second time
	g.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	answer := func(tm pus.Telemetry) bool { return tm.Service == pus.ServiceSecurity }
	g.wait("inventory", answer)
	request, _ := pus.RequestIDOf(p)
	g.verified(request, pus.CompletionSuccess)
	g.mu.Lock()
	recorded := append([]byte(nil), g.recorded[from:]...)
	g.mu.Unlock()
	refused := g.refusedUp()
	g.forget()

	g.radio.up <- recorded
	g.event(pus.EventLinkRefused, "sdls: replayed")
	g.alive()
	if n := g.refusedUp(); n <= refused {
		t.Errorf("%d refused before, %d after", refused, n)
	}
	g.mu.Lock()
	for _, tm := range g.tm {
		v, err := pus.DecodeVerification(tm.Subtype, tm.Payload)
		if answer(tm) || tm.Service == pus.ServiceVerification && err == nil && v.Request == request {
			t.Errorf("it is answered: TM[%d,%d] %x", tm.Service, tm.Subtype, tm.Payload)
		}
	}
	g.mu.Unlock()
	events := g.securityLog()
	if len(events) == 0 || events[0].Code != sdls.LogReplayed || events[0].SPI != 1 {
		t.Fatalf("log %+v", events)
	}
	replay := events[0]
	// It is still there for another program, and none of it once it was damaged.
	c.halt()
	g.forget()
	c.fly(initproto.Welcome{Boots: 1, Restarts: 1})
	if events := g.securityLog(); len(events) == 0 || events[0] != replay {
		t.Errorf("log after a restart: %+v", events)
	}
	c.halt()
	g.forget()
	if err := os.WriteFile(filepath.Join(c.cfg.Data, "security.log"), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.fly(initproto.Welcome{Boots: 1, Restarts: 2})
	g.event(pus.EventLinkRefused, "records: security log is damaged")
	if events := g.securityLog(); slices.Contains(events, replay) {
		t.Errorf("log after damage: %+v", events)
	}
}

// securityLog asks the craft for its security log.
func (g *ground) securityLog() []sdls.LogEvent {
	g.t.Helper()
	g.succeeds(sdls.PDU{Procedure: sdls.DumpLog}, nil)
	reply, err := sdls.ParsePDU(g.wait("log", func(tm pus.Telemetry) bool { return tm.Service == pus.ServiceSecurity }).Payload)
	if err != nil {
		g.t.Fatal(err)
	}
	events, err := sdls.ParseLog(reply)
	if err != nil {
		g.t.Fatal(err)
	}
	return events
}

// refusedUp asks the craft for its housekeeping and says how much it has refused.
func (g *ground) refusedUp() uint32 {
	g.t.Helper()
	data, err := pus.EncodeMessage(pus.Kind{Service: pus.ServiceHousekeeping, Subtype: 27}, pus.IDs{IDs: []uint16{pus.SIDFlight}})
	if err != nil {
		g.t.Fatal(err)
	}
	g.mu.Lock()
	seen := len(g.tm)
	g.mu.Unlock()
	g.verified(g.command(1, pus.ServiceHousekeeping, 27, data), pus.CompletionSuccess)
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, tm := range g.tm[seen:] {
		if tm.Service != pus.ServiceHousekeeping {
			continue
		}
		if sid, report, err := pus.DecodeReport(tm.Payload); err == nil && sid == pus.SIDFlight {
			h, err := pus.DecodeHousekeeping(report)
			if err != nil {
				g.t.Fatal(err)
			}
			return h.RefusedUp
		}
	}
	g.t.Fatal("no housekeeping")
	return 0
}

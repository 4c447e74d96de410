package services_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/missions/database"
	"github.com/perilune/perilune/scheduler/depot"
	"github.com/perilune/perilune/scheduler/services"
)

// ground sends telecommands of the standard to services and reads what comes back.
type ground struct {
	*craft
	s   *services.Services
	seq uint16
}

// send sends a telecommand and returns its failure's code, 0 for success.
func (g *ground) send(service, subtype uint8, body any) pus.Failure {
	g.t.Helper()
	data, err := database.Default().Form.Encode(pus.Kind{Service: service, Subtype: subtype}, body)
	if err != nil {
		g.t.Fatal(err)
	}
	return g.raw(service, subtype, data)
}

// raw sends a telecommand of these octets.
func (g *ground) raw(service, subtype uint8, data []byte) pus.Failure {
	g.t.Helper()
	g.seq++
	g.s.Telecommand(tc(g.t, g.seq, pus.AckAll, service, subtype, data))
	synctest.Wait()
	want := pus.NewRequestID(1, g.seq)
	for _, subtype := range []uint8{2, 4, 7, 8} {
		for _, r := range g.find(1, subtype) {
			v, err := pus.DecodeVerification(subtype, r.data)
			if err != nil {
				g.t.Fatal(err)
			}
			if v.Request == want {
				return v.Code
			}
		}
	}
	g.t.Fatalf("TC[%d,%d] has no end", service, subtype)
	return 0
}

// ok sends a telecommand that must be carried out.
func (g *ground) ok(service, subtype uint8, body any) {
	g.t.Helper()
	if code := g.send(service, subtype, body); code != 0 {
		g.t.Fatalf("TC[%d,%d]: %v", service, subtype, code)
	}
}

// last is the body of the last report of a kind.
func (g *ground) last(service, subtype uint8) any {
	g.t.Helper()
	all := g.find(service, subtype)
	if len(all) == 0 {
		g.t.Fatalf("no TM[%d,%d]", service, subtype)
	}
	body, err := database.Default().Form.Decode(pus.Kind{TM: true, Service: service, Subtype: subtype}, all[len(all)-1].data)
	if err != nil {
		g.t.Fatal(err)
	}
	return body
}

// structures are the reports of a structure.
func (g *ground) structures(sid uint16) (out [][]byte) {
	for _, r := range g.find(3, 25) {
		if id, data, err := pus.DecodeReport(r.data); err == nil && id == sid {
			out = append(out, data)
		}
	}
	return out
}

func onBoard(t *testing.T, test func(*ground)) {
	synctest.Test(t, func(t *testing.T) {
		c := newCraft(t)
		s, stop := c.launch()
		defer stop()
		test(&ground{craft: c, s: s})
	})
}

// withFiles is onBoard with a file store of 1 MiB in the folder dir.
func withFiles(t *testing.T, test func(g *ground, dir string)) {
	synctest.Test(t, func(t *testing.T) {
		c, dir := newCraft(t), t.TempDir()
		d, err := depot.Open(dir, c.records, 1<<20, 100)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		c.depot = d
		s, stop := c.launch()
		defer stop()
		test(&ground{craft: c, s: s}, dir)
	})
}

// setTime sets the craft's clock and says to what.
func (g *ground) setTime() timecode.Instant {
	g.t.Helper()
	now := timecode.FromTime(time.Now())
	data, err := pus.TimeSetting{Time: now, Quality: timecode.Set}.Encode()
	if err != nil {
		g.t.Fatal(err)
	}
	if code := g.raw(pus.ServiceTime, pus.SetTime, data); code != 0 {
		g.t.Fatal(code)
	}
	return now
}

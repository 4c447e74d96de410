package services_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
)

func TestAckFlags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCraft(t)
		s, stop := c.launch()
		defer stop()
		for i, ack := range []pus.Ack{pus.AckNone, pus.AckAcceptance, pus.AckStart, pus.AckCompletion, pus.AckAll} {
			s.Telecommand(tc(t, uint16(i), ack, pus.ServiceTest, pus.AreYouAlive, nil))
		}
		for subtype, want := range map[uint8]int{1: 2, 3: 2, 7: 2, 2: 0, 4: 0, 8: 0} {
			if n := len(c.find(1, subtype)); n != want {
				t.Errorf("%d reports TM[1,%d], want %d", n, subtype, want)
			}
		}
		if n := len(c.find(17, 2)); n != 5 {
			t.Errorf("%d answers", n)
		}
		// Failures are reported whether asked for or not.
		s.Telecommand(tc(t, 9, pus.AckNone, 99, 1, nil))
		if n := len(c.find(1, 2)); n != 1 {
			t.Errorf("%d reports of a refusal", n)
		}
		s.Telecommand([]byte{1, 2})
		s.Telecommand(nil)
	})
}

// A function that takes long holds up no other service, and those that wait are bounded.
func TestSlowFunction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCraft(t)
		c.slow = time.Hour
		s, stop := c.launch()
		defer stop()
		for i := range 20 {
			s.Telecommand(start(t, uint16(i)))
			synctest.Wait()
		}
		s.Telecommand(tc(t, 99, pus.AckAll, pus.ServiceTest, pus.AreYouAlive, nil))
		if len(c.find(17, 2)) != 1 {
			t.Error("no answer while a function runs")
		}
		if n := len(c.find(1, 4)); n != 3 { // one runs, sixteen wait
			t.Errorf("%d functions were too many", n)
		}
		// The one that runs is sent again: accepted, no more; it is not run twice.
		s.Telecommand(start(t, 0))
		time.Sleep(18 * time.Hour)
		if len(c.starts()) != 17 || len(c.find(1, 7)) != 18 {
			t.Errorf("%d ran, %d completed", len(c.starts()), len(c.find(1, 7)))
		}
	})
}

// What cannot be written down is not done.
func TestNothingWithoutRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCraft(t)
		s, stop := c.launch()
		defer stop()
		c.broken = true
		s.Telecommand(start(t, 1))
		synctest.Wait()
		if len(c.starts()) != 0 || len(c.find(1, 2)) != 1 {
			t.Errorf("started %v", c.starts())
		}
		s.Telecommand(tc(t, 2, pus.AckAll, pus.ServiceTest, pus.AreYouAlive, nil))
		if len(c.find(17, 2)) != 1 {
			t.Error("no answer to a ping")
		}
	})
}

func TestRuleIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCraft(t)
		s, stop := c.launch()
		defer stop()
		data, err := pus.Function{Name: pus.FunctionBundleActivate, Arguments: []string{"x.tar", "x.order"}}.Encode()
		if err != nil {
			t.Fatal(err)
		}
		s.Telecommand(tc(t, 1, pus.AckAll, pus.ServiceFunction, pus.PerformFunction, data))
		synctest.Wait()
		failed := c.find(1, 8)
		if len(failed) != 1 {
			t.Fatalf("%d failures", len(failed))
		}
		v, err := pus.DecodeVerification(8, failed[0].data)
		if err != nil || v.Code != pus.FailureNotPermitted || v.Text != "bundle.digest: blob 1" {
			t.Errorf("%+v, %v", v, err)
		}
		if e := c.events(pus.EventBundleRefused); len(e) != 1 || e[0] != "bundle.digest: blob 1 [x.tar]" {
			t.Errorf("events %q", e)
		}
	})
}

func TestReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCraft(t)
		s, stop := c.launch()
		defer stop()
		time.Sleep(61 * time.Second)
		hk := c.find(3, 25)
		rows := 0
		for _, r := range hk {
			if len(r.data) > 1000 {
				t.Fatalf("a report of %d octets", len(r.data))
			}
			if sid, data, err := pus.DecodeReport(r.data); err == nil && sid == pus.SIDGuests {
				g, err := pus.DecodeGuests(data)
				if err != nil {
					t.Fatal(err)
				}
				rows += len(g)
			}
		}
		if n := len(c.find(9, 2)); n < 6 || n > 8 {
			t.Errorf("%d time reports in a minute", n)
		}
		if rows < 12*300 || rows > 14*300 {
			t.Errorf("%d rows of 300 guests in a minute", rows)
		}
		before := len(hk)
		s.GuestsChanged()
		synctest.Wait()
		if len(c.find(3, 25)) == before {
			t.Error("a change of the guests is not reported")
		}
	})
}

// What noise leaves of frames is gathered for long; what is not noise is an event at
// once, and then gathered.
func TestLinkRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCraft(t)
		s, stop := c.launch()
		defer stop()
		for range 1000 {
			s.LinkRefused("tc", "frame error control", 3)
			s.LinkRefused("farm", "duplicate", 1)
			s.LinkRefused("uslp", "malformed", 1)
			s.LinkRefused("sdls", "replay", 1)
		}
		if e := c.events(pus.EventLinkRefused); len(e) != 1 || e[0] != "sdls: replay" {
			t.Errorf("events %q", e)
		}
		time.Sleep(21 * time.Second)
		if e := c.events(pus.EventLinkRefused); len(e) != 2 || e[1] != "again sdls: replay (999 times)" {
			t.Errorf("events %q", e)
		}
		s.LinkRefused("tc", "other spacecraft", 1)
		if e := c.events(pus.EventLinkRefused); len(e) != 3 || e[2] != "tc: other spacecraft" {
			t.Errorf("events %q", e)
		}
		time.Sleep(10 * time.Minute)
		if e := c.events(pus.EventLinkRefused); len(e) != 4 || e[3] != "again tc: frame error control (3000 times); uslp: malformed (1000 times)" {
			t.Errorf("events %q", e)
		}
	})
}

//go:build interop

package interop

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/pus"
)

// TestYamcs flies a craft of ours with YAMCS as the ground: TM frames in, telecommands
// out with COP-1 over a lossy uplink, verification by PUS-1, and files by CFDP.
func TestYamcs(t *testing.T) {
	c := newCraft(t, plainLink())
	y := startYamcs(t, c)
	c.fly(y.tm)
	t.Run("telemetry", func(t *testing.T) { y.t = t; yamcsTelemetry(t, y, c) })
	t.Run("commands", func(t *testing.T) { y.t = t; yamcsCommands(t, y, c) })
	t.Run("upload", func(t *testing.T) {
		for class := 1; class <= 2; class++ {
			t.Run(fmt.Sprint("class ", class), func(t *testing.T) { y.t = t; yamcsUpload(t, y, c, class) })
		}
	})
	t.Run("download", func(t *testing.T) {
		for class := 1; class <= 2; class++ {
			t.Run(fmt.Sprint("class ", class), func(t *testing.T) { y.t = t; yamcsDownload(t, y, c, class) })
		}
	})
	t.Run("unacknowledged", func(t *testing.T) { y.t = t; yamcsUnacknowledged(t, y, c) })
}

// yamcsTelemetry has a housekeeping report come out of the ground's parameters, with the
// time that the craft put on it.
func yamcsTelemetry(t *testing.T, y *yamcs, c *craftEnd) {
	at := time.Date(2026, 3, 1, 12, 30, 15, 250_000_000, time.UTC)
	c.do(func() {
		c.report(at, pus.ServiceHousekeeping, pus.HousekeepingReport, pus.EncodeReport(4711, make([]byte, 20)))
	})
	var v struct {
		RawValue       struct{ Uint32Value int }
		GenerationTime time.Time
	}
	y.wait("housekeeping", func() bool {
		return y.get("/processors/perilune/realtime/parameters/craft/sid", &v) == nil && v.RawValue.Uint32Value == 4711
	})
	if d := v.GenerationTime.Sub(at).Abs(); d > time.Millisecond {
		t.Errorf("generation time %v, want %v", v.GenerationTime, at)
	}
}

// yamcsUnacknowledged loses a piece in the middle of a file each way in class 1, which has no means
// against it: each receiver says so, and neither has a file afterwards.
func yamcsUnacknowledged(t *testing.T, y *yamcs, c *craftEnd) {
	data := octets(rand.New(rand.NewPCG(8, 1)), 60_001)
	put := func(dir, name string) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// piece loses the 20th to 24th of one way from now on.
	piece := func(way bool) {
		n := 0
		c.do(func() {
			c.lost, c.files.finished = [2]int{}, nil
			c.drop = func(up bool) bool {
				if up == way {
					n++
				}
				return up == way && n >= 20 && n < 25
			}
		})
	}
	defer c.do(func() { c.drop = nil })
	put(filepath.Join(y.dir, "up"), "holed")
	piece(true)
	y.upload("holed", false)
	y.wait("the craft gives the file up", func() (ok bool) {
		c.do(func() { ok = len(c.files.finished) > 0 })
		return ok
	})
	c.do(func() {
		if i := c.files.finished[0]; i.Condition != cfdp.CheckLimitReached || !i.Incomplete || i.Class != 1 || c.lost[0] != 5 {
			t.Errorf("%+v, lost %v", i, c.lost)
		}
	})
	if _, err := os.Stat(filepath.Join(c.files.dir, "holed")); !os.IsNotExist(err) {
		t.Errorf("the craft has a file: %v", err)
	}
	put(c.files.dir, "gaps")
	piece(false)
	c.do(func() {
		if _, err := c.files.e.Put(time.Now(), cfdp.Put{Dest: ground, Source: "gaps", DestName: "gaps", Class: 1}); err != nil {
			t.Fatal(err)
		}
	})
	var all struct {
		Transfers []struct{ ObjectName, State, Direction, FailureReason string }
	}
	y.wait("YAMCS gives the file up", func() bool {
		if err := y.get("/filetransfer/perilune/cfdp/transfers", &all); err != nil {
			return false
		}
		for _, i := range all.Transfers {
			if i.ObjectName == "gaps" && i.Direction == "DOWNLOAD" && i.State == "FAILED" {
				t.Log(i.FailureReason)
				return true
			}
		}
		return false
	})
	if got, err := os.ReadFile(filepath.Join(y.dir, "down", "gaps")); err == nil && bytes.Equal(got, data) {
		t.Error("nothing was lost")
	}
}

// upload tells YAMCS to send a file of its bucket up.
func (y *yamcs) upload(name string, reliable bool) {
	y.t.Helper()
	y.post("/filetransfer/perilune/cfdp/transfers", map[string]any{"direction": "UPLOAD", "bucket": "up", "objectName": name,
		"remotePath": name, "source": "ground", "destination": "craft", "options": map[string]any{"reliable": reliable}}, nil)
}

// issued is a command that YAMCS was told to send.
type issued struct{ id string }

func (y *yamcs) issue(name string) issued {
	y.t.Helper()
	var res struct{ Id string }
	y.post("/processors/perilune/realtime/commands/craft/"+name, map[string]any{}, &res)
	return issued{res.Id}
}

// history returns the attributes of a command.
func (y *yamcs) history(i issued) map[string]string {
	var entry struct {
		Attr []struct {
			Name  string
			Value struct{ StringValue string }
		}
	}
	m := map[string]string{}
	if err := y.get("/archive/perilune/commands/"+i.id, &entry); err != nil {
		return m
	}
	for _, a := range entry.Attr {
		m[a.Name] = a.Value.StringValue
	}
	return m
}

func yamcsCommands(t *testing.T, y *yamcs, c *craftEnd) {
	start := map[string]any{"type": "SET_VR", "vR": 250}
	if c.link.profile.Up == link.FramingUSLP { // see yamcsDirectives
		start = map[string]any{"type": "WITH_CLCW_CHECK", "clcwCheckInitializeTimeout": patience.Milliseconds()}
	}
	y.post("/cop1/perilune/tc.vc0:initialize", start, nil)
	y.wait("FOP-1 is active", func() bool {
		var s struct{ State string }
		return y.get("/cop1/perilune/tc.vc0/status", &s) == nil && s.State == "ACTIVE"
	})
	loss := 0.2
	if c.link.isProtected() { // see yamcsRetransmission
		loss = 0
	}
	c.do(func() { c.lost, c.upLoss = [2]int{}, loss })
	defer c.do(func() { c.upLoss = 0 })
	var all []issued
	for range 20 {
		all = append(all, y.issue("ping"))
	}
	var h map[string]string
	defer func() {
		if t.Failed() {
			t.Logf("YAMCS knows of the last command: %v", h)
		}
	}()
	for n, i := range all {
		y.wait(fmt.Sprintf("ping %d is accepted, started and complete", n), func() bool {
			h = y.history(i)
			return h["Verifier_Accepted_Status"] == "OK" && h["Verifier_Started_Status"] == "OK" && h["Verifier_Completed_Status"] == "OK"
		})
	}
	bad := y.issue("unknown")
	y.wait("the unknown is refused", func() bool {
		h = y.history(bad)
		return h["Verifier_Accepted_Status"] == "NOK"
	})
	c.do(func() {
		for i, seq := range c.pings {
			if i > 0 && seq != c.pings[i-1]+1 {
				t.Errorf("pings %v", c.pings)
				break
			}
		}
		if len(c.pings) != len(all) || (c.lost[0] == 0) != (loss == 0) {
			t.Errorf("%d pings of %d, %d CLTUs lost", len(c.pings), len(all), c.lost[0])
		}
		t.Logf("%d pings, %d CLTUs lost, %+v", len(c.pings), c.lost[0], c.space.Stats())
	})
}

// loss is that of a transfer in this class; class 1 has no means against it.
func (c *craftEnd) loss(class int) func() {
	c.do(func() {
		c.lost = [2]int{}
		if class == 2 {
			c.upLoss, c.downLoss = 0.1, 0.1
		}
	})
	return func() { c.do(func() { c.upLoss, c.downLoss = 0, 0 }) }
}

func yamcsUpload(t *testing.T, y *yamcs, c *craftEnd, class int) {
	data := octets(rand.New(rand.NewPCG(6, uint64(class))), 30_001)
	name := fmt.Sprint("up", class)
	if err := os.WriteFile(filepath.Join(y.dir, "up", name), data, 0o644); err != nil {
		t.Fatal(err)
	}
	defer c.loss(class)()
	c.do(func() { c.files.finished = nil })
	y.upload(name, class == 2)
	y.wait("the file is on board", func() (ok bool) {
		c.do(func() { ok = len(c.files.finished) > 0 })
		return ok
	})
	c.do(func() {
		got, err := os.ReadFile(filepath.Join(c.files.dir, name))
		i := c.files.finished[0]
		if err != nil || !bytes.Equal(got, data) || i.Condition != cfdp.NoError || i.Class != class {
			t.Errorf("%v, equal %t, %+v", err, bytes.Equal(got, data), i)
		}
		if class == 2 && (c.lost[0] == 0 || i.NAKs == 0) {
			t.Errorf("the uplink was too good: lost %v, NAKs %d", c.lost, i.NAKs)
		}
		t.Logf("CLTUs and frames lost %v, NAKs %d", c.lost, i.NAKs)
	})
}

func yamcsDownload(t *testing.T, y *yamcs, c *craftEnd, class int) {
	data := octets(rand.New(rand.NewPCG(7, uint64(class))), 90_001)
	name := fmt.Sprint("down", class)
	if err := os.WriteFile(filepath.Join(c.files.dir, name), data, 0o644); err != nil {
		t.Fatal(err)
	}
	defer c.loss(class)()
	c.do(func() {
		c.files.finished = nil
		if _, err := c.files.e.Put(time.Now(), cfdp.Put{Dest: ground, Source: name, DestName: name, Class: class}); err != nil {
			t.Fatal(err)
		}
	})
	out := filepath.Join(y.dir, "down", name)
	y.wait("the file is down", func() bool {
		got, err := os.ReadFile(out)
		done := false
		c.do(func() { done = len(c.files.finished) > 0 })
		return err == nil && bytes.Equal(got, data) && done
	})
	c.do(func() {
		i := c.files.finished[0]
		if i.Condition != cfdp.NoError {
			t.Errorf("%+v", i)
		}
		if class == 2 && (c.lost[1] == 0 || i.Retransmitted == 0) {
			t.Errorf("the downlink was too good: lost %v, retransmitted %d", c.lost, i.Retransmitted)
		}
		t.Logf("CLTUs and frames lost %v, retransmitted %d", c.lost, i.Retransmitted)
	})
}

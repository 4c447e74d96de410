package services_test

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
)

func steps(t *testing.T, delays ...uint32) (out []pus.SequenceStep) {
	for i, d := range delays {
		out = append(out, pus.SequenceStep{Request: tc(t, 500+uint16(i), pus.AckAll, 17, 1, nil), Delay: d})
	}
	return out
}

// A sequence releases its telecommands with the delays between them, can be aborted, and is
// still loaded after a restart, though it runs no more.
func TestSequence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCraft(t)
		s, stop := c.launch()
		g := &ground{craft: c, s: s}
		q := pus.SequenceLoad{Sequence: 4, Steps: steps(t, 2000, 5000, 0)}
		g.ok(21, 1, q)
		g.ok(21, 4, pus.SequenceID{Sequence: 4})
		time.Sleep(10 * time.Second)
		pings := g.find(17, 2)
		if len(pings) != 3 || pings[1].at.Sub(pings[0].at) != 2*time.Second || pings[2].at.Sub(pings[1].at) != 5*time.Second {
			t.Errorf("released %v", pings)
		}
		g.ok(21, 4, pus.SequenceID{Sequence: 4})
		time.Sleep(time.Second)
		g.ok(21, 6, pus.None{})
		if got := g.last(21, 7).(pus.SequenceStatus).Sequences; len(got) != 1 || !got[0].Running {
			t.Errorf("states %+v", got)
		}
		if code := g.send(21, 3, pus.SequenceID{Sequence: 4}); code != pus.FailureRefused {
			t.Errorf("unloaded while it runs: %v", code)
		}
		g.ok(21, 13, pus.None{})
		if got := g.last(21, 14).(pus.IDs).IDs; len(got) != 1 || got[0] != 4 {
			t.Errorf("aborted %v", got)
		}
		time.Sleep(time.Minute)
		if n := len(g.find(17, 2)); n != 4 {
			t.Errorf("%d released, want the first of the second run and no more", n)
		}
		g.ok(21, 4, pus.SequenceID{Sequence: 4})
		stop()
		synctest.Wait()
		g.s, stop = c.launch()
		defer stop()
		g.ok(21, 11, pus.SequenceID{Sequence: 4})
		if got := g.last(21, 12).(pus.SequenceLoad); !reflect.DeepEqual(got, q) {
			t.Errorf("after a restart %+v", got)
		}
		g.ok(21, 9, pus.SequenceID{Sequence: 4})
		data, err := pus.EncodeMessage(pus.Kind{TM: true, Service: 21, Subtype: 12}, q)
		if got := g.last(21, 10).(pus.SequenceChecksum).Checksum; err != nil || got != ccsds.CRC16(data) {
			t.Errorf("checksum %04x (%v)", got, err)
		}
		if code := g.send(21, 5, pus.SequenceID{Sequence: 4}); code != pus.FailureNotNow {
			t.Errorf("it runs after a restart: %v", code)
		}
		g.ok(21, 3, pus.SequenceID{Sequence: 4})
	})
}

// What is in a sequence is checked when it is loaded.
func TestSequenceRefused(t *testing.T) {
	onBoard(t, func(g *ground) {
		self, err := pus.EncodeMessage(pus.Kind{Service: 21, Subtype: 4}, pus.SequenceID{Sequence: 1})
		if err != nil {
			g.t.Fatal(err)
		}
		for name, c := range map[string]struct {
			steps []pus.SequenceStep
			want  pus.Failure
		}{
			"empty":       {nil, pus.FailureBadData},
			"no service":  {[]pus.SequenceStep{{Request: tc(g.t, 1, 0, 99, 1, nil)}}, pus.FailureBadData},
			"starts self": {[]pus.SequenceStep{{Request: tc(g.t, 1, 0, 21, 4, self)}}, pus.FailureIllegalType},
			"too long":    {steps(g.t, 1<<31), pus.FailureBadData},
		} {
			if code := g.send(21, 1, pus.SequenceLoad{Sequence: 1, Steps: c.steps}); code != c.want {
				g.t.Errorf("%s: %v", name, code)
			}
		}
		for i := range uint16(17) {
			if code := g.send(21, 1, pus.SequenceLoad{Sequence: i, Steps: steps(g.t, 0)}); (code == pus.FailureFull) != (i == 16) {
				g.t.Errorf("sequence %d: %v", i, code)
			}
		}
	})
}

// A sequence comes from a file of the file store too, and runs at once if asked.
func TestSequenceFile(t *testing.T) {
	withFiles(t, func(g *ground, dir string) {
		data, err := pus.EncodeMessage(pus.Kind{Service: 21, Subtype: 1}, pus.SequenceLoad{Sequence: 7, Steps: steps(g.t, 0, 0)})
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "seven"), data, 0o644)
		}
		if err != nil {
			g.t.Fatal(err)
		}
		if code := g.send(21, 2, pus.SequenceFile{Sequence: 8, File: "seven"}); code != pus.FailureBadData {
			g.t.Errorf("another sequence's file: %v", code)
		}
		g.ok(21, 8, pus.SequenceFile{Sequence: 7, File: "seven"})
		time.Sleep(time.Second)
		if n := len(g.find(17, 2)); n != 2 {
			g.t.Errorf("%d released", n)
		}
	})
}

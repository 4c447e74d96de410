package scheduler_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/internal/initproto"
)

// What a pass did not hear, and flight did not live to see asked for, comes down later by
// the replay channel: as it was, with its time and count. A segment that cannot be opened is said
// and hinders nothing.
func TestReplayAfterRestart(t *testing.T) {
	c := newCraft(t, 1e-4)
	c.boot()
	at := c.ground.setTime()
	id := c.ground.command(1, pus.ServiceTest, pus.AreYouAlive, nil)
	c.ground.verified(id, pus.CompletionSuccess)
	pong := c.ground.wait("TM[17,2]", func(tm pus.Telemetry) bool { return tm.Service == pus.ServiceTest })
	c.halt()
	c.ground.forget()
	if err := os.Mkdir(filepath.Join(c.dir, "data", "packets", "00000000000000ff"), 0o755); err != nil {
		t.Fatal(err)
	}
	c.fly(initproto.Welcome{Boots: 1, Restarts: 1})
	c.ground.event(pus.EventFlightRestarted, "restart 1")
	c.ground.event(pus.EventPacketStoreDamaged, "ff: is a directory")
	retrieve, err := pus.EncodeMessage(pus.Kind{Service: pus.ServiceStorage, Subtype: 9}, pus.Retrievals{Retrievals: []pus.Retrieval{
		{Store: 1, Start: at - timecode.Instant(time.Minute), End: at + timecode.Instant(time.Hour)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	c.ground.verified(c.ground.command(1, pus.ServiceStorage, 9, retrieve), pus.CompletionSuccess)
	for until := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		c.ground.mu.Lock()
		all := c.ground.replayed
		c.ground.mu.Unlock()
		for _, tm := range all {
			if tm.Service == pus.ServiceTest && tm.Seq == pong.Seq && tm.Time == pong.Time && tm.Count == pong.Count {
				return
			}
		}
		if time.Now().After(until) {
			t.Fatalf("%d packets came again, TM[17,2] of sequence %d is not among them", len(all), pong.Seq)
		}
	}
}

package flatsat_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/missions/craft"
)

// positions are those of test/golden/turns.py: the lines of elements, and the instants at
// which the PyPI package sgp4 has the craft at places such as "8 30".
func positions(t *testing.T) (elements []string, at map[string]time.Time) {
	t.Helper()
	data, err := os.ReadFile("testdata/positions.txt")
	if err != nil {
		t.Fatal(err)
	}
	at = map[string]time.Time{}
	for l := range strings.Lines(string(data)) {
		l = strings.TrimSpace(l)
		switch f := strings.Fields(l); {
		case f[0] == "#":
		case len(f) != 3:
			elements = append(elements, l)
		default:
			if at[f[0]+" "+f[1]], err = time.Parse(time.RFC3339Nano, f[2]); err != nil {
				t.Fatal(err)
			}
		}
	}
	return elements, at
}

// Telecommands are released at places on the orbit, by a craft that knows its elements from
// craft.toml, over noise, a restart of flight and a reset of the computer; what it flew past
// meanwhile is missed.
func TestPositions(t *testing.T) {
	outside(t)
	elements, at := positions(t)
	synctest.Test(t, func(t *testing.T) {
		desc, err := craft.Parse(fmt.Appendf(nil, "%s[orbit]\ntle = [%q, %q]\n", craftTOML, elements[0], elements[1]), "craft.toml")
		if err != nil {
			t.Fatal(err)
		}
		flyAs(t, desc, nil, 3, 1e-4, 1e-3, func(ctx context.Context, f *flatsat) {
			pings := map[float64]uint64{}
			for _, angle := range []float64{200, 90, 100, 30} {
				cmd, err := f.api.Do(ctx, client.Request{Service: 17, Subtype: 1, Place: &client.Place{Orbit: 8, AngleDeg: angle}})
				if err != nil {
					t.Fatalf("%g°: %v", angle, err)
				}
				pings[angle] = cmd.Child
			}
			f.releasedAt(ctx, at["8 30"], pings[30])
			// The program restarts; the time goes on.
			f.space.end(f, "flight")
			time.Sleep(time.Second)
			f.startFlight(ctx)
			f.releasedAt(ctx, at["8 90"], pings[90])
			// The computer is reset and stays away while the craft passes 100°; its time is gone.
			f.space.end(f, "flight")
			time.Sleep(6 * time.Minute)
			f.boots++
			f.startFlight(ctx)
			f.event(ctx, pus.EventPositionMissed, "at orbit 8, 100.0000°", time.Minute)
			if cmd, err := f.api.WaitCommand(ctx, pings[100], client.StageCompleted); err == nil || cmd.Stage != client.StageFailed {
				t.Errorf("what was missed is %s, %v", cmd.Stage, err)
			}
			f.releasedAt(ctx, at["8 200"], pings[200])
		})
	})
}

// releasedAt waits for the next release, which must be at this instant by the craft's clock,
// and for the end of what was released.
func (f *flatsat) releasedAt(ctx context.Context, want time.Time, command uint64) {
	f.t.Helper()
	e, err := f.api.Wait(ctx, f.seen, func(e client.Event) bool {
		return e.Field("name") == pus.EventPositionReleased.String()
	}, client.KindEvent)
	if err != nil {
		f.t.Fatal(err)
	}
	f.seen = e.Seq
	got, err := time.Parse(time.RFC3339Nano, e.Field("time"))
	if err != nil || got.Sub(want).Abs() > time.Millisecond {
		f.t.Errorf("%s: released at %v, want %v, %v", e.Text, got, want, err)
	}
	if _, err := f.api.WaitCommand(ctx, command, client.StageCompleted); err != nil {
		f.t.Errorf("%s: %v", e.Text, err)
	}
}

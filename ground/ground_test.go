package ground_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/missions/grant"
	"github.com/perilune/perilune/test/testcraft"
)

// world starts a craft and a station with the bit error ratios of the demonstration.
func world(t *testing.T) (*testcraft.World, context.Context) {
	t.Helper()
	// The folder of the test has too long a name for a socket.
	dir, err := os.MkdirTemp("", "pl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	w, err := testcraft.Start(dir, 1e-3, 5e-3)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	return w, ctx
}

func TestPingIsFollowedThroughItsStages(t *testing.T) {
	w, ctx := world(t)
	p, err := w.Client.Ping(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if p.Bit == 0 || p.Trip <= 0 {
		t.Errorf("pong %+v", p)
	}
	if _, err := w.Client.WaitCommand(ctx, p.Command, client.StageCompleted); err != nil {
		t.Fatal(err)
	}
	seen := map[string]client.Event{}
	s, err := w.Client.Events(ctx, 0, "tc.")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	// In any order: a report that noise has taken comes later.
	for wanted := []string{client.KindQueued, client.KindRadiated, client.KindAccepted, "1", "3", "7"}; len(wanted) > 0; {
		e, err := s.Next()
		if err != nil {
			t.Fatalf("no event %q: %v", wanted, err)
		}
		if e.Command != p.Command {
			continue
		}
		key := e.Kind
		if e.Kind == client.KindVerified {
			key = fmt.Sprint(e.Subtype)
		}
		seen[key] = e
		wanted = slices.DeleteFunc(wanted, func(w string) bool { return w == key })
	}
	if r := seen[client.KindRadiated]; r.Stream != client.StreamUp || r.Bit%8 != 0 || r.Bit < 128 {
		t.Errorf("radiated at %s %d", r.Stream, r.Bit)
	}
}

func TestClockIsSetByItself(t *testing.T) {
	w, ctx := world(t)
	for {
		s, err := w.Client.Status(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if s.Health != nil && s.Health.TimeQuality == "set" && s.Health.ScheduleEnabled {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestRefusalsNameTheRule(t *testing.T) {
	w, ctx := world(t)
	// Nobody asks for an event again: let RS repair all of the noise on the way down.
	w.Craft.With(func(_, down *channel.Channel) { down.SetBER(1e-3) })
	dev, err := grant.DevKeys(w.Keys)
	if err != nil {
		t.Fatal(err)
	}
	honest, err := dev.Tenant("borealis")
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := grant.NewKey(grant.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	garbage := filepath.Join(w.Dir, "garbage.tar")
	if err := os.WriteFile(garbage, []byte("no tar at all"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, path, rule string }{
		{"wrong key", pack(t, w.Dir, "borealis", "earth", stranger), missions.RuleSignature},
		{"no unikernel", pack(t, w.Dir, "borealis", "moon", honest), missions.RuleELF},
		{"no grant", pack(t, w.Dir, "nobody", "mars", stranger), missions.RuleNoGrant},
		{"garbage", garbage, missions.RuleLayout},
	} {
		a, err := w.Client.Activate(ctx, tt.path, nil)
		var refused *client.RefusedError
		if !errors.As(err, &refused) || refused.Rule != tt.rule {
			t.Errorf("%s: got %v, want rule %s", tt.name, err, tt.rule)
		}
		if a.Step != client.StepRefused || a.Rule != tt.rule {
			t.Errorf("%s: activation %+v", tt.name, a)
		}
		if _, err := w.Client.Wait(ctx, 0, func(e client.Event) bool {
			return e.Field("name") == "bundle refused" && e.Field("rule") == tt.rule
		}, client.KindEvent); err != nil {
			t.Errorf("%s: event: %v", tt.name, err)
		}
	}
}

func TestScheduledRequestIsFollowed(t *testing.T) {
	w, ctx := world(t)
	if _, err := w.Client.Do(ctx, client.Request{Function: "mission.list"}); err != nil {
		t.Fatal(err)
	}
	id, err := w.Client.SetTime(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Client.WaitCommand(ctx, id, client.StageCompleted); err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(2 * time.Second)
	id, err = w.Client.Schedule(ctx, at, client.Request{Service: 17, Subtype: 1})
	if err != nil {
		t.Fatal(err)
	}
	c, err := w.Client.WaitCommand(ctx, id, client.StageCompleted)
	if err != nil {
		t.Fatal(err)
	}
	child, err := w.Client.CommandByID(ctx, c.Child)
	if err != nil || child.Stage != client.StageScheduled && time.Now().Before(at) {
		t.Fatalf("child %+v, %v", child, err)
	}
	if child, err = w.Client.WaitCommand(ctx, c.Child, client.StageCompleted); err != nil {
		t.Fatal(err)
	}
	if early := time.Until(at); early > 0 {
		t.Errorf("carried out %v early", early)
	}
	if !strings.Contains(c.Text, "schedule ping") || !child.Release.Equal(c.Release) {
		t.Errorf("%+v, child %+v", c, child)
	}
	id, err = w.Client.Function(ctx, "mission.start", "borealis", "nothing")
	if err != nil {
		t.Fatal(err)
	}
	var refused *client.RefusedError
	if _, err := w.Client.WaitCommand(ctx, id, client.StageCompleted); !errors.As(err, &refused) {
		t.Errorf("start of nothing: %v", err)
	}
}

func TestStationRestartKeepsItsNumbers(t *testing.T) {
	w, ctx := world(t)
	before, err := w.Client.Ping(ctx)
	if err != nil {
		t.Fatal(err)
	}
	was, err := w.Client.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.StopStation(); err != nil {
		t.Fatal(err)
	}
	if err := w.StartStation(); err != nil {
		t.Fatal(err)
	}
	// The craft refuses anti-replay numbers that it has seen: a ping that is answered
	// shows that they go on.
	after, err := w.Client.Ping(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if after.Command <= before.Command {
		t.Errorf("command %d after %d", after.Command, before.Command)
	}
	s, err := w.Client.Status(ctx)
	if err != nil || s.Sequence <= was.Sequence {
		t.Errorf("event %d after %d, %v", s.Sequence, was.Sequence, err)
	}
	if _, err := w.Client.Wait(ctx, 0, func(e client.Event) bool { return e.Seq == 1 }); err != nil {
		t.Errorf("the first event of the first process: %v", err)
	}
}

func TestBadRequests(t *testing.T) {
	w, ctx := world(t)
	for _, r := range []client.Request{
		{},
		{Service: 17},
		{Service: 17, Subtype: 1, APID: 2},
		{Service: 17, Subtype: 1, APID: 4000},
		{Service: 17, Subtype: 1, VC: 5},
		{Service: 17, Subtype: 1, VC: 2},
		{Function: "a name that is much too long for a function"},
		{Mission: "beacon", Tenant: "nobody"},
	} {
		var e *client.Error
		if _, err := w.Client.Command(ctx, r); !errors.As(err, &e) || e.Status != 400 {
			t.Errorf("%+v: got %v", r, err)
		}
	}
	if _, err := w.Client.Upload(ctx, filepath.Join(w.Dir, "craft.toml"), client.Put{Dest: "../out"}); err == nil {
		t.Error("a file may leave its folder")
	}
	var buf bytes.Buffer
	if err := w.Client.Fetch(ctx, "../station.db", &buf); err == nil {
		t.Errorf("fetched %d octets from outside of the folder", buf.Len())
	}
	if _, err := w.Client.CommandByID(ctx, 12345); err == nil {
		t.Error("an unknown command was found")
	}
}

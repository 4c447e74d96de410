package ground_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/missions/bundle"
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
	for seen["7"].Seq == 0 || seen[client.KindAccepted].Seq == 0 {
		e, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		if e.Command != p.Command {
			continue
		}
		key := e.Kind
		if e.Kind == client.KindVerified {
			key = fmt.Sprint(e.Subtype)
		}
		seen[key] = e
	}
	for _, key := range []string{client.KindQueued, client.KindRadiated, "1", "3"} {
		if seen[key].Seq == 0 {
			t.Errorf("no event %s", key)
		}
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

func TestFilesBothWaysThroughNoise(t *testing.T) {
	w, ctx := world(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 200_000)
	for i := range data {
		data[i] = byte(rnd.Uint32())
	}
	local := filepath.Join(w.Dir, "data.bin")
	if err := os.WriteFile(local, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := w.Craft.Offer("borealis/earth/earth.bin", data[:100_000]); err != nil {
		t.Fatal(err)
	}
	up, err := w.Client.Upload(ctx, local, client.Put{Dest: "data/new.bin"})
	if err != nil {
		t.Fatal(err)
	}
	for up.Done < up.Size/4 {
		all, err := w.Client.Transfers(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range all {
			if x.ID == up.ID {
				up = x
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	// Nothing but errors for a while, then silence, in the middle of it.
	w.Craft.With(func(up, down *channel.Channel) { up.Burst(20_000); down.Burst(400_000) })
	time.Sleep(300 * time.Millisecond)
	w.Craft.With(func(up, down *channel.Channel) { up.SetSignal(false); down.SetSignal(false) })
	time.Sleep(300 * time.Millisecond)
	w.Craft.With(func(up, down *channel.Channel) { up.SetSignal(true); down.SetSignal(true) })
	if _, err := w.Client.WaitTransfer(ctx, up.ID, nil); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(w.Dir, "craft", "in", "data", "new.bin"))
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("the file that went up differs: %d octets, %v", len(got), err)
	}
	e, err := w.Client.Wait(ctx, 0, func(e client.Event) bool { return e.Field("direction") == "down" }, client.KindFileFinished)
	if err != nil {
		t.Fatal(err)
	}
	if e.Bit == 0 || e.Stream != client.StreamDown {
		t.Errorf("finished at %s %d", e.Stream, e.Bit)
	}
	files, err := w.Client.Files(ctx)
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v", files, err)
	}
	if f := files[0]; f.Tenant != "borealis" || f.Mission != "earth" || f.Size != 100_000 || f.SHA256 != e.Field("sha256") || len(f.SHA256) != 64 {
		t.Errorf("provenance %+v", f)
	}
	var down bytes.Buffer
	if err := w.Client.Fetch(ctx, files[0].Name, &down); err != nil || !bytes.Equal(down.Bytes(), data[:100_000]) {
		t.Errorf("the file that came down differs: %d octets, %v", down.Len(), err)
	}
	s, err := w.Client.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if s.Link.Retransmissions == 0 || s.Link.Corrected == 0 || s.Link.Lost == 0 {
		t.Errorf("the noise did not hurt: %+v", s.Link)
	}
}

// pack makes a bundle whose kernel is not one, signed by key.
func pack(t *testing.T, dir, tenant, mission string, key grant.Key) string {
	t.Helper()
	kernel := filepath.Join(dir, "kernel")
	if err := os.WriteFile(kernel, []byte("no ELF at all"), 0o644); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, mission+".tar")
	toml := fmt.Sprintf("name = %q\ntenant = %q\n", mission, tenant)
	if _, err := bundle.Write(path, bundle.Contents{Mission: []byte(toml), Kernels: map[string]string{"amd64": kernel}}, key); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRefusalsNameTheRule(t *testing.T) {
	w, ctx := world(t)
	// Events are not repeated: let RS repair all of the noise on the way down.
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

// What the craft keeps of a console comes down whole and in order, over a link that
// loses frames, and then what is printed, even where all that tells of it is lost.
func TestConsoleText(t *testing.T) {
	w, ctx := world(t)
	g := ids.Guest{Tenant: "acme", Mission: "beacon"}
	var refused *client.RefusedError
	nothing := func(client.ConsoleText) error { return errors.New("there is text") }
	if err := w.Client.Console(ctx, g.Tenant, "silent", false, nothing); !errors.As(err, &refused) {
		t.Fatalf("console of a mission that never ran: %v", err)
	}
	var want strings.Builder
	for i := range 4000 { // more than is kept
		line := fmt.Sprintf("line %d of the beacon\n", i)
		want.WriteString(line)
		w.Craft.Keep(g, line)
	}
	all := want.String()
	for _, follow := range []bool{false, true} {
		ctx, cancel := context.WithCancel(ctx)
		at, dropped := uint64(0), uint64(0)
		var got strings.Builder
		err := w.Client.Console(ctx, g.Tenant, g.Mission, follow, func(c client.ConsoleText) error {
			dropped += c.Dropped
			if at += c.Dropped; c.Offset != at {
				t.Errorf("text at %d, want %d", c.Offset, at)
			}
			at += uint64(len(c.Text))
			got.Write(c.Text)
			switch {
			case strings.HasSuffix(got.String(), "last\n"):
				cancel()
			case follow && at == uint64(len(all)) && strings.HasSuffix(all, "more\n"):
				w.Craft.Keep(g, "last\n") // as if the link had lost it
				all += "last\n"
			case follow && at == uint64(len(all)):
				w.Craft.Print(g, "more\n")
				all += "more\n"
			}
			return nil
		})
		if !follow && err != nil || follow && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		cancel()
		if kept := len(all) - int(dropped); kept < 64<<10 || kept > 64<<10+10 || got.String() != all[dropped:] {
			t.Fatalf("%d octets after %d dropped ones are not the last of %d", got.Len(), dropped, len(all))
		}
	}
	status, err := w.Client.Status(ctx)
	if err != nil || status.Link.Bad == 0 {
		t.Errorf("%d bad frames, %v: the link was too good to show anything", status.Link.Bad, err)
	}
	t.Logf("%d bad frames of %d", status.Link.Bad, status.Link.Bad+status.Link.Frames)
}

func TestConsoleAndTenantData(t *testing.T) {
	w, ctx := world(t)
	since := uint64(0)
	w.Craft.Print(ids.Guest{Tenant: "acme", Mission: "beacon"}, "one\ntwo\n")
	e, err := w.Client.Wait(ctx, since, func(client.Event) bool { return true }, client.KindConsole)
	if err != nil {
		t.Fatal(err)
	}
	if e.Text != "one\ntwo\n" || e.Field("tenant") != "acme" || e.Field("mission") != "beacon" || e.APID != 100 || e.VC != 1 {
		t.Errorf("console %+v", e)
	}
	if _, err := w.Client.Do(ctx, client.Request{Tenant: "acme", Mission: "beacon", Data: []byte("faster")}); err != nil {
		t.Fatal(err)
	}
	for _, tc := range w.Craft.Received() {
		if tc.APID == 100 && tc.Service == 128 && bytes.Contains(tc.Payload, []byte("faster")) {
			return
		}
	}
	t.Error("the data did not arrive under the tenant's APID")
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

package bus_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/bus"
)

func start(t *testing.T, cfg bus.Config) *bus.Bus {
	t.Helper()
	b, err := bus.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func TestTypedEvents(t *testing.T) {
	b := start(t, bus.Config{Name: "craft 1.a"})
	guests, consoles := make(chan bus.GuestState, 8), make(chan bus.Console, 8)
	if _, err := bus.Subscribe(b, func(e bus.GuestState) { guests <- e }); err != nil {
		t.Fatal(err)
	}
	stop, err := bus.Subscribe(b, func(e bus.Console) { consoles <- e })
	if err != nil {
		t.Fatal(err)
	}
	want := bus.GuestState{Guest: "acme/beacon", State: "exited", Status: 3, Reason: "abort", Time: time.Unix(1, 2).UTC()}
	if err := b.Publish(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	if err := b.Publish(t.Context(), bus.Console{Guest: "a b.c>*", Text: "hello"}); err != nil {
		t.Fatal(err)
	}
	if got := <-guests; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := <-consoles; got.Text != "hello" {
		t.Errorf("got %+v", got)
	}
	stop()
	if err := b.Publish(t.Context(), bus.Console{Guest: "x", Text: "later"}); err != nil {
		t.Fatal(err)
	}
	if err := b.Publish(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	<-guests
	if len(consoles) != 0 {
		t.Error("an event arrived after stop")
	}
}

func TestEverySubjectMatchesItsPattern(t *testing.T) {
	events := []bus.Event{bus.LinkState{}, bus.Telecommand{APID: 1}, bus.Telemetry{VC: 7, APID: 2047},
		bus.GuestState{Guest: "acme/beacon"}, bus.Console{}, bus.PlanActivity{},
		bus.Bundle{Digest: "sha256:00.11 >"}, bus.Report{ID: 5}, bus.File{}}
	for _, e := range events {
		s, p := strings.Split(e.Subject(), "."), strings.Split(e.Pattern(), ".")
		if len(s) != len(p) {
			t.Errorf("%T: %q against %q", e, e.Subject(), e.Pattern())
			continue
		}
		for i := range s {
			if s[i] == "" || strings.ContainsAny(s[i], " *>") || (p[i] != "*" && p[i] != s[i]) {
				t.Errorf("%T: %q against %q", e, e.Subject(), e.Pattern())
			}
		}
	}
}

func TestHistorySurvivesRestart(t *testing.T) {
	dir := t.TempDir()
	cfg := bus.Config{Name: "craft", StoreDir: dir}
	b, err := bus.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		if err := b.Publish(t.Context(), bus.Telemetry{VC: 1, APID: uint16(i), Packet: []byte{byte(i)}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	stored := 0
	if err := bus.History(t.Context(), b, time.Time{}, func(bus.Telemetry, time.Time) error { stored++; return nil }); err != nil || stored != 300 {
		t.Errorf("%d events are stored, %v", stored, err)
	}
	b.Close()
	if err := b.Publish(t.Context(), bus.File{}); !errors.Is(err, bus.ErrClosed) {
		t.Errorf("publish on a closed bus: %v", err)
	}

	b = start(t, cfg)
	n := 0
	err = bus.History(t.Context(), b, time.Time{}, func(e bus.Telemetry, at time.Time) error {
		if int(e.APID) != n || at.IsZero() {
			t.Fatalf("event %d: APID %d at %v", n, e.APID, at)
		}
		n++
		return nil
	})
	if err != nil || n != 300 {
		t.Errorf("%d events, %v", n, err)
	}
}

func TestNoStore(t *testing.T) {
	b := start(t, bus.Config{Name: "craft"})
	none := func(bus.File, time.Time) error { return nil }
	if err := bus.History(t.Context(), b, time.Time{}, none); !errors.Is(err, bus.ErrNoStore) {
		t.Errorf("history without a store: %v", err)
	}
	b = start(t, bus.Config{Name: "craft2", StoreDir: t.TempDir()})
	if err := b.DropStore(); err != nil {
		t.Fatal(err)
	}
	if err := b.Publish(t.Context(), bus.File{Name: "a"}); err != nil {
		t.Errorf("publish after DropStore: %v", err)
	}
	if err := bus.History(t.Context(), b, time.Time{}, none); !errors.Is(err, bus.ErrNoStore) {
		t.Errorf("history after DropStore: %v", err)
	}
}

// The server must be reachable from inside the process only.
func TestListensOnNothing(t *testing.T) {
	before := sockets(t)
	start(t, bus.Config{Name: "craft", StoreDir: t.TempDir()})
	if after := sockets(t); after > before {
		t.Errorf("%d sockets before, %d with a bus", before, after)
	}
}

func sockets(t *testing.T) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, fd := range fds {
		if to, err := os.Readlink(filepath.Join("/proc/self/fd", fd.Name())); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

func TestPrefix(t *testing.T) {
	for _, p := range []string{"a..b", ".a", "a.*", "a b"} {
		if _, err := bus.Start(bus.Config{Name: "gs", Prefix: p}); err == nil {
			t.Errorf("prefix %q was taken", p)
		}
	}
	b := start(t, bus.Config{Name: "gs", Prefix: "gs.madrid.craft"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Publish(ctx, bus.File{}); !errors.Is(err, context.Canceled) {
		t.Errorf("publish with an ended context: %v", err)
	}
}

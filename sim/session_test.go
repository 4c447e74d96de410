package sim

import (
	"bytes"
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/missions/craft"
)

// A station that cannot be started is an error, and what was begun can be ended.
func TestStationThatDoesNotStart(t *testing.T) {
	s := &session{opt: Options{Self: "/no/such/program"}, craft: &craft.Craft{}, dir: t.TempDir(), cancel: func() {}}
	var err error
	if s.lock, err = lock(s.dir); err != nil {
		t.Fatal(err)
	}
	if err := s.startStation(t.Context()); err == nil || !strings.Contains(err.Error(), "/no/such/program") {
		t.Errorf("%v", err)
	}
	s.close()
}

// A second simulation in the same folder is refused for what it is.
func TestLock(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out", "sim")
	f, err := lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock(dir); err == nil || !strings.Contains(err.Error(), "another simulation runs in "+dir) {
		t.Errorf("a second one: %v", err)
	}
	f.Close()
	again, err := lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

// A station that falls silent does not end a simulation without a word.
func TestStatusOfDeadStation(t *testing.T) {
	ours, theirs := net.Pipe()
	theirs.Close()
	for _, json := range []bool{false, true} {
		s := &session{opt: Options{Data: &bytes.Buffer{}, JSON: json},
			api: client.Over(func(context.Context) (net.Conn, error) { return ours, nil })}
		if err := s.status(t.Context()); !errors.Is(err, client.ErrUnreachable) {
			t.Errorf("json %t: %v", json, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.status(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("json %t, after the end: %v", json, err)
		}
	}
}

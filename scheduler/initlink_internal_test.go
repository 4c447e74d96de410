package scheduler

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"

	"github.com/perilune/perilune/internal/initproto"
	"github.com/perilune/perilune/internal/seqpacket"
	"github.com/perilune/perilune/scheduler/tenant"
)

// A slot that init refuses when nobody waits for it any more has a number that is free again: else
// each such request would take one away for good.
func TestLateRefusal(t *testing.T) {
	near, far, err := seqpacket.Pair("init")
	if err != nil {
		t.Fatal(err)
	}
	flight, err1 := initproto.NewConn(near)
	init, err2 := initproto.NewConn(far)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	defer flight.Close()
	defer init.Close()
	var free []uint32
	l := &initLink{conn: flight, log: slog.New(slog.DiscardHandler), waiting: map[uint32]chan answer{},
		exited: func(id uint32, _, _ uint8) { free = append(free, id) }}
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	if s, err := l.Request(impatient, 7, "acme/beacon", tenant.Limits{Memory: 1}); err == nil {
		t.Fatalf("slot %+v", s)
	}
	l.take(initproto.SlotFailed{ID: 7, Reason: "no memory"}, nil)
	if !slices.Equal(free, []uint32{7}) {
		t.Errorf("free numbers: %d", free)
	}

	// One that somebody waits for is that one's affair.
	answered := make(chan error, 1)
	go func() {
		_, err := l.Request(t.Context(), 8, "acme/beacon", tenant.Limits{Memory: 1})
		answered <- err
	}()
	for range 2 { // both requests
		if _, _, err := init.Receive(); err != nil {
			t.Fatal(err)
		}
	}
	l.take(initproto.SlotFailed{ID: 8, Reason: "no memory"}, nil)
	if err := <-answered; err == nil || err.Error() != "no memory" || len(free) != 1 {
		t.Errorf("%v, free numbers: %d", err, free)
	}
}

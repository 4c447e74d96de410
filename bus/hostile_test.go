package bus_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perilune/perilune/bus"
)

// A store that cannot be is said at once, and why: flight goes on without one.
func TestUnusableStore(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bus")
	if err := os.WriteFile(file, []byte("no folder"), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := bus.Start(bus.Config{Name: "craft", StoreDir: file})
	if err == nil {
		b.Close()
		t.Fatal("a bus whose store is a file")
	}
	if strings.Contains(err.Error(), "not ready") || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "JetStream") {
		t.Error(err)
	}
}

// What was published before Close is in the store afterwards.
func TestCloseStores(t *testing.T) {
	const n = 3000 // all of them may wait: less than is dropped for want of room
	for range 5 {
		cfg := bus.Config{Name: "craft", StoreDir: t.TempDir()}
		b := start(t, cfg)
		for i := range n {
			if err := b.Publish(t.Context(), bus.Telemetry{VC: 1, APID: uint16(i), Packet: make([]byte, 800)}); err != nil {
				t.Fatal(err)
			}
		}
		b.Close()
		b = start(t, cfg)
		kept := 0
		if err := bus.History(t.Context(), b, time.Time{}, func(bus.Telemetry, time.Time) error { kept++; return nil }); err != nil || kept != n {
			t.Errorf("%d of %d events, %v", kept, n, err)
		}
		b.Close()
	}
}

// History ends, also when more comes all the while.
func TestHistoryEnds(t *testing.T) {
	b := start(t, bus.Config{Name: "craft", StoreDir: t.TempDir()})
	publish := func() {
		t.Helper()
		if err := b.Publish(t.Context(), bus.File{Name: "a"}); err != nil {
			t.Fatal(err)
		}
		if err := b.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		publish()
	}
	n := 0
	err := bus.History(t.Context(), b, time.Time{}, func(bus.File, time.Time) error {
		if publish(); n > 100 {
			return os.ErrDeadlineExceeded
		}
		n++
		return nil
	})
	if err != nil || n != 3 {
		t.Errorf("%d events, %v", n, err)
	}
}

// talk is a log that a test reads.
type talk struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *talk) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *talk) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// A listener that does not come back misses events, which is told once, and costs nobody else any.
func TestSlowListener(t *testing.T) {
	var told talk
	b := start(t, bus.Config{Name: "craft", Log: slog.New(slog.NewTextHandler(&told, nil))})
	const events, step = 20000, 1000
	back, slow, quick := make(chan bool), make(chan uint8, events), make(chan uint16, step)
	if _, err := bus.Subscribe(b, func(e bus.Telemetry) { <-back; slow <- e.VC }); err != nil {
		t.Fatal(err)
	}
	if _, err := bus.Subscribe(b, func(e bus.Telemetry) { quick <- e.APID }); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < events; i += step {
		for j := range step {
			if err := b.Publish(t.Context(), bus.Telemetry{VC: 1, APID: uint16(i + j), Packet: make([]byte, 500)}); err != nil {
				t.Fatal(err)
			}
		}
		for j := range step {
			if got := <-quick; got != uint16(i+j) {
				t.Fatalf("event %d comes after %d", got, i+j-1)
			}
		}
	}
	close(back)
	waited := 0
	for seen := uint8(1); seen == 1; { // until one comes that was published afterwards
		if err := b.Publish(t.Context(), bus.Telemetry{VC: 2}); err != nil {
			t.Fatal(err)
		}
		<-quick
		for more := true; more; {
			select {
			case seen = <-slow:
				waited++
			default:
				more = false
			}
		}
	}
	if waited > events/2 {
		t.Errorf("%d events waited for the slow listener", waited)
	}
	if n := strings.Count(told.String(), "a listener misses events"); n != 1 {
		t.Errorf("told %d times: %s", n, told.String())
	}
}

// A name of any length is a token like another: it does not cost whoever publishes the connection.
func TestLongNames(t *testing.T) {
	var told talk
	b := start(t, bus.Config{Name: "craft", Log: slog.New(slog.NewTextHandler(&told, nil))})
	got := make(chan bus.Console, 2)
	if _, err := bus.Subscribe(b, func(e bus.Console) { got <- e }); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 10000)
	for _, guest := range []string{long, "acme/beacon"} {
		if err := b.Publish(t.Context(), bus.Console{Guest: guest}); err != nil {
			t.Fatal(err)
		}
	}
	for _, guest := range []string{long, "acme/beacon"} {
		select {
		case e := <-got:
			if e.Guest != guest {
				t.Errorf("a console of %.20q, want %.20q", e.Guest, guest)
			}
		case <-time.After(time.Minute):
			t.Fatalf("nothing comes; %s", told.String())
		}
	}
}

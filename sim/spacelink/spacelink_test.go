package spacelink_test

import (
	"bytes"
	"context"
	"io"
	"math"
	"math/bits"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/sim/spacelink"
)

// world is a link between a craft's radio and a station's, both ours.
type world struct {
	*testing.T
	dir           string
	link          *spacelink.Link
	craft, ground net.Conn
}

func open(t *testing.T, ber float64, c clock.Clock, delay time.Duration) *world {
	t.Helper()
	return openWith(t, spacelink.Config{BERUp: ber, BERDown: ber, Seed: 7, Clock: c, Delay: delay})
}

func openWith(t *testing.T, cfg spacelink.Config) *world {
	t.Helper()
	dir := t.TempDir()
	craft, radio := net.Pipe()
	cfg.Craft, cfg.Ground, cfg.Dir = radio, filepath.Join(dir, "radio.sock"), dir
	link, err := spacelink.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { link.Run(ctx); close(ended) }()
	ground, err := net.Dial("unix", filepath.Join(dir, "radio.sock"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); <-ended; link.Close(); ground.Close(); craft.Close() })
	return &world{t, dir, link, craft, ground}
}

// pass sends data down and returns what arrives.
func (w *world) pass(data []byte) []byte {
	w.Helper()
	go w.craft.Write(data)
	got := make([]byte, len(data))
	if _, err := io.ReadFull(w.ground, got); err != nil {
		w.Fatal(err)
	}
	return got
}

func differing(a, b []byte) (n int) {
	for i := range a {
		n += bits.OnesCount8(a[i] ^ b[i])
	}
	return n
}

func TestRecordsWhatPasses(t *testing.T) {
	w := open(t, 1e-2, clock.Real{}, 0)
	data := bytes.Repeat([]byte{0x55}, 20_000)
	got := w.pass(data)
	if n := differing(data, got); n < 1200 || n > 2000 {
		t.Errorf("%d of %d bits wrong at 1e-2", n, 8*len(data))
	}
	sent, err1 := os.ReadFile(filepath.Join(w.dir, "down.sent.raw"))
	received, err2 := os.ReadFile(filepath.Join(w.dir, "down.received.raw"))
	if err1 != nil || err2 != nil || !bytes.Equal(sent, data) || !bytes.Equal(received, got) {
		t.Errorf("the recordings differ from what was sent and received: %v %v", err1, err2)
	}
	if _, _, s, r := w.link.Offsets(); s != int64(len(data)) || r != int64(len(data)) {
		t.Errorf("offsets %d and %d, want %d", s, r, len(data))
	}
}

func TestSilenceAndClearness(t *testing.T) {
	w := open(t, 0, clock.Real{}, 0)
	data := bytes.Repeat([]byte{0x55}, 5_000)
	if n := differing(data, w.pass(data)); n != 0 {
		t.Errorf("%d bits wrong without noise", n)
	}
	noisy := func(what string) {
		t.Helper()
		if n := differing(data, w.pass(data)); n < 18_000 || n > 22_000 {
			t.Errorf("%s: %d of %d bits wrong, want about half", what, n, 8*len(data))
		}
	}
	w.link.SetSignal(false)
	noisy("no signal")
	w.link.SetContact(false)
	w.link.SetSignal(true)
	noisy("signal, but no contact")
	w.link.SetContact(true)
	w.link.Burst(spacelink.Down)
	noisy("burst")
	w.link.SetClear(spacelink.Down, true)
	if n := differing(data, w.pass(data)); n != 0 {
		t.Errorf("cleared: %d bits wrong", n)
	}
	w.link.SetClear(spacelink.Down, false)
	w.link.ResetBER("")
	if n := differing(data, w.pass(data)); n != 0 {
		t.Errorf("after the burst: %d bits wrong", n)
	}
}

// TestSoft: with noise by Eb/N0 the station gets a symbol a bit, as wrong as theory has it, and
// the recording holds the signs of what it got.
func TestSoft(t *testing.T) {
	ebn0, ratio := 4.0, 0.5
	w := openWith(t, spacelink.Config{Seed: 7, Clock: clock.Real{}, Soft: true, EbN0Down: &ebn0, Ratio: ratio})
	data := bytes.Repeat([]byte{0xA5}, 20_000)
	go w.craft.Write(data)
	got := make([]byte, 8*len(data))
	if _, err := io.ReadFull(w.ground, got); err != nil {
		t.Fatal(err)
	}
	signs := make([]byte, len(data))
	for i, v := range got {
		signs[i/8] |= v >> 7 << (7 - i%8)
	}
	want := 0.5 * math.Erfc(math.Sqrt(ratio*math.Pow(10, ebn0/10))) * float64(8*len(data))
	if n := float64(differing(data, signs)); n < 0.95*want || n > 1.05*want {
		t.Errorf("%g of %d symbols have the wrong sign, want about %.0f", n, 8*len(data), want)
	}
	if recorded, err := os.ReadFile(filepath.Join(w.dir, "down.received.raw")); err != nil || !bytes.Equal(recorded, signs) {
		t.Errorf("the recording is not what arrived: %v", err)
	}
	w.link.SetClear(spacelink.Down, true)
	go w.craft.Write(data)
	if _, err := io.ReadFull(w.ground, got); err != nil {
		t.Fatal(err)
	}
	for i, v := range got {
		if int8(v) != 31-62*int8(data[i/8]>>(7-i%8)&1) {
			t.Fatalf("symbol %d is %d without noise", i, int8(v))
		}
	}
}

func TestDelay(t *testing.T) {
	c := clock.NewFake(time.Unix(0, 0))
	w := open(t, 0, c, time.Second)
	go w.ground.Write([]byte("command"))
	arrived := make(chan string, 1)
	go func() {
		b := make([]byte, 7)
		io.ReadFull(w.craft, b)
		arrived <- string(b)
	}()
	for c.Sleepers() == 0 {
		time.Sleep(time.Millisecond)
	}
	c.Advance(999 * time.Millisecond)
	select {
	case <-arrived:
		t.Fatal("arrived before its time")
	case <-time.After(10 * time.Millisecond):
	}
	c.Advance(time.Millisecond)
	if got := <-arrived; got != "command" {
		t.Fatalf("%q arrived", got)
	}
}

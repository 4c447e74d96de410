package radio_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/perilune/perilune/devices/radio"
)

var quiet = slog.New(slog.DiscardHandler)

func listen(t *testing.T) (net.Listener, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "radio")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, path
}

// receive runs Receive in the background and returns what arrives.
func receive(t *testing.T, r *radio.Radio) (<-chan []byte, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan []byte, 64)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := r.Receive(ctx, func(b []byte) { got <- bytes.Clone(b) }); !errors.Is(err, context.Canceled) {
			t.Errorf("Receive: %v", err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	return got, cancel
}

func TestBothWays(t *testing.T) {
	l, path := listen(t)
	r := radio.New("unix:"+path, quiet)
	got, _ := receive(t, r)
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("up")); err != nil {
		t.Fatal(err)
	}
	if b := <-got; string(b) != "up" {
		t.Errorf("received %q", b)
	}
	if n, err := r.Write(t.Context(), []byte("down")); n != 4 || err != nil {
		t.Fatalf("wrote %d, %v", n, err)
	}
	buf := make([]byte, 4)
	if _, err := io.ReadFull(c, buf); err != nil || string(buf) != "down" {
		t.Errorf("%q, %v", buf, err)
	}
}

func TestOpensAgain(t *testing.T) {
	l, path := listen(t)
	r := radio.New("unix:"+path, quiet)
	got, _ := receive(t, r)
	for i := range 3 {
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
		if b := <-got; !bytes.Equal(b, []byte{byte(i)}) {
			t.Errorf("connection %d: received %x", i, b)
		}
		c.Close()
	}
}

// A port that is not there, or that nobody reads, must not hold the writer for long.
func TestWriteGivesUp(t *testing.T) {
	r := radio.New(filepath.Join(t.TempDir(), "none"), quiet)
	if n, err := r.Write(t.Context(), []byte{1}); n != 0 || !errors.Is(err, radio.ErrBusy) {
		t.Errorf("no port: %d, %v", n, err)
	}
	l, path := listen(t)
	r = radio.New("unix:"+path, quiet)
	var sent, taken int
	for taken == 0 {
		n, err := r.Write(t.Context(), make([]byte, 1<<16))
		sent += n
		if errors.Is(err, radio.ErrBusy) {
			break
		}
		if err != nil || sent > 1<<24 {
			t.Fatalf("%d octets sent, %v", sent, err)
		}
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if n, err := io.CopyN(io.Discard, c, int64(sent)); err != nil || n != int64(sent) {
		t.Errorf("%d of %d octets arrived, %v", n, sent, err)
	}
}

func TestEndsWithContext(t *testing.T) {
	l, path := listen(t)
	r := radio.New("unix:"+path, quiet)
	_, cancel := receive(t, r)
	if _, err := l.Accept(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(10 * time.Millisecond) // let it block in Read
	cancel()
	if _, err := r.Write(t.Context(), nil); err != nil && !errors.Is(err, radio.ErrBusy) {
		t.Error(err)
	}
}

func TestMissingDeviceIsNotCreated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vport0p1")
	r := radio.New(path, quiet)
	_, _ = r.Write(t.Context(), []byte{1})
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("stat: %v", err)
	}
}

package console_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perilune/perilune/tender/console"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// A History is a window on all that was ever written.
func TestHistory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h console.History
		var all []byte
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			p := bytes.Repeat([]byte{byte(len(all))}, rapid.SampledFrom([]int{0, 1, 7, 4096, 40000, console.Size, console.Size + 9}).Draw(t, "size"))
			h.Write(p)
			all = append(all, p...)
			start, end := h.Bounds()
			if end != uint64(len(all)) || start != end-min(end, console.Size) {
				t.Fatalf("%d to %d after %d octets", start, end, len(all))
			}
			at := uint64(rapid.IntRange(0, len(all)+5).Draw(t, "at"))
			buf := make([]byte, rapid.IntRange(0, console.Size+10).Draw(t, "room"))
			n, from := h.ReadAt(buf, at)
			if want := min(max(at, start), end); from != want {
				t.Fatalf("text at %d begins at %d, want %d", at, from, want)
			}
			if want := min(uint64(len(buf)), end-from); uint64(n) != want || !bytes.Equal(buf[:n], all[from:from+uint64(n)]) {
				t.Fatalf("%d octets at %d are not those written, want %d", n, from, want)
			}
		}
	})
}

// A reader that is too slow loses the oldest text and is told how much; one
// that keeps up loses none, and neither holds up the writer.
func TestReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h console.History
		h.Write([]byte("before "))
		quick, slow := h.Attach(0), h.Attach(0)
		stop := make(chan struct{})
		var got bytes.Buffer
		done := make(chan uint64)
		go func() {
			var lost uint64
			buf := make([]byte, 4096)
			for {
				n, dropped := quick.Next(buf, stop)
				if n == 0 {
					done <- lost
					return
				}
				got.Write(buf[:n])
				lost += dropped
			}
		}()
		var want bytes.Buffer
		want.WriteString("before ")
		for range 100 { // 40 KiB a second, well below the reader's rate
			line := strings.Repeat("x", 4096)
			h.Write([]byte(line))
			want.WriteString(line)
			time.Sleep(100 * time.Millisecond)
		}
		close(stop)
		if lost := <-done; lost != 0 || !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("the quick reader lost %d octets and has %d of %d", lost, got.Len(), want.Len())
		}
		n, dropped := slow.Next(make([]byte, 4096), stop)
		if n != 4096 || dropped != uint64(want.Len())-console.Size {
			t.Errorf("the slow reader got %d octets after %d dropped ones", n, dropped)
		}
		quick.Detach()
		slow.Detach()
	})
}

// Toward one reader text flows at its rate, whatever the guest prints.
func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h console.History
		r := h.Attach(0)
		stop := make(chan struct{})
		go func() {
			for range 1000 { // 32 MiB a second
				h.Write(make([]byte, 32<<10))
				time.Sleep(time.Millisecond)
			}
			close(stop)
		}()
		var read, dropped uint64
		for began := time.Now(); time.Since(began) < time.Second; {
			n, d := r.Next(make([]byte, 4096), stop)
			read, dropped = read+uint64(n), dropped+d
		}
		if most := uint64(console.ReaderRate + console.Size + 4096); read > most || read < console.ReaderRate {
			t.Errorf("%d octets in a second, at most %d", read, most)
		}
		if dropped == 0 {
			t.Error("nothing was dropped")
		}
	})
}

// Several readers on the socket: history, then what comes; one that never
// reads holds up nobody.
func TestServer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "console")
	var h console.History
	s, err := console.Listen(path, &h)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket %v, %v", info.Mode(), err)
	}
	if _, err := console.Listen(path, &h); err == nil {
		t.Error("a socket that is in use was taken over")
	}
	go s.Serve()
	h.Write([]byte("early\n"))
	readers := make([]net.Conn, 4) // the last one does not read
	for i := range readers {
		if readers[i], err = net.Dial("unix", path); err != nil {
			t.Fatal(err)
		}
		defer readers[i].Close()
	}
	for i, r := range readers[:3] {
		head := make([]byte, 6)
		if _, err := io.ReadFull(r, head); err != nil || string(head) != "early\n" {
			t.Fatalf("reader %d begins with %q, %v", i, head, err)
		}
	}
	readers[2].Close() // one that goes early
	h.Write([]byte("late\n"))
	s.Close()
	for i, r := range readers[:2] {
		if rest, err := io.ReadAll(r); err != nil || string(rest) != "late\n" {
			t.Errorf("reader %d then has %q, %v", i, rest, err)
		}
	}
	if _, err := net.Dial("unix", path); err == nil {
		t.Error("a closed server takes readers")
	}
	again, err := console.Listen(path, &h) // over the socket left behind
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

// A path that is no socket is left alone.
func TestListenLeavesFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	var h console.History
	if _, err := console.Listen(path, &h); err == nil {
		t.Error("a file passed for a socket")
	}
	if b, _ := os.ReadFile(path); string(b) != "precious" {
		t.Errorf("the file now has %q", b)
	}
	if _, err := console.Listen(strings.Repeat("x", 200), &h); err == nil {
		t.Errorf("a path longer than a socket's address passed, want %v", unix.EINVAL)
	}
}

// Readers that went while the guest said nothing leave their places to others.
func TestReadersGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "console")
	var h console.History
	s, err := console.Listen(path, &h)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	go s.Serve()
	connect := func() net.Conn {
		r, err := net.Dial("unix", path)
		for errors.Is(err, unix.EAGAIN) { // so many wait to be let in
			time.Sleep(time.Millisecond)
			r, err = net.Dial("unix", path)
		}
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for range 200 {
		connect().Close()
	}
	last := connect()
	defer last.Close()
	h.Write([]byte("text\n"))
	text := make([]byte, 5)
	if _, err := io.ReadFull(last, text); err != nil || string(text) != "text\n" {
		t.Errorf("the reader after 200 has %q, %v", text, err)
	}
}

package streams_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/scheduler/depot"
	"github.com/perilune/perilune/scheduler/safe"
	"github.com/perilune/perilune/scheduler/streams"
)

const vc = 5

func profile(down link.Framing, s link.Service) link.Profile {
	return link.Profile{Down: down, Code: link.Code{Kind: link.CodeNone}, FrameLength: 300, Services: map[ccsds.VCID]link.Service{vc: s}}
}

// world is a file store, streams, and a link without a channel.
type world struct {
	t        *testing.T
	dir      string
	streams  *streams.Streams
	framer   *link.Framer
	deframer *link.Deframer
	got      []byte
	ended    []string
	failed   error
}

func newWorld(t *testing.T, p link.Profile) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir()}
	files, err := depot.Open(w.dir, safe.NewRecords(), 1<<20, 100)
	if err != nil {
		t.Fatal(err)
	}
	w.streams = streams.New(streams.Config{Profile: p, Files: files, Done: func(text string, err error) {
		w.ended, w.failed = append(w.ended, text), err
	}})
	if w.framer, err = link.NewFramer(p, nil); err != nil {
		t.Fatal(err)
	}
	if w.deframer, err = link.NewDeframer(p, nil); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) file(name string, n int) []byte {
	w.t.Helper()
	data := make([]byte, n)
	r := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	if err := os.WriteFile(filepath.Join(w.dir, name), data, 0o600); err != nil {
		w.t.Fatal(err)
	}
	return data
}

// send makes frames until nothing is left, at most n.
func (w *world) send(n int) {
	w.t.Helper()
	for range n {
		w.streams.Fill(w.framer)
		frame, idle := w.framer.Next(nil, [4]byte{})
		if idle {
			return
		}
		if _, err := w.deframer.Decode(frame); err != nil {
			w.t.Fatal(err)
		}
		if err := w.deframer.Data(func(d link.Data) {
			if d.Lost {
				w.t.Error("something is missing")
			}
			w.got = append(w.got, d.Octets...)
		}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// TestFile: a file longer than what is read at a time arrives as it is, with an end.
func TestFile(t *testing.T) {
	for _, tt := range []struct {
		p link.Profile
		n int
	}{
		{profile(link.FramingAOS, link.ServiceBitstream), 100_001},
		{profile(link.FramingAOS, link.ServiceAccess), 400 * profile(link.FramingAOS, link.ServiceAccess).DownRoom(vc)},
		{profile(link.FramingTM, link.ServiceAccess), 400 * profile(link.FramingTM, link.ServiceAccess).DownRoom(vc)},
		{profile(link.FramingUSLP, link.ServiceAccess), 70_003},
	} {
		w := newWorld(t, tt.p)
		want := w.file("picture", tt.n)
		if err := w.streams.Start(vc, pus.FileName{Name: "picture"}); err != nil {
			t.Fatal(err)
		}
		w.send(10_000)
		if !bytes.Equal(w.got, want) || len(w.ended) != 1 || w.failed != nil || !strings.HasPrefix(w.ended[0], "picture on channel 5") {
			t.Errorf("%s %s: %d octets of %d arrived, ended %q %v", tt.p.Down, tt.p.Services[vc], len(w.got), len(want), w.ended, w.failed)
		}
	}
}

// TestRefused: what cannot be sent is refused with a reason, and a stream can be stopped.
func TestRefused(t *testing.T) {
	w := newWorld(t, profile(link.FramingTM, link.ServiceAccess))
	w.file("odd", w.room()+1)
	w.file("long", 100*w.room())
	w.file("empty", 0)
	refused := func(err error, want pus.Failure) {
		t.Helper()
		var r *pus.Refusal
		if !errors.As(err, &r) || r.Code != want {
			t.Errorf("%v, want code %d", err, want)
		}
	}
	refused(w.streams.Start(1, pus.FileName{Name: "long"}), pus.FailureUnknownName)
	refused(w.streams.Start(vc, pus.FileName{Name: "none"}), pus.FailureUnknownName)
	refused(w.streams.Start(vc, pus.FileName{Repository: "..", Name: "long"}), pus.FailureNotPermitted)
	refused(w.streams.Start(vc, pus.FileName{Name: "odd"}), pus.FailureBadData)
	refused(w.streams.Start(vc, pus.FileName{Name: "empty"}), pus.FailureBadData)
	refused(w.streams.Stop(vc), pus.FailureNotNow)
	if err := w.streams.Start(vc, pus.FileName{Name: "long"}); err != nil {
		t.Fatal(err)
	}
	refused(w.streams.Start(vc, pus.FileName{Name: "long"}), pus.FailureNotNow)
	w.send(10)
	if err := w.streams.Stop(vc); err != nil {
		t.Fatal(err)
	}
	w.send(1000)
	if n := len(w.got) / w.room(); n < 10 || n > 20 || len(w.ended) != 0 {
		t.Errorf("%d data units went, ended %q", n, w.ended)
	}
}

func (w *world) room() int { return profile(link.FramingTM, link.ServiceAccess).DownRoom(vc) }

// TestGone: a file that goes away under way ends its stream, and that is told.
func TestGone(t *testing.T) {
	w := newWorld(t, profile(link.FramingAOS, link.ServiceBitstream))
	w.file("picture", 200_000)
	if err := w.streams.Start(vc, pus.FileName{Name: "picture"}); err != nil {
		t.Fatal(err)
	}
	w.send(10)
	if err := os.Remove(filepath.Join(w.dir, "picture")); err != nil {
		t.Fatal(err)
	}
	w.send(10_000)
	if len(w.ended) != 1 || w.failed == nil || !strings.Contains(w.ended[0], "broke off") {
		t.Errorf("ended %q, %v", w.ended, w.failed)
	}
}

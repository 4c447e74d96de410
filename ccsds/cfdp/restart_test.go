package cfdp_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds/cfdp"
)

// At any moment, either side or both may restart, on a link that loses 12 %.
func TestRestart(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a := newNode(t, ground, func(c *cfdp.Config) { c.Saver = memSaver{} })
		b := newNode(t, craft, func(c *cfdp.Config) { c.Saver = memSaver{} })
		rt.Cleanup(a.close)
		rt.Cleanup(b.close)
		l := newLink(t, a, b, rapid.Uint64().Draw(rt, "seed"))
		l.loss, l.dup, l.reorder = 0.12, 0.02, 0.05
		data := pattern(rapid.IntRange(0, 60_000).Draw(rt, "size"), 1)
		a.write("in", data)
		a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
		for _, at := range rapid.SliceOfN(rapid.IntRange(0, 60), 0, 6).Draw(rt, "restarts") {
			for range at {
				l.step()
			}
			switch at % 3 {
			case 0:
				a.restart()
			case 1:
				b.restart()
			case 2:
				a.restart()
				b.restart()
			}
		}
		l.run(20_000, l.quiet)
		if !bytes.Equal(b.read("out"), data) {
			rt.Fatal("file differs")
		}
		b.noParts(t)
		for who, n := range map[string]*node{"sender": a, "receiver": b} {
			for key := range n.cfg.Saver.(memSaver) {
				if key != "sequence" && key != "closed" {
					rt.Fatalf("%s keeps record %s", who, key)
				}
			}
		}
	})
}

// What was saved is not sent again.
func TestRestartKeepsProgress(t *testing.T) {
	for _, who := range []string{"sender", "receiver"} {
		a := newNode(t, ground, func(c *cfdp.Config) { c.Saver = memSaver{} })
		b := newNode(t, craft, func(c *cfdp.Config) { c.Saver = memSaver{} })
		l := newLink(t, a, b, 1)
		data := pattern(1_000_000, 1)
		a.write("in", data)
		id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
		for range 1000 {
			l.step()
		}
		if who == "sender" {
			a.restart()
		} else {
			b.restart()
		}
		n := 0
		l.watch = func(to *node, pdu []byte) bool {
			if _, p := body(t, pdu); isA[*cfdp.FileData](p) {
				n++
			}
			return true
		}
		l.run(5000, l.quiet)
		b.check(id, cfdp.NoError)
		if !bytes.Equal(b.read("out"), data) {
			t.Error("file differs")
		}
		// 1131 PDUs are the whole file; the first 1000 had nearly been sent. A
		// restart may cost what a record is late, 256 KiB, or 296 PDUs.
		if n > 131+296+30 {
			t.Errorf("after the restart of the %s %d PDUs were sent", who, n)
		}
	}
}

// The receiver forgets everything after it acknowledged EOF: the transfer
// begins again by itself.
func TestReceiverForgets(t *testing.T) {
	a, b, l := pair(t, 1, nil)
	data := pattern(5000, 1)
	a.write("in", data)
	id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
	n := 0
	l.watch = func(_ *node, pdu []byte) bool {
		_, p := body(t, pdu)
		if isA[*cfdp.FileData](p) {
			n++
			return n != 3
		}
		return !isA[*cfdp.NAK](p)
	}
	for range 60 {
		l.slow = true
		l.step()
	}
	l.watch, l.slow, l.flight = nil, false, nil
	b.restart()
	l.run(3000, l.quiet)
	a.check(id, cfdp.NoError)
	b.check(id, cfdp.NoError)
	if !bytes.Equal(b.read("out"), data) {
		t.Error("file differs")
	}
}

// The source file is another after the restart: the receiver hears of it.
func TestSourceChangesOverRestart(t *testing.T) {
	for _, change := range []func(string) error{os.Remove, func(p string) error { return os.WriteFile(p, []byte("short"), 0o644) }} {
		a := newNode(t, ground, func(c *cfdp.Config) { c.Saver = memSaver{} })
		b := newNode(t, craft, nil)
		l := newLink(t, a, b, 1)
		a.write("in", pattern(50_000, 1))
		id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
		for range 30 {
			l.step()
		}
		if err := change(filepath.Join(a.dir, "in")); err != nil {
			t.Fatal(err)
		}
		a.restart()
		l.run(1000, l.quiet)
		a.check(id, cfdp.FilestoreRejection)
		b.check(id, cfdp.FilestoreRejection)
		b.noParts(t)
	}
}

// worn is a store whose files are there and cannot be read.
type worn struct{ *cfdp.Dir }

type unreadable struct{ cfdp.Reader }

func (unreadable) ReadAt([]byte, int64) (int, error) { return 0, os.ErrInvalid }

func (w worn) Open(name string) (cfdp.Reader, error) {
	f, err := w.Dir.Open(name)
	return unreadable{f}, err
}

// A source file that cannot be read after the restart, where that is to end its transaction without
// a word, leaves nothing of it.
func TestAbandonedOverRestart(t *testing.T) {
	saver := memSaver{}
	a := newNode(t, ground, func(c *cfdp.Config) {
		c.Saver, c.Faults = saver, map[cfdp.Condition]cfdp.Handler{cfdp.FilestoreRejection: cfdp.HandlerAbandon}
	})
	l := newLink(t, a, newNode(t, craft, nil), 1)
	a.write("in", pattern(100_000, 1))
	id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
	for range 80 {
		l.step()
	}
	ends := map[cfdp.TransactionID]cfdp.Condition{}
	cfg := a.cfg
	cfg.Store = worn{cfg.Store.(*cfdp.Dir)}
	e, err := cfdp.New(cfg, cfdp.Events{Finished: func(i cfdp.Info) { ends[i.ID] = i.Condition }})
	if err != nil {
		t.Fatal(err)
	}
	if pdu, ok := e.Next(l.now); ok {
		t.Errorf("%x is sent", pdu)
	}
	if n := len(e.Transactions()); n != 0 || ends[id] != cfdp.FilestoreRejection {
		t.Errorf("%d transactions are left, it ended with %v", n, ends[id])
	}
	for key := range saver {
		if strings.HasPrefix(key, "send-") {
			t.Errorf("record %s is left", key)
		}
	}
}

// Records that are torn, foreign or of a newer version do no harm.
func TestBadRecords(t *testing.T) {
	s := memSaver{
		"sequence": []byte(`{"Version":1,"Next":77}`), "closed": []byte(`{"Version":2`), "other": []byte("x"),
		"send-1-1": []byte(`{"Version":9,"ID":{"Source":1,"Sequence":1}}`), "send-1-2": nil, "send-1-3": []byte(`[]`),
		"send-1-4":    []byte(`{"Version":1,"ID":{"Source":9,"Sequence":4},"Put":{"Source":"in"}}`),
		"receive-2-1": []byte(`{"Version":1,"Head":{"Source":2}}`), "receive-2-2": []byte(`{"Version":1}`),
		"receive-2-3": []byte(`{"Version":1,"Head":{"Source":2,"Sequence":3,"EntityLength":2,"SequenceLength":4},"Meta":{"Dest":"../x"},"Token":"../../y","Have":[{"Start":5,"End":1}]}`),
	}
	a := newNode(t, ground, func(c *cfdp.Config) { c.Saver = s })
	a.write("in", nil)
	l := newLink(t, a, newNode(t, craft, nil), 1)
	if id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"}); id.Sequence != 77 {
		t.Errorf("sequence %d, want 77", id.Sequence)
	}
	for _, i := range a.e.Transactions() {
		if !i.Source && i.Condition == cfdp.NoError {
			t.Errorf("restored %+v", i)
		}
	}
}

package cfdp_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/cfdp"
)

const ground, craft = 1, 2

// memSaver keeps records in memory; a copy stands for a restart.
type memSaver map[string][]byte

func (m memSaver) Save(key string, record []byte) error { m[key] = bytes.Clone(record); return nil }
func (m memSaver) Delete(key string) error              { delete(m, key); return nil }
func (m memSaver) Load() (map[string][]byte, error)     { return m, nil }

// node is an entity with its directory.
type node struct {
	t        testing.TB
	dir      string
	store    *cfdp.Dir
	cfg      cfdp.Config
	e        *cfdp.Entity
	finished map[cfdp.TransactionID]cfdp.Info
	started  map[cfdp.TransactionID]cfdp.Info
	naks     int
}

func newNode(t testing.TB, local uint64, edit func(*cfdp.Config)) *node {
	t.Helper()
	n := &node{t: t, dir: t.TempDir(), cfg: cfdp.Config{Local: local}}
	if edit != nil {
		edit(&n.cfg)
	}
	n.restart()
	t.Cleanup(n.close)
	return n
}

// close lets go of the store, as what draws many nodes must do before the test is over.
func (n *node) close() { _ = n.store.Close() }

// restart makes the entity anew from what its store and saver hold.
func (n *node) restart() {
	n.t.Helper()
	store, err := cfdp.DirStore(n.dir)
	if err != nil {
		n.t.Fatal(err)
	}
	if n.store != nil {
		n.close()
	}
	n.store, n.cfg.Store = store, store
	n.finished = map[cfdp.TransactionID]cfdp.Info{}
	n.started = map[cfdp.TransactionID]cfdp.Info{}
	n.e, err = cfdp.New(n.cfg, cfdp.Events{
		Started:  func(i cfdp.Info) { n.started[i.ID] = i },
		Finished: func(i cfdp.Info) { n.finished[i.ID] = i },
		NAK:      func(cfdp.TransactionID, []cfdp.Segment) { n.naks++ },
	})
	if err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) write(name string, data []byte) {
	n.t.Helper()
	p := filepath.Join(n.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o755), os.WriteFile(p, data, 0o644)); err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) read(name string) []byte {
	n.t.Helper()
	b, err := os.ReadFile(filepath.Join(n.dir, name))
	if err != nil {
		n.t.Fatal(err)
	}
	return b
}

func (n *node) exists(name string) bool {
	_, err := os.Stat(filepath.Join(n.dir, name))
	return err == nil
}

// link carries PDUs between two nodes in simulated time: a PDU each way every
// millisecond, with delay, loss, duplicates and disorder.
type link struct {
	t       testing.TB
	a, b    *node
	rng     *rand.Rand
	now     time.Time
	delay   time.Duration
	loss    float64
	dup     float64
	reorder float64
	slow    bool // never jump to the next timer
	frozen  bool // loss of signal: everything in flight is gone
	flight  []inFlight
	sent    int
	watch   func(to *node, pdu []byte) bool // false: drop it
	sending func(to *node, pdu []byte)      // sees all that is sent, also what is lost
}

type inFlight struct {
	at  time.Time
	to  *node
	pdu []byte
}

func newLink(t testing.TB, a, b *node, seed uint64) *link {
	return &link{t: t, a: a, b: b, rng: rand.New(rand.NewPCG(seed, 1)), now: time.Unix(1_800_000_000, 0), delay: 20 * time.Millisecond}
}

func (l *link) send(to *node, pdu []byte) {
	l.sent++
	if l.sending != nil {
		l.sending(to, pdu)
	}
	if l.frozen || l.rng.Float64() < l.loss || l.watch != nil && !l.watch(to, pdu) {
		return
	}
	copies := 1
	if l.rng.Float64() < l.dup {
		copies = 2
	}
	for range copies {
		d := l.delay
		if l.rng.Float64() < l.reorder {
			d += time.Duration(l.rng.IntN(30)) * time.Millisecond
		}
		l.flight = append(l.flight, inFlight{l.now.Add(d), to, pdu})
	}
}

// step lets a millisecond pass, or, when nothing moves, the time to the next
// timer.
func (l *link) step() {
	moved := false
	for _, d := range []struct{ from, to *node }{{l.a, l.b}, {l.b, l.a}} {
		if pdu, ok := d.from.e.Next(l.now); ok {
			if len(pdu) > max(d.from.cfg.MaxPDU, 900) && d.from.cfg.MaxPDU == 0 || d.from.cfg.MaxPDU > 0 && len(pdu) > d.from.cfg.MaxPDU {
				l.t.Fatalf("PDU of %d octets", len(pdu))
			}
			moved = true
			l.send(d.to, pdu)
		}
	}
	later := l.flight[:0:0]
	for _, f := range l.flight {
		if f.at.After(l.now) {
			later = append(later, f)
			continue
		}
		moved = true
		if err := f.to.e.Receive(l.now, f.pdu); err != nil && !errors.Is(err, cfdp.ErrUnknown) && !errors.Is(err, cfdp.ErrFull) {
			l.t.Logf("receive: %v", err)
		}
	}
	l.flight = later
	l.now = l.now.Add(time.Millisecond)
	if !moved && len(l.flight) == 0 && !l.slow {
		for _, n := range []*node{l.a, l.b} {
			if at := n.e.NextTimer(); !at.IsZero() && at.After(l.now) {
				l.now = minTime(at, l.otherTimer(n, at))
			}
		}
	}
	l.a.e.Tick(l.now)
	l.b.e.Tick(l.now)
}

func (l *link) otherTimer(n *node, at time.Time) time.Time {
	o := l.a
	if n == l.a {
		o = l.b
	}
	if t := o.e.NextTimer(); !t.IsZero() && t.Before(at) {
		return t
	}
	return at
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// run steps until done, and fails the test after too many steps.
func (l *link) run(limit int, done func() bool) {
	l.t.Helper()
	for range limit {
		if done() {
			return
		}
		l.step()
	}
	l.t.Fatalf("not done after %d steps: a %+v, b %+v", limit, l.a.e.Transactions(), l.b.e.Transactions())
}

// quiet is when neither side has a transaction left.
func (l *link) quiet() bool {
	return len(l.a.e.Transactions()) == 0 && len(l.b.e.Transactions()) == 0
}

func pattern(n int, seed uint64) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}), b); err != nil {
		panic(err)
	}
	return b
}

func (n *node) put(l *link, p cfdp.Put) cfdp.TransactionID {
	n.t.Helper()
	id, err := n.e.Put(l.now, p)
	if err != nil {
		n.t.Fatal(err)
	}
	return id
}

func (n *node) check(id cfdp.TransactionID, want cfdp.Condition) cfdp.Info {
	n.t.Helper()
	i, ok := n.finished[id]
	if !ok {
		n.t.Fatalf("entity %d: %v is not finished", n.cfg.Local, id)
	}
	if i.Condition != want {
		n.t.Fatalf("entity %d: %v ended with %v, want %v", n.cfg.Local, id, i.Condition, want)
	}
	return i
}

func name(i int) string { return fmt.Sprintf("f%03d.bin", i) }

func nakMode(deferred bool) cfdp.NAKMode {
	if deferred {
		return cfdp.NAKDeferred
	}
	return cfdp.NAKImmediate
}

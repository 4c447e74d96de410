package cfdp_test

import (
	"bytes"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/cfdp"
)

// pair is a ground and a craft with a link between them.
func pair(t *testing.T, seed uint64, edit func(*cfdp.Config)) (a, b *node, l *link) {
	t.Helper()
	a, b = newNode(t, ground, edit), newNode(t, craft, edit)
	return a, b, newLink(t, a, b, seed)
}

func body(t *testing.T, pdu []byte) (cfdp.Header, cfdp.Body) {
	t.Helper()
	h, b, err := cfdp.Decode(pdu)
	if err != nil {
		t.Fatal(err)
	}
	return h, b
}

// dropFirst loses the first PDU of a kind.
func dropFirst[T cfdp.Body](l *link) *int {
	n := new(int)
	l.watch = func(_ *node, pdu []byte) bool {
		if _, b := body(l.t.(*testing.T), pdu); isA[T](b) {
			*n++
			return *n > 1
		}
		return true
	}
	return n
}

func isA[T cfdp.Body](b cfdp.Body) bool { _, ok := b.(T); return ok }

// Each kind of PDU may be the one that is lost.
func TestEveryPDUMayBeLost(t *testing.T) {
	for kind, drop := range map[string]func(*link) *int{
		"metadata": dropFirst[*cfdp.Metadata], "data": dropFirst[*cfdp.FileData], "EOF": dropFirst[*cfdp.EOF],
		"ACK": dropFirst[*cfdp.ACK], "finished": dropFirst[*cfdp.Finished], "NAK": dropFirst[*cfdp.NAK],
	} {
		t.Run(kind, func(t *testing.T) {
			for _, size := range []int{0, 1, 5000} {
				a, b, l := pair(t, 1, nil)
				data := pattern(size, 3)
				a.write("in", data)
				id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
				drop(l)
				l.run(2000, l.quiet)
				a.check(id, cfdp.NoError)
				b.check(id, cfdp.NoError)
				if !bytes.Equal(b.read("out"), data) {
					t.Errorf("size %d: file differs", size)
				}
			}
		})
	}
}

// The PDUs arrive in the opposite order: EOF first, metadata last, and the
// short last segment before all others.
func TestReverseOrder(t *testing.T) {
	a, b, l := pair(t, 1, nil)
	data := pattern(4001, 9)
	a.write("in", data)
	id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
	var all [][]byte
	for pdu, ok := a.e.Next(l.now); ok; pdu, ok = a.e.Next(l.now) {
		all = append(all, pdu)
	}
	for i := len(all) - 1; i >= 0; i-- {
		if err := b.e.Receive(l.now, all[i]); err != nil {
			t.Fatal(err)
		}
	}
	if i := b.check(id, cfdp.NoError); i.Done != 4001 {
		t.Errorf("%+v", i)
	}
	if !bytes.Equal(b.read("out"), data) {
		t.Error("file differs")
	}
	for _, pdu := range all { // and all of it once more: nothing begins anew
		_ = b.e.Receive(l.now, pdu)
	}
	l.run(100, l.quiet)
	if len(b.started) != 1 {
		t.Errorf("%d transactions were started", len(b.started))
	}
}

// A NAK that does not fit a PDU becomes several, which together ask for
// everything.
func TestNAKIsSplit(t *testing.T) {
	a, b, l := pair(t, 1, func(c *cfdp.Config) { c.MaxPDU, c.NAK = 64, cfdp.NAKDeferred })
	data := pattern(6000, 2)
	a.write("in", data)
	id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
	n, naks := 0, 0
	l.watch = func(to *node, pdu []byte) bool {
		switch _, p := body(t, pdu); p := p.(type) {
		case *cfdp.FileData:
			n++
			return n > 120 || n%2 == 0
		case *cfdp.NAK:
			naks++
			if len(p.Segments) > 0 && (p.Start > p.Segments[0].Start || p.End < p.Segments[len(p.Segments)-1].End) {
				t.Errorf("scope %d to %d of %v", p.Start, p.End, p.Segments)
			}
		}
		return true
	}
	l.run(4000, l.quiet)
	b.check(id, cfdp.NoError)
	if naks < 10 {
		t.Errorf("%d NAKs", naks)
	}
	if !bytes.Equal(b.read("out"), data) {
		t.Error("file differs")
	}
}

// While either side is suspended, what arrives is not swallowed, and resuming
// does not hang, with and without holes.
func TestSuspendResume(t *testing.T) {
	for _, side := range []string{"sender", "receiver"} {
		for _, loss := range []float64{0, 0.2} {
			for at := range 12 {
				a, b, l := pair(t, uint64(at), nil)
				l.loss = loss
				data := pattern(5000, 1)
				a.write("in", data)
				id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
				n := a
				if side == "receiver" {
					n = b
				}
				for range at * 3 {
					l.step()
				}
				err := n.e.Suspend(id)
				l.slow = true
				for range 300 {
					l.step()
				}
				l.slow = false
				if err == nil && len(n.e.Transactions()) > 0 {
					if err := n.e.Resume(id); err != nil {
						t.Fatal(err)
					}
				}
				l.run(3000, l.quiet)
				a.check(id, cfdp.NoError)
				b.check(id, cfdp.NoError)
				if !bytes.Equal(b.read("out"), data) {
					t.Errorf("%s suspended at %d: file differs", side, at)
				}
			}
		}
	}
}

func TestSuspendedSenderIsSilent(t *testing.T) {
	a, b, l := pair(t, 1, nil)
	a.write("in", pattern(5000, 1))
	id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
	l.step()
	l.step()
	if err := a.e.Suspend(id); err != nil {
		t.Fatal(err)
	}
	if pdu, ok := a.e.Next(l.now); ok {
		t.Errorf("sent %x", pdu)
	}
	if at := a.e.NextTimer(); !at.IsZero() {
		t.Errorf("a timer runs: %v", at)
	}
	_ = b
}

func TestCancel(t *testing.T) {
	for _, side := range []string{"sender", "receiver"} {
		for _, class := range []int{1, 2} {
			a, b, l := pair(t, 1, nil)
			a.write("in", pattern(50_000, 1))
			id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out", Class: class})
			for range 40 {
				l.step()
			}
			n := a
			if side == "receiver" {
				n = b
			}
			if err := n.e.Cancel(id); err != nil {
				t.Fatal(err)
			}
			if side == "receiver" && class == 1 { // nobody tells the sender
				b.check(id, cfdp.CancelReceived)
				continue
			}
			l.run(1000, l.quiet)
			a.check(id, cfdp.CancelReceived)
			b.check(id, cfdp.CancelReceived)
			if b.exists("out") {
				t.Error("a cancelled file is there")
			}
			b.noParts(t)
			if err := a.e.Cancel(id); !errors.Is(err, cfdp.ErrUnknown) {
				t.Errorf("cancelling twice: %v", err)
			}
		}
	}
}

func (n *node) noParts(t *testing.T) {
	t.Helper()
	entries, err := os.ReadDir(n.dir + "/.cfdp-part")
	if err != nil || len(entries) != 0 {
		t.Errorf("unfinished files %v, %v", entries, err)
	}
}

func TestClass1(t *testing.T) {
	for _, closure := range []bool{false, true} {
		a, b, l := pair(t, 1, nil)
		l.reorder = 0.3
		data := pattern(30_000, 4)
		a.write("in", data)
		id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out", Class: 1, Closure: closure})
		l.run(1000, func() bool { return l.quiet() && len(l.flight) == 0 })
		a.check(id, cfdp.NoError)
		b.check(id, cfdp.NoError)
		if !bytes.Equal(b.read("out"), data) {
			t.Error("file differs")
		}
	}
	a, b, l := pair(t, 5, nil)
	l.loss = 0.12
	a.write("in", pattern(30_000, 4))
	id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out", Class: 1})
	l.run(1000, func() bool { return l.quiet() && len(l.flight) == 0 })
	b.check(id, cfdp.CheckLimitReached)
	if b.exists("out") {
		t.Error("an incomplete file is there")
	}
	b.noParts(t)
}

// Loss of signal in the middle, for longer than any timer, several times.
func TestLossOfSignal(t *testing.T) {
	a, b, l := pair(t, 3, nil)
	l.loss = 0.12
	data := pattern(200_000, 6)
	a.write("in", data)
	id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
	for range 12 {
		for range 40 {
			l.step()
		}
		l.frozen, l.flight = true, nil
		a.e.Freeze(true)
		b.e.Freeze(true)
		for range 50 {
			l.now = l.now.Add(10 * time.Minute)
			l.step()
		}
		if at := a.e.NextTimer(); !at.IsZero() {
			t.Fatalf("a timer runs without signal: %v", at)
		}
		l.frozen = false
		a.e.Freeze(false)
		b.e.Freeze(false)
	}
	l.run(20000, l.quiet)
	if i := a.check(id, cfdp.NoError); i.NAKs == 0 {
		t.Error("no NAK")
	}
	b.check(id, cfdp.NoError)
	if !bytes.Equal(b.read("out"), data) {
		t.Error("file differs")
	}
}

// The clock of one side jumps years forth and back.
func TestClockJumps(t *testing.T) {
	a, b, l := pair(t, 3, nil)
	l.loss = 0.12
	a.write("in", pattern(50_000, 6))
	id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
	for i := range 60 {
		l.step()
		if i%20 == 5 {
			b.e.Tick(l.now.AddDate(30*(i%3-1), 0, 0))
		}
	}
	l.run(20000, l.quiet)
	a.check(id, cfdp.NoError)
	b.check(id, cfdp.NoError)
}

// Sixty-four files at once each get their share, and all arrive; a sixty-fifth
// is refused.
func TestManyAtOnce(t *testing.T) {
	a, b, l := pair(t, 8, nil)
	l.loss = 0.12
	ids := map[cfdp.TransactionID][]byte{}
	names := map[cfdp.TransactionID]string{}
	for i := range 64 {
		data := pattern(20_000, uint64(i))
		a.write(name(i), data)
		id := a.put(l, cfdp.Put{Dest: craft, Source: name(i), DestName: name(i)})
		ids[id], names[id] = data, name(i)
	}
	if _, err := a.e.Put(l.now, cfdp.Put{Dest: craft, Source: name(0), DestName: "x"}); !errors.Is(err, cfdp.ErrFull) {
		t.Errorf("one too many: %v", err)
	}
	for range 64 + 64*10 {
		l.step()
	}
	least, most := uint64(1<<62), uint64(0)
	for _, i := range a.e.Transactions() {
		least, most = min(least, i.Done), max(most, i.Done)
	}
	if most-least > 10_000 {
		t.Errorf("unfair: one has sent %d octets, one %d", least, most)
	}
	l.run(100_000, l.quiet)
	for id, data := range ids {
		a.check(id, cfdp.NoError)
		b.check(id, cfdp.NoError)
		if !bytes.Equal(b.read(names[id]), data) {
			t.Errorf("%v: file differs", id)
		}
	}
}

// A receiver with fewer slots than there are files takes them in turn.
func TestReceiverFull(t *testing.T) {
	a := newNode(t, ground, nil)
	b := newNode(t, craft, func(c *cfdp.Config) { c.Limits.MaxTransactions = 4 })
	l := newLink(t, a, b, 1)
	for i := range 20 {
		a.write(name(i), pattern(3000, uint64(i)))
		a.put(l, cfdp.Put{Dest: craft, Source: name(i), DestName: name(i)})
	}
	l.run(50_000, l.quiet)
	for i := range 20 {
		if !bytes.Equal(b.read(name(i)), pattern(3000, uint64(i))) {
			t.Errorf("%s differs", name(i))
		}
	}
}

// Both ways at once.
func TestBothWays(t *testing.T) {
	a, b, l := pair(t, 8, nil)
	l.loss, l.reorder = 0.1, 0.1
	a.write("up", pattern(40_000, 1))
	b.write("down", pattern(70_000, 2))
	up := a.put(l, cfdp.Put{Dest: craft, Source: "up", DestName: "up2"})
	down := b.put(l, cfdp.Put{Dest: ground, Source: "down", DestName: "down2"})
	l.run(20_000, l.quiet)
	b.check(up, cfdp.NoError)
	a.check(down, cfdp.NoError)
	if !bytes.Equal(b.read("up2"), pattern(40_000, 1)) || !bytes.Equal(a.read("down2"), pattern(70_000, 2)) {
		t.Error("a file differs")
	}
}

// A peer that never answers is given up, in the end, with the limit's name.
func TestSilence(t *testing.T) {
	a, b, l := pair(t, 1, func(c *cfdp.Config) { c.Timers.AckLimit = 3; c.Timers.NAKLimit = 3 })
	a.write("in", pattern(3000, 1))
	id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
	l.watch = func(to *node, _ []byte) bool { return to == b }
	l.run(1000, func() bool { return len(a.finished) == 1 })
	a.check(id, cfdp.AckLimitReached)

	a, b, l = pair(t, 1, func(c *cfdp.Config) { c.Timers.NAKLimit = 3 })
	a.write("in", pattern(3000, 1))
	id = a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
	n := 0
	l.watch = func(_ *node, pdu []byte) bool {
		_, p := body(t, pdu)
		if isA[*cfdp.FileData](p) {
			n++
			return n != 2 && n < 5
		}
		return true
	}
	l.run(1000, l.quiet)
	a.check(id, cfdp.NAKLimitReached)
	b.check(id, cfdp.NAKLimitReached)
}

func TestPrompts(t *testing.T) {
	a, b, l := pair(t, 1, nil)
	a.write("in", pattern(3000, 1))
	id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
	for range 2 { // metadata and the first data
		pdu, _ := a.e.Next(l.now)
		if err := b.e.Receive(l.now, pdu); err != nil {
			t.Fatal(err)
		}
	}
	h := cfdp.Header{EntityLength: 2, SequenceLength: 4, Source: ground, Sequence: id.Sequence, Destination: craft}
	for _, keepAlive := range []bool{false, true} {
		pdu, err := cfdp.Append(nil, h, &cfdp.Prompt{KeepAlive: keepAlive})
		if err != nil {
			t.Fatal(err)
		}
		if err := b.e.Receive(l.now, pdu); err != nil {
			t.Fatal(err)
		}
		pdu, ok := b.e.Next(l.now)
		if !ok {
			t.Fatal("no answer")
		}
		_, p := body(t, pdu)
		if k, ok := p.(*cfdp.KeepAlive); ok != keepAlive || ok && k.Progress != 884 {
			t.Errorf("answer to a prompt: %+v", p)
		}
		if n, ok := p.(*cfdp.NAK); ok == keepAlive || ok && len(n.Segments) != 0 {
			t.Errorf("answer to a prompt: %+v", p)
		}
	}
}

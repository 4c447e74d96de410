package cfdp_test

import (
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/cfdp"
)

// next expects a PDU of a kind without any time passing.
func next[T cfdp.Body](t *testing.T, n *node, now time.Time) T {
	t.Helper()
	pdu, ok := n.e.Next(now)
	if !ok {
		t.Fatalf("entity %d is silent", n.cfg.Local)
	}
	_, b := body(t, pdu)
	k, ok := b.(T)
	if !ok {
		t.Fatalf("entity %d sends %+v", n.cfg.Local, b)
	}
	return k
}

// halfway has sent all of a file, of which the data PDUs numbered in lost did
// not arrive, and everything that was said after that.
func halfway(t *testing.T, lost ...int) (a, b *node, l *link, id cfdp.TransactionID) {
	t.Helper()
	a, b, l = pair(t, 1, func(c *cfdp.Config) { c.NAK = cfdp.NAKDeferred })
	a.write("in", pattern(5000, 1))
	id = a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
	n := 0
	for pdu, ok := a.e.Next(l.now); ok; pdu, ok = a.e.Next(l.now) {
		drop := false
		if _, p := body(t, pdu); isA[*cfdp.FileData](p) {
			n++
			for _, k := range lost {
				drop = drop || k == n
			}
		}
		if drop {
			continue
		}
		if err := b.e.Receive(l.now, pdu); err != nil {
			t.Fatal(err)
		}
	}
	for _, ok := b.e.Next(l.now); ok; _, ok = b.e.Next(l.now) {
	}
	return a, b, l, id
}

// When the signal is back, both sides speak at once, whatever the timers say.
func TestThawSpeaks(t *testing.T) {
	a, b, l, _ := halfway(t, 2)
	for _, n := range []*node{a, b} {
		n.e.Freeze(true)
		if pdu, ok := n.e.Next(l.now); ok {
			t.Errorf("frozen, entity %d sends %x", n.cfg.Local, pdu)
		}
		n.e.Freeze(false)
	}
	next[*cfdp.EOF](t, a, l.now)
	if k := next[*cfdp.NAK](t, b, l.now); len(k.Segments) != 1 || k.Segments[0] != (cfdp.Segment{Start: 884, End: 1768}) {
		t.Errorf("NAK %+v", k)
	}
	_, b, l, _ = halfway(t)
	b.e.Freeze(true)
	b.e.Freeze(false)
	next[*cfdp.Finished](t, b, l.now)
}

func TestResumeSpeaks(t *testing.T) {
	a, b, l, id := halfway(t, 2)
	for _, n := range []*node{a, b} {
		if err := n.e.Suspend(id); err != nil {
			t.Fatal(err)
		}
		if pdu, ok := n.e.Next(l.now); ok {
			t.Errorf("suspended, entity %d sends %x", n.cfg.Local, pdu)
		}
		if err := n.e.Resume(id); err != nil {
			t.Fatal(err)
		}
	}
	next[*cfdp.EOF](t, a, l.now)
	next[*cfdp.NAK](t, b, l.now)
}

// An EOF that comes while the receiver is suspended is acknowledged and counts; the
// file is complete, and said to be, when it is resumed (§4.11.2.7 d).
func TestEOFWhileSuspended(t *testing.T) {
	a, b, l := pair(t, 1, nil)
	a.write("in", pattern(500, 1))
	id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
	for i := range 3 { // metadata, data, EOF
		pdu, _ := a.e.Next(l.now)
		if err := b.e.Receive(l.now, pdu); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if err := b.e.Suspend(id); err != nil {
				t.Fatal(err)
			}
		}
	}
	next[*cfdp.ACK](t, b, l.now)
	if pdu, ok := b.e.Next(l.now); ok {
		t.Errorf("suspended, the receiver sends %x", pdu)
	}
	if err := b.e.Resume(id); err != nil {
		t.Fatal(err)
	}
	next[*cfdp.Finished](t, b, l.now)
	b.check(id, cfdp.NoError)
}

// Timers count contact time: neither the time without signal nor a jump of the
// clock lets one run out early.
func TestTimersCountContactTime(t *testing.T) {
	a, b, l, _ := halfway(t, 2)
	wait := func(d time.Duration) bool { // whether a speaks within d
		for range int(d / time.Second) {
			l.now = l.now.Add(time.Second)
			a.e.Tick(l.now)
			if _, ok := a.e.Next(l.now); ok {
				return true
			}
		}
		return false
	}
	if wait(14 * time.Second) {
		t.Fatal("EOF was repeated early")
	}
	a.e.Freeze(true)
	l.now = l.now.Add(5 * time.Hour)
	a.e.Tick(l.now)
	l.now = l.now.Add(5 * time.Hour)
	if !a.e.NextTimer().IsZero() {
		t.Error("a timer runs without signal")
	}
	a.e.Freeze(false)
	next[*cfdp.EOF](t, a, l.now) // the thaw's own, which starts the timer anew
	if wait(14 * time.Second) {
		t.Error("the time without signal was counted")
	}
	l.now = l.now.AddDate(-50, 0, 0)
	if wait(time.Second) {
		t.Error("a clock that is set back lets a timer run out")
	}
	if !wait(3 * time.Second) {
		t.Error("EOF is not repeated")
	}

	// Years at once are no silence of years.
	l.now = l.now.AddDate(80, 0, 0)
	b.e.Tick(l.now)
	if len(b.finished) > 0 {
		t.Errorf("a clock that is set ends %+v", b.finished)
	}
	next[*cfdp.NAK](t, b, l.now)
}

// What is on its way is not asked for again, though the way takes longer than
// sending half of the file.
func TestFewAreSentTwice(t *testing.T) {
	for _, deferred := range []bool{false, true} {
		again, lost := 0, 0
		for seed := range uint64(5) {
			a, b, l := pair(t, seed, func(c *cfdp.Config) { c.NAK = nakMode(deferred) })
			l.loss, l.delay = 0.12, 250*time.Millisecond
			a.write("in", pattern(1_000_000, 1))
			id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
			l.run(100_000, l.quiet)
			b.check(id, cfdp.NoError)
			again += a.check(id, cfdp.NoError).Retransmitted
			lost += 1132 * 12 / 88 // each of 1132 is lost 0.12 + 0.12² + … times
		}
		if again > lost*3/2 {
			t.Errorf("deferred %v: %d PDUs were sent again for about %d that were lost", deferred, again, lost)
		}
	}
}

package cfdp_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/cfdp"
)

// A transaction that is cancelled while it is suspended ends on both sides, also when the
// first PDU that says so is lost, or the answer to it: 727.0-B-5 §4.11.2.2.2 a) and
// §4.11.2.3.2 b) have positive acknowledgement for both.
func TestCancelWhileSuspended(t *testing.T) {
	for _, side := range []string{"sender", "receiver"} {
		for _, lost := range []string{"nothing", "word", "answer"} {
			t.Run(side+" loses "+lost, func(t *testing.T) {
				a, b, l := pair(t, 1, nil)
				a.write("in", pattern(50_000, 1))
				id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
				for range 40 {
					l.step()
				}
				n := a
				if side == "receiver" {
					n = b
				}
				if err := n.e.Suspend(id); err != nil {
					t.Fatal(err)
				}
				for range 10 {
					l.step()
				}
				switch {
				case lost == "word" && side == "sender":
					dropFirst[*cfdp.EOF](l)
				case lost == "word":
					dropFirst[*cfdp.Finished](l)
				case lost == "answer":
					dropFirst[*cfdp.ACK](l)
				}
				if err := n.e.Cancel(id); err != nil {
					t.Fatal(err)
				}
				l.run(3000, l.quiet)
				a.check(id, cfdp.CancelReceived)
				b.check(id, cfdp.CancelReceived)
				b.noParts(t)
			})
		}
	}
}

// A suspended receiver keeps its Finished (complete) PDU to itself, §4.11.2.7 d), until it
// is resumed; then both sides end, whichever PDU is lost.
func TestFinishedWaitsForResume(t *testing.T) {
	for _, lost := range []string{"nothing", "Finished", "ACK"} {
		a, b, l := pair(t, 1, nil)
		data := pattern(5000, 1)
		a.write("in", data)
		id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
		l.step()
		for len(b.e.Transactions()) == 0 {
			l.step()
		}
		if err := b.e.Suspend(id); err != nil {
			t.Fatal(err)
		}
		early := 0
		l.watch = func(_ *node, pdu []byte) bool {
			if _, p := body(t, pdu); isA[*cfdp.Finished](p) {
				early++
			}
			return true
		}
		l.slow = true
		for range 300 {
			l.step()
		}
		if early > 0 {
			t.Errorf("%d Finished PDUs of a suspended receiver", early)
		}
		l.slow, l.watch = false, nil
		switch lost {
		case "Finished":
			dropFirst[*cfdp.Finished](l)
		case "ACK":
			dropFirst[*cfdp.ACK](l)
		}
		if err := b.e.Resume(id); err != nil {
			t.Fatal(err)
		}
		l.run(3000, l.quiet)
		a.check(id, cfdp.NoError)
		b.check(id, cfdp.NoError)
		if !bytes.Equal(b.read("out"), data) {
			t.Error("file differs")
		}
	}
}

// A sender that gives up because EOF is not acknowledged says so by EOF (cancel),
// §4.7.2 and §4.11.2.2.1 b), and the receiver that could not answer ends too.
func TestAckLimitIsTold(t *testing.T) {
	a, b, l := pair(t, 1, func(c *cfdp.Config) { c.Timers.AckLimit = 3 })
	a.write("in", pattern(3000, 1))
	id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
	data := 0
	l.watch = func(to *node, pdu []byte) bool { // one way only, and not all of the file
		if _, p := body(t, pdu); isA[*cfdp.FileData](p) {
			data++
			return data != 2
		}
		return to == b
	}
	l.run(1000, func() bool { return len(a.finished) == 1 && len(b.finished) == 1 })
	a.check(id, cfdp.AckLimitReached)
	b.check(id, cfdp.AckLimitReached)
	l.run(1000, l.quiet)
	b.noParts(t)
}

// In class 1 a Finished PDU ends the transaction and is not acknowledged, §4.6.3.2.3.
func TestClosureIsNotAcknowledged(t *testing.T) {
	a, b, l := pair(t, 1, nil)
	a.write("in", pattern(3000, 1))
	id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out", Class: 1, Closure: true})
	l.dup = 1 // the second Finished finds the transaction over
	acks := 0
	l.watch = func(_ *node, pdu []byte) bool {
		if _, p := body(t, pdu); isA[*cfdp.ACK](p) {
			acks++
		}
		return true
	}
	l.run(1000, func() bool { return l.quiet() && len(l.flight) == 0 })
	for range 10 {
		l.step()
	}
	a.check(id, cfdp.NoError)
	b.check(id, cfdp.NoError)
	if acks > 0 {
		t.Errorf("%d acknowledgements in class 1", acks)
	}
}

// A peer that acknowledges EOF again and again, but says that it knows nothing of the
// transaction or is through with it, is given up.
func TestAcknowledgedForEver(t *testing.T) {
	for _, status := range []cfdp.Status{cfdp.StatusTerminated, cfdp.StatusUnrecognized} {
		a, _, l := pair(t, 1, func(c *cfdp.Config) { c.Timers.AckLimit = 5 })
		a.write("in", pattern(3000, 1))
		id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
		l.watch = func(_ *node, pdu []byte) bool {
			h, p := body(t, pdu)
			eof, is := p.(*cfdp.EOF)
			if !is {
				return false
			}
			h.TowardSender = true
			ack, err := cfdp.Append(nil, h, &cfdp.ACK{Of: cfdp.DirectiveEOF, Condition: eof.Condition, Status: status})
			if err != nil {
				t.Fatal(err)
			}
			if err := a.e.Receive(l.now, ack); err != nil {
				t.Fatal(err)
			}
			return false
		}
		l.run(1000, func() bool { return len(a.finished) == 1 })
		a.check(id, cfdp.AckLimitReached)
	}
}

// Nobody can have all of a file that was not all sent.
func TestFinishedTooEarly(t *testing.T) {
	a, b, l := pair(t, 1, nil)
	data := pattern(50_000, 1)
	a.write("in", data)
	id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
	for range 10 {
		l.step()
	}
	pdu, err := cfdp.Append(nil, cfdp.Header{EntityLength: 2, SequenceLength: 4, Source: ground, Sequence: id.Sequence, Destination: craft, TowardSender: true},
		&cfdp.Finished{Status: cfdp.FileRetained})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.e.Receive(l.now, pdu); err == nil {
		t.Error("it is taken")
	}
	l.run(3000, l.quiet)
	a.check(id, cfdp.NoError)
	if !bytes.Equal(b.read("out"), data) {
		t.Error("file differs")
	}
}

// A receiver need not acknowledge an EOF after its Finished. The first time it is asked for by
// another EOF; what comes again then is believed.
func TestFinishedWithoutACK(t *testing.T) {
	a, _, l := pair(t, 1, nil)
	a.write("in", pattern(1000, 1))
	id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
	pdu, err := cfdp.Append(nil, cfdp.Header{EntityLength: 2, SequenceLength: 4, Source: ground, Sequence: id.Sequence, Destination: craft, TowardSender: true},
		&cfdp.Finished{Status: cfdp.FileRetained})
	if err != nil {
		t.Fatal(err)
	}
	radiate := func() (n int) { // into the void
		for _, ok := a.e.Next(l.now); ok; _, ok = a.e.Next(l.now) {
			n++
		}
		return n
	}
	radiate()
	for range 2 { // twice before there is another EOF: the same as once
		if err := a.e.Receive(l.now, pdu); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(a.e.Transactions()); n != 1 {
		t.Fatalf("%d transactions before EOF was sent again", n)
	}
	if n := radiate(); n != 1 {
		t.Errorf("%d PDUs, want another EOF", n)
	}
	if err := a.e.Receive(l.now, pdu); err != nil {
		t.Fatal(err)
	}
	radiate()
	a.check(id, cfdp.NoError)
}

// Without records, numbers begin at the time of day, whatever the year.
func TestNumbersByTheTimeOfDay(t *testing.T) {
	seen := map[cfdp.TransactionID]int{}
	for _, year := range []int{1970, 2026, 2038, 2040, 2041, 2105} {
		a, _, l := pair(t, 1, nil)
		a.write("in", nil)
		l.now = time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)
		id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
		if before, again := seen[id]; again {
			t.Errorf("%v in %d and in %d", id, before, year)
		}
		seen[id] = year
	}
}

// The same before the first file has arrived: what there is of it is thrown away.
func TestNumberUsedAgainMeanwhile(t *testing.T) {
	for _, steps := range []int{5, 20, 64, 66, 70, 90} { // in the midst of it, and while both say that it is over
		a, b, l := pair(t, 1, nil)
		begin := l.now
		a.write("in", pattern(50_000, 1))
		first := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out", Unbounded: true})
		for range steps {
			l.step()
		}
		a.restart() // without a Saver
		a.write("in2", pattern(500, 2))
		now := l.now
		l.now = begin
		again := a.put(l, cfdp.Put{Dest: craft, Source: "in2", DestName: "out2", Unbounded: true})
		if l.now = now; again != first {
			t.Fatalf("numbers %v and %v: the test tries nothing", first, again)
		}
		l.run(3000, func() bool { return l.quiet() && len(l.flight) == 0 })
		a.check(again, cfdp.NoError)
		if !bytes.Equal(b.read("out2"), pattern(500, 2)) {
			t.Errorf("after %d steps: the second file differs", steps)
		}
		if b.exists("out") && !bytes.Equal(b.read("out"), pattern(50_000, 1)) {
			t.Errorf("after %d steps: the first file is there and differs", steps)
		}
		b.noParts(t)
	}
}

// A sender that has lost its records and numbers its transactions from the beginning again
// gets no old answer for a new file.
func TestNumberUsedAgain(t *testing.T) {
	for what, second := range map[string]cfdp.Put{
		"another content": {Dest: craft, Source: "in", DestName: "out"},
		"another size":    {Dest: craft, Source: "longer", DestName: "out"},
		"another name":    {Dest: craft, Source: "in", DestName: "out2"},
		"unacknowledged":  {Dest: craft, Source: "in", DestName: "out2", Class: 1},
	} {
		t.Run(what, func(t *testing.T) {
			a, b, l := pair(t, 1, nil)
			begin := l.now
			a.write("in", pattern(5000, 1))
			first := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
			l.run(3000, l.quiet)
			b.check(first, cfdp.NoError)

			a.restart() // without a Saver
			a.write("in", pattern(5000, 2))
			a.write("longer", pattern(6000, 3))
			l.now = begin
			again := a.put(l, second)
			if again != first {
				t.Fatalf("numbers %v and %v: the test tries nothing", first, again)
			}
			clear(b.finished)
			l.run(3000, func() bool { return l.quiet() && len(l.flight) == 0 })
			a.check(again, cfdp.NoError)
			b.check(again, cfdp.NoError)
			if !bytes.Equal(b.read(second.DestName), a.read(second.Source)) {
				t.Error("the second file is not there")
			}
		})
	}
}

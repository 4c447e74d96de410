package cfdp_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/cfdp"
)

// Loss of signal and a restart of each side in one transfer: what is sent again is at
// most a tenth of the file and one window, the octets that fit the link's round trip.
// Beyond that, of what noise destroys no more than its like again.
func TestResentIsBounded(t *testing.T) {
	const size = 2_000_000
	for _, loss := range []float64{0, 0.05} {
		for seed := range uint64(8) {
			a := newNode(t, ground, func(c *cfdp.Config) { c.Saver = memSaver{} })
			b := newNode(t, craft, func(c *cfdp.Config) { c.Saver = memSaver{} })
			l := newLink(t, a, b, seed)
			l.loss = loss
			data := pattern(size, seed)
			a.write("in", data)
			id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
			sent := uint64(0)
			l.sending = func(to *node, pdu []byte) {
				if _, p := body(t, pdu); to == b && isA[*cfdp.FileData](p) {
					sent += uint64(len(p.(*cfdp.FileData).Data))
				}
			}
			steps := func(n int) {
				for range n {
					l.step()
				}
			}
			steps(400 + int(seed)*60)
			// The signal is gone; both hear of it late, and send into the void.
			l.frozen, l.flight = true, nil
			steps(20)
			a.e.Freeze(true)
			b.e.Freeze(true)
			l.now = l.now.Add(time.Hour)
			l.frozen = false
			a.e.Freeze(false)
			b.e.Freeze(false)
			steps(300)
			b.restart()
			steps(300)
			a.restart()
			l.run(100_000, l.quiet)
			b.check(id, cfdp.NoError)
			if !bytes.Equal(b.read("out"), data) {
				t.Fatal("file differs")
			}
			window := uint64(2 * l.delay / time.Millisecond * 884)
			lost := uint64(float64(sent) * loss * 1.3)
			if again := sent - size; again > size/10+window+lost {
				t.Errorf("loss %v, seed %d: %d octets were sent again, at most %d", loss, seed, again, size/10+window+lost)
			} else if testing.Verbose() {
				t.Logf("loss %v, seed %d: %d octets of %d again, %d allowed", loss, seed, again, size, size/10+window+lost)
			}
		}
	}
}

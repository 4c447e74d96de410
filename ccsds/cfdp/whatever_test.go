package cfdp_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds/cfdp"
)

// Whatever is done to transfers on a bad link, and whoever restarts with or without its records:
// when it is over, all of them end on both sides, nobody is told of a file that is not there, and
// nothing half stays on disk.
func TestWhateverHappens(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		saver := func(c *cfdp.Config) {
			c.MaxPDU, c.Timers.AckLimit, c.Timers.NAKLimit = 256, 20, 20
			if rapid.Bool().Draw(rt, "saver") {
				c.Saver = memSaver{}
			}
		}
		nodes := []*node{newNode(t, ground, saver), newNode(t, craft, saver)}
		a, b := nodes[0], nodes[1]
		rt.Cleanup(a.close)
		rt.Cleanup(b.close)
		l := newLink(t, a, b, rapid.Uint64().Draw(rt, "seed"))
		l.loss, l.dup, l.reorder = 0.15, 0.05, 0.1
		files := map[string][]byte{}
		check := func() {
			for _, n := range nodes {
				for _, i := range n.finished {
					// In class 1 a sender knows nothing, or may have the answer to a forgotten transaction.
					if i.Condition != cfdp.NoError || i.Source && i.Class == 1 {
						continue
					}
					if got, err := os.ReadFile(filepath.Join(b.dir, i.DestName)); err != nil || !bytes.Equal(got, files[i.DestName]) {
						rt.Fatalf("entity %d was told that %s is there: %+v, %v", n.cfg.Local, i.DestName, i, err)
					}
				}
			}
		}
		all := func(do func(*node, cfdp.TransactionID)) {
			for _, n := range nodes {
				for _, i := range n.e.Transactions() {
					do(n, i.ID)
				}
			}
		}
		for range rapid.IntRange(1, 25).Draw(rt, "doings") {
			for range rapid.IntRange(0, 40).Draw(rt, "steps") {
				l.step()
			}
			n := nodes[rapid.IntRange(0, 1).Draw(rt, "who")]
			switch what := rapid.IntRange(0, 9).Draw(rt, "what"); what {
			case 0, 1, 2, 3:
				name := fmt.Sprintf("f%d", len(files))
				data := pattern(rapid.IntRange(0, 8000).Draw(rt, "size"), uint64(len(files)))
				files[name] = data
				a.write(name, data)
				a.put(l, cfdp.Put{Dest: craft, Source: name, DestName: name, Class: 1 + min(what, 1),
					Closure: rapid.Bool().Draw(rt, "closure"), Unbounded: rapid.Bool().Draw(rt, "unbounded"),
					Checksum: rapid.SampledFrom([]cfdp.ChecksumType{0, 1, 2, 3}).Draw(rt, "checksum")})
			case 4, 5, 6:
				do := []func(*cfdp.Entity, cfdp.TransactionID) error{(*cfdp.Entity).Suspend, (*cfdp.Entity).Resume, (*cfdp.Entity).Cancel}[what-4]
				if open := n.e.Transactions(); len(open) > 0 {
					_ = do(n.e, open[rapid.IntRange(0, len(open)-1).Draw(rt, "which")].ID) // class 1 may refuse
				}
			case 7:
				check()
				n.restart()
				if n.cfg.Saver == nil { // it numbers by the time of day
					l.now = l.now.Add(time.Minute)
				}
			default:
				l.frozen = !l.frozen
				if l.frozen {
					l.flight = nil
				}
				n.e.Freeze(l.frozen)
				if !l.frozen || rapid.Bool().Draw(rt, "both") {
					a.e.Freeze(l.frozen)
					b.e.Freeze(l.frozen)
				}
			}
		}
		l.frozen, l.loss = false, 0
		for _, n := range nodes {
			n.e.Freeze(false)
		}
		all(func(n *node, id cfdp.TransactionID) { _ = n.e.Resume(id) })
		for range 200_000 {
			if l.quiet() && len(l.flight) == 0 {
				break
			}
			l.step()
		}
		if !l.quiet() {
			rt.Fatalf("for ever: a %+v, b %+v", a.e.Transactions(), b.e.Transactions())
		}
		for _, n := range nodes {
			if at := n.e.NextTimer(); !at.IsZero() {
				rt.Fatalf("entity %d has a timer in %v", n.cfg.Local, at.Sub(l.now).Round(time.Second))
			}
			if s, ok := n.cfg.Saver.(memSaver); ok {
				for key := range s {
					if key != "sequence" && key != "closed" {
						rt.Fatalf("entity %d keeps record %s", n.cfg.Local, key)
					}
				}
			}
		}
		check()
		b.noParts(t)
	})
}

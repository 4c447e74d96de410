//go:build interop

package interop

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/cfdp"
)

const ground, craft = 1, 2

// pipe loses, doubles and reorders what goes through it, and loses all of it
// while it is dark.
type pipe struct {
	rng           *rand.Rand
	loss, double  float64
	depth         int // how many may overtake
	dark          bool
	queue         [][]byte
	lost, doubled int
	overtaken     int
}

func (p *pipe) push(b []byte) {
	if p.dark || p.rng.Float64() < p.loss {
		p.lost++
		return
	}
	p.queue = append(p.queue, bytes.Clone(b))
	if p.rng.Float64() < p.double {
		p.doubled++
		p.queue = append(p.queue, bytes.Clone(b))
	}
}

// pop returns what comes out next, one of the first depth+1, or nil.
func (p *pipe) pop() []byte {
	if len(p.queue) == 0 {
		return nil
	}
	i := p.rng.IntN(min(p.depth+1, len(p.queue)))
	if i > 0 {
		p.overtaken++
	}
	b := p.queue[i]
	p.queue = append(p.queue[:i], p.queue[i+1:]...)
	return b
}

// node is our entity with a directory, and what it finished.
type node struct {
	e        *cfdp.Entity
	dir      string
	finished []cfdp.Info
}

func newNode(t *testing.T, local uint64, edit func(*cfdp.Config)) *node {
	t.Helper()
	n := &node{dir: t.TempDir()}
	store, err := cfdp.DirStore(n.dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	cfg := cfdp.Config{Local: local, MaxPDU: 512, Store: store}
	cfg.Timers.Ack, cfg.Timers.NAK = 200*time.Millisecond, 200*time.Millisecond
	if edit != nil {
		edit(&cfg)
	}
	n.e, err = cfdp.New(cfg, cfdp.Events{Finished: func(i cfdp.Info) { n.finished = append(n.finished, i) }})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// path is what happens to the PDUs in one test, the same both ways.
type path struct {
	name         string
	loss, double float64
	depth        int
	los          bool
	crc          bool
}

var paths = []path{
	{name: "clean"},
	{name: "loss", loss: 0.1},
	{name: "duplication", double: 0.2, crc: true},
	{name: "reordering", depth: 6},
	{name: "los", los: true},
	{name: "all", loss: 0.1, double: 0.1, depth: 4, los: true, crc: true},
}

// exchange carries PDUs between our entity and cfdp-py until both are done, and
// returns how the peer ended.
func exchange(t *testing.T, p *peer, n *node, l path, first [][]string) (up, down *pipe, conditions []string) {
	t.Helper()
	up = &pipe{rng: rand.New(rand.NewPCG(727, 1)), loss: l.loss, double: l.double, depth: l.depth}
	down = &pipe{rng: rand.New(rand.NewPCG(727, 2)), loss: l.loss, double: l.double, depth: l.depth}
	take := func(lines [][]string) {
		for _, line := range lines {
			switch line[0] {
			case "pdu":
				down.push(unhex(t, line[1]))
			case "finished":
				conditions = append(conditions, line[1])
			}
		}
	}
	take(first)
	begin, darkAt, passed := time.Now(), time.Time{}, 0
	for len(n.finished) == 0 || len(conditions) == 0 {
		now := time.Now()
		if now.Sub(begin) > patience {
			t.Fatalf("not done: ours %+v, theirs %v", n.e.Transactions(), conditions)
		}
		// Signal is lost for a second and a half in the middle of the file, and our
		// entity hears of it late.
		if l.los && darkAt.IsZero() && passed >= 50 {
			darkAt = now
		}
		since := now.Sub(darkAt)
		dark := !darkAt.IsZero() && since < 1500*time.Millisecond
		up.dark, down.dark = dark, dark
		n.e.Freeze(dark && since > 5*time.Millisecond)
		n.e.Tick(now)
		sent := 0
		for ; sent <= l.depth; sent++ {
			pdu, ok := n.e.Next(now)
			if !ok {
				break
			}
			up.push(pdu)
		}
		idle, waiting := sent == 0 && len(up.queue) == 0, len(down.queue)
		if b := up.pop(); b != nil {
			passed++
			take(p.ask("pdu", hex.EncodeToString(b)))
		} else {
			time.Sleep(2 * time.Millisecond)
			take(p.ask("poll"))
		}
		idle = idle && len(down.queue) == waiting
		for len(down.queue) > l.depth || idle && len(down.queue) > 0 {
			b := down.pop()
			passed++
			if err := n.e.Receive(now, b); err != nil {
				t.Errorf("receive %x: %v", b, err)
			}
		}
	}
	return up, down, conditions
}

// TestCFDPUp sends a file of ours to cfdp-py, acknowledged.
func TestCFDPUp(t *testing.T) {
	for _, l := range paths {
		t.Run(l.name, func(t *testing.T) {
			p := startPeer(t, "../golden/cfdp_peer.py", fmt.Sprint(craft), fmt.Sprint(ground), flag(l.crc))
			n := newNode(t, ground, func(c *cfdp.Config) { c.CRC = l.crc })
			data := octets(rand.New(rand.NewPCG(1, 5)), 60_001)
			if err := os.WriteFile(filepath.Join(n.dir, "in"), data, 0o644); err != nil {
				t.Fatal(err)
			}
			out := filepath.Join(t.TempDir(), "out")
			if _, err := n.e.Put(time.Now(), cfdp.Put{Dest: craft, Source: "in", DestName: out, Class: 2, Checksum: cfdp.ChecksumCRC32}); err != nil {
				t.Fatal(err)
			}
			up, down, conditions := exchange(t, p, n, l, nil)
			checkLink(t, l, up, down)
			got, err := os.ReadFile(out)
			if err != nil || !bytes.Equal(got, data) || conditions[0] != "NO_ERROR" || n.finished[0].Condition != cfdp.NoError {
				t.Errorf("%v, equal %t, ours %+v, theirs %v", err, bytes.Equal(got, data), n.finished, conditions)
			}
			t.Logf("lost %d+%d, doubled %d+%d, overtaken %d+%d, NAKs %d, retransmitted %d", up.lost, down.lost, up.doubled,
				down.doubled, up.overtaken, down.overtaken, n.finished[0].NAKs, n.finished[0].Retransmitted)
		})
	}
}

// TestCFDPDown takes a file from cfdp-py, acknowledged.
func TestCFDPDown(t *testing.T) {
	for _, l := range paths {
		t.Run(l.name, func(t *testing.T) {
			p := startPeer(t, "../golden/cfdp_peer.py", fmt.Sprint(craft), fmt.Sprint(ground), flag(l.crc))
			n := newNode(t, ground, func(c *cfdp.Config) { c.CRC = l.crc })
			data := octets(rand.New(rand.NewPCG(1, 6)), 60_001)
			in := filepath.Join(t.TempDir(), "in")
			if err := os.WriteFile(in, data, 0o644); err != nil {
				t.Fatal(err)
			}
			up, down, conditions := exchange(t, p, n, l, p.ask("put", in, "out"))
			checkLink(t, l, up, down)
			got, err := os.ReadFile(filepath.Join(n.dir, "out"))
			if err != nil || !bytes.Equal(got, data) || conditions[0] != "NO_ERROR" || n.finished[0].Condition != cfdp.NoError {
				t.Errorf("%v, equal %t, ours %+v, theirs %v", err, bytes.Equal(got, data), n.finished, conditions)
			}
			t.Logf("lost %d+%d, doubled %d+%d, overtaken %d+%d, NAKs %d", up.lost, down.lost, up.doubled,
				down.doubled, up.overtaken, down.overtaken, n.finished[0].NAKs)
		})
	}
}

// TestCFDPUnacknowledged sends a file of ours in class 1.
func TestCFDPUnacknowledged(t *testing.T) {
	p := startPeer(t, "../golden/cfdp_peer.py", fmt.Sprint(craft), fmt.Sprint(ground), "0")
	n := newNode(t, ground, nil)
	data := octets(rand.New(rand.NewPCG(1, 7)), 60_001)
	if err := os.WriteFile(filepath.Join(n.dir, "in"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out")
	if _, err := n.e.Put(time.Now(), cfdp.Put{Dest: craft, Source: "in", DestName: out, Class: 1, Checksum: cfdp.ChecksumCRC32}); err != nil {
		t.Fatal(err)
	}
	_, _, conditions := exchange(t, p, n, path{}, nil)
	if got, err := os.ReadFile(out); err != nil || !bytes.Equal(got, data) || conditions[0] != "NO_ERROR" {
		t.Errorf("%v, equal %t, theirs %v", err, bytes.Equal(got, data), conditions)
	}
}

func flag(on bool) string {
	if on {
		return "1"
	}
	return "0"
}

// checkLink says whether the link did to the PDUs what the test is about.
func checkLink(t *testing.T, l path, up, down *pipe) {
	t.Helper()
	if (l.loss > 0 || l.los) && up.lost+down.lost == 0 || l.double > 0 && up.doubled+down.doubled == 0 ||
		l.depth > 0 && up.overtaken+down.overtaken < 20 {
		t.Errorf("the link was too good: %+v", l)
	}
}

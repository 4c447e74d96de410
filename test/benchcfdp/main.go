// Command benchcfdp measures CFDP class 2 over a link that loses frames: what part of
// the octets that the link can carry arrives as file, and whether many transfers at
// once come to their end. Time is simulated, so that every run gives the same.
//
//	go run ./test/benchcfdp
//
// The way down is that of the default craft: TM frames of 1115 octets on a coded channel
// of 512 kbit/s, 120 ms away; flight makes packets with file data as long as a frame has
// room. The way back has frames at a quarter of the rate and loses as many. What the link
// can carry is the room for packets in the frames that were not lost.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/ccsds/link"
)

const (
	forward = 1279 * 8 * time.Second / 512_000 // a frame with its code and marker
	back    = 4 * forward
	delay   = 120 * time.Millisecond
)

// room is the default craft's, in octets of packets a frame.
var room = link.Profile{}.DownRoom(vc)

func main() {
	ok := true
	for _, b := range []bench{
		{name: "cfdp.goodput.5pct.1x16MiB", files: 1, size: 16 << 20, loss: 0.05, pdu: fitted, goal: 0.95},
		{name: "cfdp.goodput.5pct.64x256KiB", files: 64, size: 256 << 10, loss: 0.05, pdu: fitted},
		{name: "cfdp.goodput.5pct.split.1x16MiB", files: 1, size: 16 << 20, loss: 0.05, pdu: 900, split: true},
		{name: "cfdp.goodput.0pct.1x16MiB", files: 1, size: 16 << 20, pdu: fitted, goal: 0.95},
	} {
		r, err := b.run()
		if err != nil {
			fmt.Fprintf(os.Stderr, "benchcfdp: %s: %v\n", b.name, err)
			os.Exit(1)
		}
		ok = b.print(r) && ok
	}
	if !ok {
		os.Exit(1)
	}
}

// fitted makes a packet as long as a frame's room.
var fitted = room - ccsds.PacketHeaderLength

type bench struct {
	name  string
	files int
	size  int // octets of each
	loss  float64
	pdu   int
	split bool    // packets run on from frame to frame
	goal  float64 // 0: none
}

// result is what a bench found out.
type result struct {
	took     time.Duration
	goodput  float64 // file octets over what the frames that were not lost had room for
	again    float64 // file octets sent again, over the files' size
	complete int
}

func (b bench) print(r result) bool {
	ok := r.complete == b.files
	goal, word := "-", "ok"
	if b.goal > 0 {
		goal = fmt.Sprint(b.goal)
		ok = ok && r.goodput >= b.goal
	}
	if !ok {
		word = "short"
	}
	fmt.Printf("BENCH %s %.4f ratio %s %s\n", b.name, r.goodput, goal, word)
	fmt.Printf("BENCH %s.again %.4f ratio - ok\n", b.name, r.again)
	fmt.Printf("BENCH %s.complete %d of_%d %d %s\n", b.name, r.complete, b.files, b.files, word)
	return ok
}

func (b bench) run() (result, error) {
	dir, err := os.MkdirTemp("", "benchcfdp-")
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(dir)
	r, err := b.in(dir)
	return r, err
}

func (b bench) in(dir string) (r result, err error) {
	craft, ground := filepath.Join(dir, "craft"), filepath.Join(dir, "ground")
	finished := 0
	from, err := b.entity(craft, 2, cfdp.Events{Finished: func(i cfdp.Info) {
		if finished++; i.Condition == cfdp.NoError {
			r.complete++
		}
	}})
	if err != nil {
		return r, err
	}
	to, err := b.entity(ground, 1, cfdp.Events{})
	if err != nil {
		return r, err
	}
	start := time.Unix(1_800_000_000, 0)
	rng := rand.New(rand.NewPCG(727, uint64(b.files)))
	for i := range b.files {
		name := fmt.Sprintf("f%02d", i)
		data := make([]byte, b.size)
		for k := range data {
			data[k] = byte(rng.Uint32())
		}
		if err := os.WriteFile(filepath.Join(craft, name), data, 0o644); err != nil {
			return r, err
		}
		if _, err := from.Put(start, cfdp.Put{Dest: 1, Source: name, DestName: name, Class: 2}); err != nil {
			return r, err
		}
	}
	p := link.Profile{}.WithDefaults()
	p.Shares = map[ccsds.VCID]link.Share{vc: {Weight: 1, Whole: !b.split}}
	down, err1 := newWay(p, from, to, way{every: forward, delay: delay, loss: b.loss, rng: rng})
	up, err2 := newWay(p, to, from, way{every: back, delay: delay, loss: b.loss, rng: rng})
	if err := errors.Join(err1, err2); err != nil {
		return r, err
	}
	if r.took, err = run(down, up, start, 24*time.Hour, func() bool { return finished == b.files }); err != nil {
		return r, err
	}
	total := float64(b.files * b.size)
	r.goodput = total / float64((down.frames-down.lost)*room)
	r.again = float64(down.data)/total - 1
	return r, b.same(craft, ground)
}

func (b bench) entity(dir string, id uint64, ev cfdp.Events) (*cfdp.Entity, error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	store, err := cfdp.DirStore(dir)
	if err != nil {
		return nil, err
	}
	return cfdp.New(cfdp.Config{Local: id, MaxPDU: b.pdu, Store: store}, ev)
}

// same compares what arrived with what was sent.
func (b bench) same(craft, ground string) error {
	for i := range b.files {
		name := fmt.Sprintf("f%02d", i)
		was, err1 := os.ReadFile(filepath.Join(craft, name))
		is, err2 := os.ReadFile(filepath.Join(ground, name))
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		if !bytes.Equal(was, is) {
			return fmt.Errorf("%s arrived changed", name)
		}
	}
	return nil
}

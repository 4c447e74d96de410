package cop1_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/cop1"
)

// world is a FOP and a FARM with a FIFO channel between them that loses and
// repeats frames, and a user that initialises again after an alert, as
// ccsds/link does, sending again what came back.
type world struct {
	t    *testing.T
	rng  *rand.Rand
	fop  *cop1.FOP
	farm cop1.FARM
	now  time.Time

	todo      []*cop1.FDU
	up        []flight
	down      []report
	delivered []int
	confirmed []int
	alerts    map[cop1.Alert]int
	again     int
	loss      float64
	last      *cop1.CLCW
}

type flight struct {
	at time.Time
	tx cop1.Transmission
}

type report struct {
	at time.Time
	c  cop1.CLCW
}

const oneWay = 250 * time.Millisecond

func newWorld(t *testing.T, seed uint64, n int, loss float64, vr uint8) *world {
	w := &world{t: t, rng: rand.New(rand.NewPCG(seed, 7)), now: start, loss: loss, alerts: map[cop1.Alert]int{}}
	var err error
	if w.farm, err = cop1.NewFARM(254, vr); err != nil {
		t.Fatal(err)
	}
	w.fop, err = cop1.NewFOP(0, cop1.Config{Window: 40, Limit: 50, T1First: 2 * time.Second}, w.notice)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		w.todo = append(w.todo, &cop1.FDU{Tag: i})
	}
	return w
}

func (w *world) notice(n cop1.Notice) {
	switch n.Kind {
	case cop1.Confirmed:
		w.confirmed = append(w.confirmed, n.FDU.Tag.(int))
	case cop1.Returned:
		w.todo = append([]*cop1.FDU{}, append(w.todo, n.FDU)...)
		sortByTag(w.todo)
	case cop1.Alerted:
		w.alerts[n.Alert]++
	case cop1.Retransmitted:
		w.again += n.Frames
	}
}

func sortByTag(q []*cop1.FDU) {
	for i := range q {
		for j := i; j > 0 && q[j].Tag.(int) < q[j-1].Tag.(int); j-- {
			q[j], q[j-1] = q[j-1], q[j]
		}
	}
}

// step advances 10 ms: one frame up at most, one CLCW down.
func (w *world) step() {
	w.now = w.now.Add(10 * time.Millisecond)
	if w.fop.Ready() && len(w.todo) > 0 {
		fdu := w.todo[0]
		w.todo = w.todo[1:]
		if err := w.fop.Send(fdu); err != nil {
			w.t.Fatal(err)
		}
	}
	if tx, ok := w.fop.Next(w.now); ok {
		for range 1 + w.chance(0.02) {
			if w.rng.Float64() >= w.loss {
				w.up = append(w.up, flight{w.now.Add(oneWay), tx})
			}
		}
	}
	for len(w.up) > 0 && !w.up[0].at.After(w.now) {
		w.arrive(w.up[0].tx)
		w.up = w.up[1:]
	}
	if w.rng.Float64() < 0.02 {
		w.farm.Release()
	}
	if w.rng.Float64() >= w.loss {
		w.down = append(w.down, report{w.now.Add(oneWay), w.farm.CLCW(0)})
	}
	for len(w.down) > 0 && !w.down[0].at.After(w.now) {
		c := w.down[0].c
		w.down, w.last = w.down[1:], &c
		w.fop.CLCW(c, w.now)
	}
	w.fop.Tick(w.now)
	if w.fop.State() == cop1.Initial && w.last != nil {
		w.initiate()
	}
}

func (w *world) chance(p float64) int {
	if w.rng.Float64() < p {
		return 1
	}
	return 0
}

func (w *world) initiate() {
	var err error
	if w.last.Lockout {
		_ = w.fop.SetVS(w.last.ReportValue)
		err = w.fop.InitiateUnlock()
	} else {
		err = w.fop.InitiateSetVR(w.last.ReportValue + 128)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.last = nil
}

func (w *world) arrive(tx cop1.Transmission) {
	if tx.Kind == cop1.BC {
		w.farm.Control(tx.FDU.Data)
		return
	}
	if w.farm.AD(tx.Seq, w.rng.Float64() >= 0.005) == cop1.Accepted {
		w.delivered = append(w.delivered, tx.FDU.Tag.(int))
	}
}

func (w *world) run(n int) {
	for i := 0; len(w.confirmed) < n; i++ {
		if i > 400*n+20000 {
			w.t.Fatalf("deadlock: %d of %d confirmed, FOP %v, FARM %v", len(w.confirmed), n, w.fop.State(), w.farm.State())
		}
		w.step()
	}
}

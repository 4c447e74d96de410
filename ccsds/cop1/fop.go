package cop1

import (
	"errors"
	"time"

	"github.com/perilune/perilune/ccsds"
)

// Errors of the directives and of Send.
var (
	// ErrRejected: the request does not fit the present state (table 5-1, "Reject").
	ErrRejected = errors.New("rejected by FOP-1 in this state")
	// ErrWindow: a window width outside what the book allows.
	ErrWindow = errors.New("window width out of range")
	// ErrLimit: a transmission limit below 1.
	ErrLimit = errors.New("transmission limit out of range")
)

// State is the state of FOP-1 (CCSDS 232.1-B-2 §5.1.2).
type State uint8

// The states of FOP-1.
const (
	Active                State = 1 // S1
	RetransmitWithoutWait State = 2 // S2
	RetransmitWithWait    State = 3 // S3
	InitialisingWithoutBC State = 4 // S4
	InitialisingWithBC    State = 5 // S5
	Initial               State = 6 // S6
)

var stateNames = [...]string{"", "active", "retransmit", "retransmit with wait", "initialising", "initialising with BC", "initial"}

// String names the state.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}

// Config holds the managed parameters of one FOP-1 (CCSDS 232.1-B-2 §5.1).
type Config struct {
	Window  int // K, 1..255; at most the FARM's positive window
	Limit   int // transmission limit, at least 1
	Suspend bool
	// T1First is T1 until a round trip has been measured; afterwards T1 is the
	// measured round trip with its variation, kept between T1Min and T1Max.
	T1First, T1Min, T1Max time.Duration
}

// sent is one entry of the Sent_Queue.
type sent struct {
	fdu    *FDU
	seq    uint8
	first  time.Time // handed over for the first time
	resend bool      // To_Be_Retransmitted flag
	again  bool      // was radiated more than once: no round trip from it
}

// FOP is FOP-1 for one virtual channel (CCSDS 232.1-B-2 §5).
type FOP struct {
	vc     ccsds.VCID
	cfg    Config
	notify func(Notice)

	state State
	ss    State // SS: state to resume to, 0 when not suspended
	vs    uint8 // V(S), next N(S)
	nnr   uint8 // NN(R), oldest unacknowledged N(S)
	wait  *FDU  // Wait_Queue
	sent  []sent
	bc    *FDU // the Type-BC frame of S5
	bcOut bool // it waits to be handed over
	bcRe  bool // and was handed over before
	bcAt  time.Time
	count int  // Transmission_Count
	init  bool // an initiate directive waits for its confirm

	timer timer
	held  bool
}

// NewFOP returns a FOP-1 in state Initial that reports through notify, which
// must not call back into the FOP.
func NewFOP(vc ccsds.VCID, cfg Config, notify func(Notice)) (*FOP, error) {
	if cfg.Window < 1 || cfg.Window > 255 {
		return nil, ErrWindow
	}
	if cfg.Limit < 1 {
		return nil, ErrLimit
	}
	if notify == nil {
		notify = func(Notice) {}
	}
	return &FOP{vc: vc, cfg: cfg, notify: notify, state: Initial, count: 1, timer: newTimer(cfg)}, nil
}

// State is the present state.
func (f *FOP) State() State { return f.state }

// SS is the state that Resume would go to, 0 when not suspended.
func (f *FOP) SS() State { return f.ss }

// VS is V(S), the sequence number of the next new frame.
func (f *FOP) VS() uint8 { return f.vs }

// NNR is NN(R), the sequence number of the oldest unacknowledged frame.
func (f *FOP) NNR() uint8 { return f.nnr }

// Outstanding is the number of frames sent and not yet acknowledged.
func (f *FOP) Outstanding() int { return len(f.sent) }

// Ready says whether Send would accept an FDU now.
func (f *FOP) Ready() bool {
	return f.wait == nil && (f.state == Active || f.state == RetransmitWithoutWait || f.state == RetransmitWithWait)
}

// Send places an FDU in the Wait_Queue, which holds one (E19, E20). It returns
// ErrRejected when the queue is taken or the AD service is not active.
func (f *FOP) Send(fdu *FDU) error {
	if !f.Ready() {
		return ErrRejected
	}
	f.wait = fdu
	return nil
}

// Next is the lower layer asking for the next frame to radiate at time now: the
// "look for directive" and "look for FDU" actions. ok is false when there is
// nothing to send.
func (f *FOP) Next(now time.Time) (t Transmission, ok bool) {
	if f.held {
		return Transmission{}, false
	}
	switch f.state {
	case InitialisingWithBC:
		if !f.bcOut {
			return Transmission{}, false
		}
		f.bcOut, f.bcAt = false, now
		f.timer.start(now)
		return Transmission{Kind: BC, FDU: f.bc, Again: f.bcRe}, true
	case Active, RetransmitWithoutWait:
		return f.lookForFDU(now)
	}
	return Transmission{}, false // S3 waits, S4 and S6 have nothing
}

// lookForFDU prefers frames marked for retransmission, then takes the waiting
// FDU if the window allows (CCSDS 232.1-B-2 §5.2.11).
func (f *FOP) lookForFDU(now time.Time) (Transmission, bool) {
	for i := range f.sent {
		s := &f.sent[i]
		if s.resend {
			s.resend, s.again = false, true
			f.timer.start(now)
			return Transmission{Kind: AD, Seq: s.seq, FDU: s.fdu, Again: true}, true
		}
	}
	if f.wait == nil || len(f.sent) >= f.cfg.Window {
		return Transmission{}, false
	}
	s := sent{fdu: f.wait, seq: f.vs, first: now}
	f.wait = nil
	f.vs++
	if len(f.sent) == 0 {
		f.count = 1
	}
	f.sent = append(f.sent, s)
	f.timer.start(now)
	return Transmission{Kind: AD, Seq: s.seq, FDU: s.fdu}, true
}

// Reject is the lower layer refusing the frame it was last given (E42, E44).
func (f *FOP) Reject() {
	if f.state != Initial {
		f.alert(AlertLLIF)
	}
}

// Tick runs the timer T1 (E16 to E18, E104).
func (f *FOP) Tick(now time.Time) {
	if f.held || !f.timer.expired(now) {
		return
	}
	f.timer.stop()
	f.timer.backOff()
	f.apply(f.timeoutEvent(), now)
}

// Deadline is when T1 runs out; the zero time when it does not run.
func (f *FOP) Deadline() time.Time {
	if f.held {
		return time.Time{}
	}
	return f.timer.deadline
}

// T1 is the present timer value.
func (f *FOP) T1() time.Duration { return f.timer.value() }

// CLCW gives a received control word to FOP-1 (E1 to E15). Words for another
// virtual channel or another COP are ignored, as §5.3.2 asks of the layer above.
func (f *FOP) CLCW(c CLCW, now time.Time) {
	if f.held || c.VC != f.vc || c.COP != COPInEffect {
		return
	}
	f.apply(f.classify(c), now, c)
}

// Hold stops the machine: no transmission, no timer, CLCWs ignored. For the time
// without a return link. What is outstanding tells no round trip any more.
func (f *FOP) Hold(now time.Time) {
	if f.held {
		return
	}
	f.held = true
	f.timer.pause(now)
	for i := range f.sent {
		f.sent[i].again = true
	}
	f.bcRe = true
}

// Held says whether Hold is in force.
func (f *FOP) Held() bool { return f.held }

// Release ends Hold; T1 goes on with what was left of it.
func (f *FOP) Release(now time.Time) {
	if f.held {
		f.held = false
		f.timer.resume(now)
	}
}

// Repeat marks all outstanding frames, or the Type-BC frame of S5, for
// retransmission without counting a transmission: what was radiated into a
// broken link says nothing about the far end. Call it after Release.
func (f *FOP) Repeat(now time.Time) {
	switch f.state {
	case Active, RetransmitWithoutWait:
		if len(f.sent) > 0 {
			f.markAll()
			f.timer.start(now)
		}
	case InitialisingWithBC:
		f.bcOut, f.bcRe = true, true
	}
}

package cop1

import "time"

// The directives of CCSDS 232.1-B-2 table 4-1. A directive that the state does
// not allow returns ErrRejected and changes nothing.

// Initiate starts the AD service without a CLCW check (E23).
func (f *FOP) Initiate() error {
	if f.state != Initial {
		return ErrRejected
	}
	f.initialise()
	f.state = Active
	f.notify(Notice{Kind: Initialised})
	return nil
}

// InitiateCLCW starts the AD service once a CLCW agrees with V(S) (E24).
func (f *FOP) InitiateCLCW(now time.Time) error {
	if f.state != Initial {
		return ErrRejected
	}
	f.initialise()
	f.init, f.state = true, InitialisingWithoutBC
	f.timer.start(now)
	return nil
}

// InitiateUnlock sends Unlock and starts the AD service when a CLCW without
// lockout agrees with V(S) (E25). FARM-1 keeps its V(R) through a lockout, so
// V(S) must be set to the reported N(R) before (SetVS).
func (f *FOP) InitiateUnlock() error {
	return f.initiateBC(Unlock())
}

// InitiateSetVR sends Set V(R), sets V(S) and NN(R) to vr and starts the AD
// service when a CLCW agrees (E27).
func (f *FOP) InitiateSetVR(vr uint8) error {
	if f.state != Initial {
		return ErrRejected
	}
	f.vs, f.nnr = vr, vr
	return f.initiateBC(SetVR(vr))
}

func (f *FOP) initiateBC(directive []byte) error {
	if f.state != Initial {
		return ErrRejected
	}
	f.initialise()
	f.bc, f.bcOut, f.bcRe = &FDU{Data: directive}, true, false
	f.init, f.state = true, InitialisingWithBC
	return nil
}

// Terminate ends the AD service (E29).
func (f *FOP) Terminate() {
	if f.state != Initial {
		f.alert(AlertTerm)
	}
}

// Resume goes back to the state in which T1 suspended the service (E30 to E34).
func (f *FOP) Resume(now time.Time) error {
	if f.state != Initial || f.ss == 0 {
		return ErrRejected
	}
	f.state, f.ss = f.ss, 0
	f.timer.start(now)
	f.notify(Notice{Kind: Resumed})
	return nil
}

// SetVS sets V(S) and NN(R) in state Initial and not suspended (E35).
func (f *FOP) SetVS(vs uint8) error {
	if f.state != Initial || f.ss != 0 {
		return ErrRejected
	}
	f.vs, f.nnr = vs, vs
	return nil
}

// SetWindow sets the sliding window width K (E36).
func (f *FOP) SetWindow(k int) error {
	if k < 1 || k > 255 {
		return ErrWindow
	}
	f.cfg.Window = k
	return nil
}

// SetT1 sets the initial value of T1 and forgets the measured round trip (E37).
func (f *FOP) SetT1(first time.Duration) {
	f.cfg.T1First = first
	deadline, left := f.timer.deadline, f.timer.left
	f.timer = newTimer(f.cfg)
	f.timer.deadline, f.timer.left = deadline, left
}

// SetLimit sets the transmission limit (E38).
func (f *FOP) SetLimit(n int) error {
	if n < 1 {
		return ErrLimit
	}
	f.cfg.Limit = n
	return nil
}

// SetSuspend chooses what T1 does when the transmission limit is used up:
// suspend (timeout type 1) or alert (type 0) (E39).
func (f *FOP) SetSuspend(on bool) { f.cfg.Suspend = on }

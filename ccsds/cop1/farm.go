package cop1

import "github.com/perilune/perilune/ccsds"

// FARMState is the state of FARM-1 (CCSDS 232.1-B-2 §6.1.2).
type FARMState uint8

// The states of FARM-1.
const (
	FARMOpen    FARMState = 1 // S1
	FARMWait    FARMState = 2 // S2: no buffer for the next frame
	FARMLockout FARMState = 3 // S3: only Unlock leads out
)

// String names the state.
func (s FARMState) String() string {
	switch s {
	case FARMOpen:
		return "open"
	case FARMWait:
		return "wait"
	case FARMLockout:
		return "lockout"
	}
	return "unknown"
}

// Verdict says what FARM-1 did with a frame.
type Verdict uint8

// The verdicts. Only Accepted lets the frame's data pass.
const (
	Accepted       Verdict = iota
	Gap                    // a frame before this one is missing: E3
	Duplicate              // already accepted: E4
	OutsideWindow          // locks the channel out: E5
	LockedOut              // refused because the channel is locked out
	Busy                   // no buffer: E2, and everything in Wait
	InvalidControl         // a Type-BC frame that is no known directive
)

var verdictNames = [...]string{"accepted", "gap", "duplicate", "outside window", "locked out", "busy", "invalid control command"}

// String names the verdict.
func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return "unknown"
}

// FARM is FARM-1 for one virtual channel (CCSDS 232.1-B-2 §6). It is a plain
// value: copying it takes a snapshot. Use NewFARM.
type FARM struct {
	state      FARMState
	vr         uint8 // V(R), next expected N(S)
	retransmit bool
	wait       bool
	b          uint8 // FARM-B counter
	pw, nw     uint8 // positive and negative window widths
}

// NewFARM returns a FARM-1 in state Open that expects vr. The window width W is
// even and 2..254 (CCSDS 232.1-B-2 §6.1.8); half of it lies on either side.
func NewFARM(window int, vr uint8) (FARM, error) {
	if window < 2 || window > 254 || window%2 != 0 {
		return FARM{}, ErrWindow
	}
	return FARM{state: FARMOpen, vr: vr, pw: uint8(window / 2), nw: uint8(window / 2)}, nil
}

// State is the present state.
func (f *FARM) State() FARMState { return f.state }

// VR is V(R), the next expected sequence number.
func (f *FARM) VR() uint8 { return f.vr }

// AD judges a Type-AD frame with sequence number ns. room says whether a buffer
// is free for it (table 6-1, E1 to E5).
func (f *FARM) AD(ns uint8, room bool) Verdict {
	ahead, behind := ns-f.vr, f.vr-ns
	switch {
	case ahead != 0 && ahead >= f.pw && behind > f.nw: // E5
		if f.state == FARMLockout {
			return LockedOut
		}
		f.state = FARMLockout
		return OutsideWindow
	case f.state == FARMLockout: // E1 to E4 in S3
		return LockedOut
	case ahead == 0 && f.state == FARMWait:
		return Busy
	case ahead == 0 && !room: // E2
		f.retransmit, f.wait, f.state = true, true, FARMWait
		return Busy
	case ahead == 0: // E1
		f.vr++
		f.retransmit = false
		return Accepted
	case ahead < f.pw: // E3
		if f.state == FARMOpen {
			f.retransmit = true
		}
		return Gap
	default: // E4
		return Duplicate
	}
}

// BD accepts a Type-BD frame: sequence control does not apply (E6).
func (f *FARM) BD() Verdict {
	f.b++
	return Accepted
}

// Control executes the directive in the data field of a Type-BC frame: Unlock
// or Set V(R) (E7, E8; CCSDS 232.0-B-4 §4.1.3.3).
func (f *FARM) Control(data []byte) Verdict {
	switch {
	case len(data) == 1 && data[0] == 0:
		f.b++
		f.retransmit, f.wait, f.state = false, false, FARMOpen
	case len(data) == 3 && data[0] == 0x82 && data[1] == 0:
		f.b++
		if f.state == FARMLockout {
			return Accepted // counted, but a locked FARM keeps its V(R)
		}
		f.retransmit, f.wait, f.state = false, false, FARMOpen
		f.vr = data[2]
	default:
		return InvalidControl
	}
	return Accepted
}

// Release tells FARM-1 that a buffer is free again (E10).
func (f *FARM) Release() {
	f.wait = false
	if f.state == FARMWait {
		f.state = FARMOpen
	}
}

// CLCW reports the state of FARM-1 for virtual channel vc (E11).
func (f *FARM) CLCW(vc ccsds.VCID) CLCW {
	return CLCW{
		COP:         COPInEffect,
		VC:          vc,
		Lockout:     f.state == FARMLockout,
		Wait:        f.wait,
		Retransmit:  f.retransmit,
		FARMB:       f.b & 3,
		ReportValue: f.vr,
	}
}

// Unlock is the data field of the Type-BC frame that ends a lockout.
func Unlock() []byte { return []byte{0} }

// SetVR is the data field of the Type-BC frame that sets V(R).
func SetVR(vr uint8) []byte { return []byte{0x82, 0, vr} }

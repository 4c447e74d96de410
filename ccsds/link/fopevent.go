package link

import "github.com/perilune/perilune/ccsds"

// FOPKind says what an FOPEvent reports.
type FOPKind string

// The kinds of FOPEvent. Radiated, accepted and verified are three things: a packet is
// accepted when FARM-1 has all of it, and verified when a PUS report says so.
const (
	FOPInitialised FOPKind = "initialised" // the AD service runs
	FOPRadiated    FOPKind = "radiated"    // the last frame of a packet went out for the first time
	FOPAccepted    FOPKind = "accepted"    // all frames of a packet were acknowledged
	FOPRetransmit  FOPKind = "retransmit"  // Frames frames will be radiated again
	FOPAlert       FOPKind = "alert"       // the AD service stopped; Ground starts it again
	FOPSuspended   FOPKind = "suspended"   // no return link
	FOPResumed     FOPKind = "resumed"     // return link is back
)

// FOPEvent is a change on an uplink virtual channel.
type FOPEvent struct {
	VC     ccsds.VCID
	Kind   FOPKind
	Tag    any    // radiated and accepted: what Send was given
	Seq    uint8  // N(S) of the packet's last frame
	Frames int    // retransmit
	Reason string // alert: the book's reason code
}

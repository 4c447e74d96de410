package link

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/cop1"
	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/ccsds/tm"
)

// Offset is a place in the received stream.
type Offset struct {
	Bit uint64 // of the sync marker of the frame, in bits since the first received
}

// FrameInfo describes one good TM frame.
type FrameInfo struct {
	VC         ccsds.VCID
	MCFC, VCFC uint8
	Corrected  int // RS symbols
	// Lost is how many frames are missing before this one by the master channel count,
	// modulo 256. After a loss of lock or a restart of the craft (Reacquired) it is no
	// more than a hint.
	Lost       int
	Reacquired bool
	Bit        uint64
}

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

// GroundEvents are what a Ground reports. Any may be nil.
type GroundEvents struct {
	Packet func(vc ccsds.VCID, packet []byte, at Offset) // the callee may keep packet
	Frame  func(FrameInfo)
	Bad    func(reason string, bit uint64) // a frame that RS, FECF or header check refused
	CLCW   func(vc ccsds.VCID, c cop1.CLCW, bit uint64)
	State  func(SyncState)
	FOP    func(FOPEvent)
}

// Counter gives out anti-replay numbers. Next never gives the same number twice, also
// across restarts; AtLeast makes all further numbers higher than n.
type Counter interface {
	Next(spi uint16) (uint64, error)
	AtLeast(spi uint16, n uint64) error
}

// Ground is the end of the link on the ground. Use NewGround.
type Ground struct {
	p       Profile
	counter Counter
	ev      GroundEvents

	sync    *coding.Sync
	rs      *coding.RS
	extract [tm.MaxVCID]*tm.Extractor
	state   SyncState
	mcfc    uint8
	seen    bool   // a good frame was received
	fresh   bool   // lock was lost since the last good frame
	last    uint64 // bit of the last good frame
	flowing bool   // good frames since the last loss of lock
	pending []arrival

	sdls  *sdls.Sender
	vcs   map[ccsds.VCID]*groundVC
	order []ccsds.VCID // Type-BD frames, by priority
	now   time.Time
	up    bool      // the return link carries good frames
	alive bool      // a good frame came since heard was set
	heard time.Time // of the last good frame, as Tick saw it
	stats GroundStats
}

// arrival is what Receive leaves for Tick, which knows the time.
type arrival struct {
	kind arrivalKind
	clcw cop1.CLCW
}

type arrivalKind uint8

const (
	gotCLCW arrivalKind = iota
	gotLock
	lostLock
)

// maxPending bounds the control words that wait for a Tick; older ones say nothing that
// newer ones do not.
const maxPending = 256

// NewGround returns the ground's end of a link.
func NewGround(p Profile, c Counter, ev GroundEvents) (*Ground, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p = p.WithDefaults()
	g := &Ground{p: p, counter: c, ev: ev, order: p.uplink(), vcs: map[ccsds.VCID]*groundVC{}}
	var err error
	if g.rs, err = coding.NewRS(16, p.Interleave, true); err != nil {
		return nil, fmt.Errorf("ground link: %w", err)
	}
	if g.sync, err = coding.NewSync(p.FrameLength+g.rs.CheckLength(), coding.SyncOptions{}); err != nil {
		return nil, fmt.Errorf("ground link: %w", err)
	}
	if g.sdls, err = sdls.NewSender(p.associations(p.Faults.WrongKey)); err != nil {
		return nil, fmt.Errorf("ground link: %w", err)
	}
	for i := range g.extract {
		g.extract[i] = tm.NewExtractor(maxPacket)
	}
	for _, vc := range p.BD {
		g.vcs[vc] = &groundVC{id: vc}
	}
	for _, vc := range p.AD {
		if g.vcs[vc], err = g.newADChannel(vc); err != nil {
			return nil, fmt.Errorf("ground link: %w", err)
		}
	}
	return g, nil
}

// Receive takes the next bits of the downlink, any number of octets at any alignment.
// What the control words in them mean for the uplink is worked out by the next Tick or
// NextCLTU, which know the time; call Tick after Receive.
func (g *Ground) Receive(bits []byte) {
	g.sync.Push(bits, g.cadu)
	g.setState(g.sync.State())
}

func (g *Ground) setState(s SyncState) {
	if s == g.state {
		return
	}
	g.state = s
	if s == Search {
		g.lost()
	}
	if g.ev.State != nil {
		g.ev.State(s)
	}
}

// lost notes that the good frames have ended.
func (g *Ground) lost() {
	g.fresh = true
	if g.flowing {
		g.flowing = false
		g.pend(arrival{kind: lostLock})
	}
}

// pend leaves a for the next Tick. When nobody calls it, the oldest control words go
// first.
func (g *Ground) pend(a arrival) {
	if len(g.pending) >= maxPending {
		i := max(0, slices.IndexFunc(g.pending, func(a arrival) bool { return a.kind == gotCLCW }))
		g.pending = slices.Delete(g.pending, i, i+1)
	}
	g.pending = append(g.pending, a)
}

// cadu decodes one coded frame, in place.
func (g *Ground) cadu(block []byte, bit uint64, st coding.State) {
	g.setState(st)
	if g.seen && bit <= g.last {
		return // the synchroniser looked at these bits twice
	}
	coding.Randomise(block)
	corrected := 0
	if !g.p.Faults.NoRS {
		var err error
		if corrected, err = g.rs.Decode(block); err != nil {
			g.bad("reed-solomon", bit)
			return
		}
	}
	f := tm.Frame{Params: g.p.tm()}
	if err := f.DecodeFromBytes(block[:g.p.FrameLength], nil); err != nil {
		g.bad(frameReason(err), bit)
		return
	}
	g.good(&f, corrected, bit)
}

func (g *Ground) bad(reason string, bit uint64) {
	g.stats.Bad++
	if g.ev.Bad != nil {
		g.ev.Bad(reason, bit)
	}
}

func (g *Ground) good(f *tm.Frame, corrected int, bit uint64) {
	info := FrameInfo{VC: f.VCID, MCFC: f.MCFC, VCFC: f.VCFC, Corrected: corrected, Bit: bit, Reacquired: g.fresh}
	if g.seen {
		info.Lost = int(f.MCFC - g.mcfc - 1)
	}
	g.seen, g.fresh, g.mcfc, g.last, g.alive = true, false, f.MCFC, bit, true
	g.stats.Frames++
	g.stats.Symbols += uint64(corrected)
	if info.Reacquired {
		g.stats.Gaps++
	} else {
		g.stats.Lost += uint64(info.Lost)
	}
	if corrected > 0 {
		g.stats.Corrected++
	}
	if !g.flowing {
		g.flowing = true
		g.pend(arrival{kind: gotLock})
	}
	if g.ev.Frame != nil {
		g.ev.Frame(info)
	}
	g.clcw(f, bit)
	if f.Idle() || f.VCID == tm.IdleVCID {
		g.stats.Idle++
		return
	}
	g.extract[f.VCID].Frame(f, func(packet []byte) {
		g.stats.Packets++
		if g.ev.Packet != nil {
			g.ev.Packet(f.VCID, bytes.Clone(packet), Offset{Bit: bit})
		}
	})
}

func (g *Ground) clcw(f *tm.Frame, bit uint64) {
	var c cop1.CLCW
	if c.DecodeFromBytes(f.OCF[:], nil) != nil || g.vcs[c.VC] == nil {
		return // another kind of control word, or not about us
	}
	c.BaseLayer = ccsds.BaseLayer{} // it points into the frame
	if g.ev.CLCW != nil {
		g.ev.CLCW(c.VC, c, bit)
	}
	g.pend(arrival{kind: gotCLCW, clcw: c})
}

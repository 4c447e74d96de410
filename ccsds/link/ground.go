package link

import (
	"fmt"
	"maps"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/cop1"
	"github.com/perilune/perilune/ccsds/sdls"
)

// Offset is a place in the received stream.
type Offset struct {
	Bit uint64 // of the sync marker of the frame, in bits since the first received
}

// FrameInfo describes one good frame.
type FrameInfo struct {
	VC        ccsds.VCID
	Count     uint64 // frame count of the virtual channel
	Corrected int    // RS: symbols; LDPC and turbo: bits of the channel
	Rounds    int    // iterations of an LDPC or turbo decoder
	// Lost is how many frames are missing before this one by the frame counts (see
	// FrameHeader). After a loss of lock or a restart of the craft (Reacquired) it is
	// no more than a hint.
	Lost       int
	Reacquired bool
	Bit        uint64
}

// GroundEvents are what a Ground reports. Any may be nil.
type GroundEvents struct {
	Packet func(vc ccsds.VCID, packet []byte, at Offset) // the callee may keep packet
	// Data is what came on a channel whose service is not packets; the callee may keep it.
	Data  func(vc ccsds.VCID, d Data, at Offset)
	Frame func(FrameInfo)
	Bad   func(reason string, bit uint64) // a frame that its code, FECF, header check or security refused
	CLCW  func(vc ccsds.VCID, c cop1.CLCW, bit uint64)
	State func(SyncState)
	FOP   func(FOPEvent)
	FSR   func(f sdls.FSR, bit uint64) // each frame security report
	// Secured says under which association the frames of a protected channel come from now on.
	Secured func(vc ccsds.VCID, spi uint16)
}

// Counter gives out the anti-replay numbers of the uplink, and keeps the floors of the
// downlink. Next never gives the same number twice, also across restarts.
type Counter interface {
	Next(spi uint16) (uint64, error)
	Floors
}

// Ground is the end of the link on the ground. Use NewGround.
type Ground struct {
	p       Profile
	counter Counter
	ev      GroundEvents

	decoder *DownDecoder  // nil without frames
	stream  *packetStream // of packets then
	frames  *Deframer
	state   SyncState
	seen    bool   // a good frame was received
	fresh   bool   // lock was lost since the last good frame
	last    uint64 // bit of the last good frame
	flowing bool   // good frames since the last loss of lock
	pending []arrival

	framing  upFraming
	coder    *UpEncoder
	accepted []FOPEvent // of packets that need no word from the craft, for the next Tick
	sdls     *sdls.Sender
	vcs      map[ccsds.VCID]*groundVC
	order    []ccsds.VCID // Type-BD frames, by priority
	now      time.Time
	saved    time.Time // when the floors of the downlink were
	up       bool      // the return link carries good frames
	alive    bool      // a good frame came since heard was set
	heard    time.Time // of the last good frame, as Tick saw it
	stats    GroundStats

	bits uint64 // received, without frames
	hard []byte
	rest []int8
}

// NewGround returns the ground's end of a link.
func NewGround(p Profile, c Counter, ev GroundEvents) (*Ground, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p = p.WithDefaults()
	p.SPI = maps.Clone(p.SPI) // Associate changes it
	g := &Ground{p: p, counter: c, ev: ev, order: p.uplink(), vcs: map[ccsds.VCID]*groundVC{}}
	g.stats.Data = map[ccsds.VCID]uint64{}
	var err error
	if g.frames, err = NewDeframer(p, c); err != nil {
		return nil, fmt.Errorf("ground link: %w", err)
	}
	if g.frames.sec != nil {
		g.frames.sec.changed = ev.Secured
	}
	if p.Down == FramingPackets {
		g.stream = newPacketStream(p.Encapsulation)
	} else if g.decoder, err = p.NewDownDecoder(); err != nil {
		return nil, fmt.Errorf("ground link: %w", err)
	} else {
		g.decoder.broken = p.Faults.NoRS
	}
	g.framing = p.upFraming()
	if g.coder, err = NewUpEncoder(p); err != nil {
		return nil, fmt.Errorf("ground link: %w", err)
	}
	if g.sdls, err = sdls.NewSender(p.associations(p.Faults.WrongKey)); err != nil {
		return nil, fmt.Errorf("ground link: %w", err)
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

package link

import (
	"fmt"
	"math"
	"slices"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/aos"
	"github.com/perilune/perilune/ccsds/tm"
)

// Framing is a protocol of the data link layer.
type Framing string

// The framings: TM, AOS and USLP down, TC and USLP up. With FramingPackets there are no
// frames: packets follow each other in a stream of octets that somebody else keeps whole,
// such as the platform computer.
const (
	FramingTM      Framing = "tm"
	FramingAOS     Framing = "aos"
	FramingUSLP    Framing = "uslp"
	FramingTC      Framing = "tc"
	FramingPackets Framing = "packets"
)

// Share is the part of the downlink that a virtual channel has.
type Share struct {
	Priority int // channels of a lower number go first, always: 0
	Weight   int // among those of the same priority that have something to send: 1
	Rate     int // bit/s of the channel at most, 0: no limit
	// Whole begins a packet that would fit a frame in the next one rather than
	// split it, so that a frame that is lost costs as few packets as may be. It
	// pays where packets are as long as Profile.DownRoom: files.
	Whole bool
}

// defaultShares: housekeeping first, but nobody starves.
var defaultShares = map[ccsds.VCID]Share{0: {Weight: 8}, 1: {Weight: 4}, 2: {Weight: 4, Whole: true}, 3: {Weight: 2}}

// frameBuilder packs packets into the frames of one protocol.
type frameBuilder interface {
	Append(vc ccsds.VCID, packet []byte) error
	Pending(vc ccsds.VCID) int
	Next(dst []byte, vc ccsds.VCID, ocf [4]byte, flush bool) ([]byte, bool)
	Idle(dst []byte, ocf [4]byte) []byte
	Secure(ccsds.Protector)
	Err() error
}

// Framer makes the frames of a downlink out of packets: queues, multiplexing, idle
// frames, security. It is not for several goroutines.
type Framer struct {
	p     Profile
	build frameBuilder
	sec   *downSender
	// insert sets the insert zone; nil where frames have none.
	insert func(zone []byte) error
	vcs    []*downVC // by number; those that were ever used
	byID   [ccsds.MaxVCID + 1]*downVC
	share  float64  // of one bit/s of the channel, in frames a frame
	spare  [][]byte // room for packets, used before; empty without frames
	err    error
}

// downVC is what waits on one virtual channel.
type downVC struct {
	id     ccsds.VCID
	share  Share
	queue  [][]byte
	ready  bool // for the next frame
	credit int
	tokens float64 // frames that its rate allows now
	data   int     // octets of packets in a frame
}

// tokenLimit is how many frames a channel with a rate may save up.
const tokenLimit = 4

// NewFramer returns the framer of p's downlink. numbers gives out the anti-replay numbers
// of protected channels; nil will do where there are none.
func NewFramer(p Profile, numbers func(spi uint16) (uint64, error)) (*Framer, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p = p.WithDefaults()
	f := &Framer{p: p, share: 1 / float64(p.DownRate)}
	var err error
	switch p.Down {
	case FramingTM:
		f.build, err = tm.NewBuilder(p.tm())
	case FramingAOS:
		f.build, err = aos.NewBuilder(p.aos())
	case FramingUSLP:
		f.build, err = newUSLPBuilder(p)
	default:
		f.build = &packetBuilder{length: p.FrameLength}
	}
	if err != nil {
		return nil, fmt.Errorf("downlink frames: %w", err)
	}
	if b, ok := f.build.(interface{ Insert([]byte) error }); ok && p.InsertZone > 0 {
		f.insert = b.Insert
	}
	if len(p.Services) > 0 {
		f.build = withServices(p, f.build)
	}
	if len(p.DownSPI) > 0 {
		if f.sec, err = newDownSender(p, numbers); err != nil {
			return nil, fmt.Errorf("downlink frames: %w", err)
		}
		f.build.Secure(f.sec)
	}
	return f, nil
}

// channel is virtual channel vc, made when it is first used.
func (f *Framer) channel(vc ccsds.VCID) *downVC {
	if f.byID[vc] == nil {
		s, ok := f.p.Shares[vc]
		if !ok {
			s = Share{Weight: 1}
		}
		if f.p.Variable || f.p.Service(vc) != ServicePackets {
			s.Whole = false // nothing is split where it need not be, or there is nothing to keep whole
		}
		c := &downVC{id: vc, share: s, tokens: 1, data: f.p.downData(vc)}
		f.byID[vc] = c
		at, _ := slices.BinarySearchFunc(f.vcs, vc, func(c *downVC, vc ccsds.VCID) int { return int(c.id) - int(vc) })
		f.vcs = slices.Insert(f.vcs, at, c)
	}
	return f.byID[vc]
}

// Send queues a packet on virtual channel vc, or what else its service carries: a data unit,
// or octets of a stream. They are copied. ErrFull says that the queue holds as many as it
// may.
func (f *Framer) Send(vc ccsds.VCID, packet []byte) error {
	if vc > f.p.Down.MaxVC() {
		return fmt.Errorf("link: send on virtual channel %d: want 0 to %d", vc, f.p.Down.MaxVC())
	}
	if err := f.p.checkUnit(vc, packet); err != nil {
		return fmt.Errorf("link: send on virtual channel %d: %w", vc, err)
	}
	c := f.channel(vc)
	if len(c.queue) >= f.p.Queue {
		return ErrFull
	}
	var room []byte
	if last := len(f.spare) - 1; last >= 0 {
		room, f.spare = f.spare[last], f.spare[:last]
	}
	c.queue = append(c.queue, append(room, packet...))
	return nil
}

// Insert sets what the insert zones of the next frames carry, idle ones too. There must be as
// many octets as the profile's InsertZone; they are copied.
func (f *Framer) Insert(zone []byte) error {
	if f.insert == nil {
		return fmt.Errorf("link: %s frames have no insert zone", f.p.Down)
	}
	return f.insert(zone)
}

// Room is how many packets the queue of vc still takes.
func (f *Framer) Room(vc ccsds.VCID) int {
	if vc > f.p.Down.MaxVC() {
		return 0
	}
	if c := f.byID[vc]; c != nil {
		return f.p.Queue - len(c.queue)
	}
	return f.p.Queue
}

// Next appends the next frame to dst. There always is one: with nothing to send it is an
// idle frame, which carries ocf like any other.
func (f *Framer) Next(dst []byte, ocf [4]byte) (frame []byte, idle bool) {
	if c := f.choose(); c != nil {
		frame, ok := f.build.Next(dst, c.id, ocf, true)
		if ok {
			return frame, false
		}
		f.err = f.build.Err()
	}
	return f.build.Idle(dst, ocf), true
}

// Err is why the last frame that should have been protected was not made, nil if none
// failed; its packets wait.
func (f *Framer) Err() error {
	err := f.err
	f.err = nil
	return err
}

// choose fills the builder from the queues and picks the channel of the next frame: of
// those that wait and that their rate allows, the lowest priority; among these by
// smooth weighted round robin: each gains its weight, the richest pays for all.
func (f *Framer) choose() *downVC {
	priority := math.MaxInt
	for _, c := range f.vcs {
		if c.share.Rate > 0 {
			c.tokens = min(c.tokens+float64(c.share.Rate)*f.share, tokenLimit)
		}
		f.fill(c)
		c.ready = f.build.Pending(c.id) > 0
		if !c.ready {
			c.credit = 0
			continue
		}
		if c.ready = c.share.Rate == 0 || c.tokens >= 1; c.ready {
			priority = min(priority, c.share.Priority)
		}
	}
	var best *downVC
	total := 0
	for _, c := range f.vcs {
		if !c.ready || c.share.Priority != priority {
			continue
		}
		c.credit += c.share.Weight
		total += c.share.Weight
		if best == nil || c.credit > best.credit {
			best = c
		}
	}
	if best != nil {
		best.credit -= total
		best.tokens = max(best.tokens-1, 0)
	}
	return best
}

// fill moves packets from the queue to the builder until a frame is full.
func (f *Framer) fill(c *downVC) {
	n := 0
	for n < len(c.queue) && f.build.Pending(c.id) < c.data {
		if pad := c.pad(f.build.Pending(c.id), len(c.queue[n])); pad > 0 {
			if err := f.build.Append(c.id, ccsds.AppendIdlePacket(nil, pad)); err != nil {
				break
			}
			continue
		}
		if err := f.build.Append(c.id, c.queue[n]); err != nil {
			break // no room: stays for the next frame
		}
		if f.p.Down != FramingPackets { // a packet without a frame is not copied on
			f.spare = append(f.spare, c.queue[n][:0])
		}
		n++
	}
	if n > 0 {
		c.queue = slices.Delete(c.queue, 0, n)
	}
}

// pad is the length of the idle packet that keeps a packet of n octets whole, behind
// pending octets of the frame; 0 if there is none. What is too short for an idle packet is
// given to the packet, which is then split.
func (c *downVC) pad(pending, n int) int {
	left := c.data - pending
	if !c.share.Whole || pending == 0 || n <= left || n > c.data || left < ccsds.MinPacketLength {
		return 0
	}
	return left
}

// MaxVC is the highest virtual channel for packets.
func (f Framing) MaxVC() ccsds.VCID {
	switch f {
	case FramingTM:
		return tm.IdleVCID - 1
	case FramingTC:
		return ccsds.MaxVCID
	}
	return aos.IdleVCID - 1 // USLP's too
}

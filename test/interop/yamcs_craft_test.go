//go:build interop

package interop

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/spp"
	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/missions/database"
)

// noSaver keeps nothing: the craft of these tests does not restart.
type noSaver struct{}

func (noSaver) LoadFloor(uint16) (uint64, error)       { return 0, nil }
func (noSaver) SaveFloor(uint16, uint64) error         { return nil }
func (noSaver) LoadVR(ccsds.VCID) (uint8, bool, error) { return 0, false, nil }
func (noSaver) SaveVR(vc ccsds.VCID, v uint8) error    { return nil }

// craftEnd is a craft of our link, PUS and CFDP, whose frames and CLTUs go through UDP.
type craftEnd struct {
	t    *testing.T
	link yamcsLink
	conn *net.UDPConn
	to   *net.UDPAddr
	stop chan struct{}
	done sync.WaitGroup

	mu       sync.Mutex
	rng      *rand.Rand
	upLoss   float64            // of CLTUs
	downLoss float64            // of frames
	drop     func(up bool) bool // loses what it says true to; may be nil
	tap      func(cltu []byte)  // takes CLTUs in place of the craft
	space    *link.Space
	files    *node
	pings    []uint16 // sequence counts of TC[17,1]
	seq      uint16
	fileSeq  spp.Counter
	frames   int
	verified [][]byte // reports of verification, which are sent again and again
	lost     [2]int
}

func newCraft(t *testing.T, l yamcsLink) *craftEnd {
	t.Helper()
	c := &craftEnd{t: t, link: l, conn: listenUDP(t), stop: make(chan struct{}), rng: rand.New(rand.NewPCG(5, 13))}
	var err error
	c.space, err = link.NewSpace(l.profile, noSaver{},
		link.SpaceEvents{Packet: c.packet})
	if err != nil {
		t.Fatal(err)
	}
	c.files = newNode(t, craft, func(cfg *cfdp.Config) {
		cfg.Timers.Ack, cfg.Timers.NAK = 500*time.Millisecond, 500*time.Millisecond
		cfg.Timers.AckLimit, cfg.Timers.NAKLimit = 10_000, 10_000
		cfg.Timers.Check = 500 * time.Millisecond
	})
	return c
}

func (c *craftEnd) port() int { return c.conn.LocalAddr().(*net.UDPAddr).Port }

// fly runs the craft until the test ends: a frame each 15 ms as long as YAMCS takes them, CLTUs as
// they come.
func (c *craftEnd) fly(to *net.UDPAddr) {
	c.to = to
	c.done.Add(2)
	go c.receive()
	go c.radiate()
	c.t.Cleanup(func() {
		close(c.stop)
		_ = c.conn.Close()
		c.done.Wait()
		if c.t.Failed() {
			c.t.Logf("craft: %+v", c.space.Stats())
		}
	})
}

// idleUp is what an uplink radiates between CLTUs: the end of one that has no tail.
var idleUp = bytes.Repeat([]byte{0x55}, 64)

func (c *craftEnd) receive() {
	defer c.done.Done()
	buf := make([]byte, 65536)
	for {
		n, err := c.conn.Read(buf)
		if err != nil {
			return
		}
		c.mu.Lock()
		if c.tap != nil {
			c.tap(buf[:n])
		} else if c.drop != nil && c.drop(true) {
			c.lost[0]++
		} else if c.upLoss > 0 && (c.lost[0] == 0 || c.rng.Float64() < c.upLoss) { // one at least
			c.lost[0]++
		} else if err := c.space.Receive(append(buf[:n], idleUp...)); err != nil {
			c.t.Errorf("receive CLTU: %v", err)
		}
		c.mu.Unlock()
	}
}

func (c *craftEnd) radiate() {
	defer c.done.Done()
	tick := time.NewTicker(15 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-c.stop:
			return
		case now := <-tick.C:
			if n, bound := waiting(c.to.Port); !bound || n > maxWaiting {
				continue
			}
			c.mu.Lock()
			frame := c.frame(now)
			if c.rng.Float64() < c.downLoss || c.drop != nil && c.drop(false) {
				c.lost[1]++
				frame = nil
			}
			c.mu.Unlock()
			if frame != nil {
				if _, err := c.conn.WriteToUDP(frame, c.to); err != nil && !errors.Is(err, net.ErrClosed) {
					c.t.Errorf("send frame: %v", err)
				}
			}
		}
	}
}

// repeatFrames is after how many frames the verifications are sent once more, as the same packets:
// one that comes while YAMCS notes something else of its command can be missed (see
// testdata/yamcs/verifier.xml).
const repeatFrames = 100

// frame is the next frame of the downlink as it is before channel coding.
func (c *craftEnd) frame(now time.Time) []byte {
	c.files.e.Tick(now)
	if c.frames++; c.frames%repeatFrames == 0 {
		for _, p := range c.verified {
			if err := c.space.Send(0, p); err != nil {
				c.t.Errorf("report again: %v", err)
			}
		}
	}
	for c.space.Room(2) > 60 {
		pdu, ok := c.files.e.Next(now)
		if !ok {
			break
		}
		p, err := spp.Append(nil, &spp.Packet{APID: 2, SeqFlags: spp.Unsegmented, SeqCount: c.fileSeq.Next(2)}, pdu)
		if err == nil {
			err = c.space.Send(2, p)
		}
		if err != nil {
			c.t.Errorf("send PDU: %v", err)
		}
	}
	block := c.space.NextCADU(nil)[coding.ASMLength:]
	coding.Randomise(block)
	return block[:frameLength]
}

// packet is a packet from the ground.
func (c *craftEnd) packet(_ ccsds.VCID, packet []byte) {
	var p spp.Packet
	if err := p.DecodeFromBytes(packet, nodf{}); err != nil {
		c.t.Errorf("packet: %v", err)
		return
	}
	if p.APID == 2 {
		if err := c.files.e.Receive(time.Now(), p.Payload); err != nil {
			c.t.Logf("PDU: %v", err)
		}
		return
	}
	tc, err := pus.ParseTC(packet)
	if err != nil {
		c.t.Errorf("telecommand %x: %v", packet, err)
		return
	}
	if err := tc.Check(database.Default().Form); err != nil {
		c.verify(pus.Verification{Subtype: pus.AcceptanceFailure, Request: tc.Request, Code: pus.FailureIllegalType, Text: "unknown"})
		return
	}
	c.verify(pus.Verification{Subtype: pus.AcceptanceSuccess, Request: tc.Request})
	c.verify(pus.Verification{Subtype: pus.StartSuccess, Request: tc.Request})
	c.pings = append(c.pings, tc.Seq)
	c.report(time.Now(), pus.ServiceTest, pus.IAmAlive, nil)
	c.verify(pus.Verification{Subtype: pus.CompletionSuccess, Request: tc.Request})
}

func (c *craftEnd) verify(v pus.Verification) {
	body, err := v.Encode()
	if err != nil {
		c.t.Error(err)
		return
	}
	c.report(time.Now(), pus.ServiceVerification, v.Subtype, body)
}

func (c *craftEnd) report(at time.Time, service, subtype uint8, body []byte) {
	p, err := pus.BuildTM(1, c.seq, service, subtype, 0, 0, timecode.FromTime(at), timecode.Set, body)
	if err == nil {
		err = c.space.Send(0, p)
	}
	if err != nil {
		c.t.Errorf("report: %v", err)
	}
	if service == pus.ServiceVerification && len(c.verified) < 100 {
		c.verified = append(c.verified, p)
	}
	c.seq = (c.seq + 1) % spp.SeqModulo
}

// do runs f with the craft held still.
func (c *craftEnd) do(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

type nodf struct{}

func (nodf) SetTruncated() {}

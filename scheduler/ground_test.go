package scheduler_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/spp"
	"github.com/perilune/perilune/ccsds/timecode"
)

// ground is the other end: the link engine, a CFDP entity, and what arrived.
type ground struct {
	t        *testing.T
	radio    *pipe
	up, down *channel.Channel
	quit     chan struct{}
	drained  chan struct{} // the marker that ends what a flight program has sent was received
	done     sync.WaitGroup

	mu       sync.Mutex
	link     *link.Ground
	cfdp     *cfdp.Entity
	files    map[string]cfdp.Condition
	seq      spp.Counter
	tm       []pus.Telemetry
	had      map[string]bool // packets of this flight program; the craft sends reports again, and they are passed over
	replayed []pus.Telemetry // by virtual channel 3
	bad      int
	floor    uint64 // highest anti-replay number handed out
	recorded []byte // the uplink before the channel
}

type counter struct{ g *ground }

func (c counter) Next(uint16) (uint64, error)  { c.g.floor++; return c.g.floor, nil }
func (c counter) Floor(uint16) (uint64, error) { return 0, nil }
func (c counter) Raise(uint16, uint64) error   { return nil }

func newGround(t *testing.T, p link.Profile, r *pipe, dir string, ber float64) *ground {
	t.Helper()
	g := &ground{t: t, radio: r, quit: make(chan struct{}), drained: make(chan struct{}),
		files: map[string]cfdp.Condition{}, had: map[string]bool{}}
	var err error
	if g.up, err = channel.New(1, channel.Config{BER: ber}); err != nil {
		t.Fatal(err)
	}
	if g.down, err = channel.New(2, channel.Config{BER: ber}); err != nil {
		t.Fatal(err)
	}
	g.link, err = link.NewGround(p, counter{g}, link.GroundEvents{
		Packet: func(vc ccsds.VCID, packet []byte, _ link.Offset) { g.packet(vc, packet) },
		Bad:    func(string, uint64) { g.bad++ },
	})
	if err != nil {
		t.Fatal(err)
	}
	store, err := cfdp.DirStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	g.cfdp, err = cfdp.New(cfdp.Config{Local: 1, Store: store, Timers: cfdp.Timers{Ack: time.Second, NAK: time.Second}},
		cfdp.Events{Finished: func(i cfdp.Info) { g.files[i.Name] = i.Condition }})
	if err != nil {
		t.Fatal(err)
	}
	g.done.Go(g.receive)
	g.done.Go(g.transmit)
	return g
}

func (g *ground) close() { close(g.quit); g.done.Wait() }

func (g *ground) receive() {
	for {
		select {
		case <-g.quit:
			return
		case b := <-g.radio.down:
			if b == nil {
				g.drained <- struct{}{}
				continue
			}
			g.mu.Lock()
			b, _ = g.down.Pass(b)
			g.link.Receive(b)
			g.mu.Unlock()
		}
	}
}

// drain returns when all that a flight program, which has ended, has sent was received.
func (g *ground) drain() {
	g.radio.down <- nil
	<-g.drained
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.had)
}

func (g *ground) transmit() {
	for {
		g.mu.Lock()
		now := time.Now()
		g.cfdp.Tick(now)
		for g.link.Room(1) > 32 {
			pdu, ok := g.cfdp.Next(now)
			if !ok {
				break
			}
			p, err := spp.Append(nil, &spp.Packet{Type: spp.TC, APID: 2, SeqFlags: spp.Unsegmented, SeqCount: g.seq.Next(2)}, pdu)
			if err != nil || g.link.Send(1, p, false, nil) != nil {
				break
			}
		}
		bits := g.link.NextCLTU(now)
		if bits == nil {
			bits = []byte{0x55, 0x55, 0x55, 0x55}
		}
		g.recorded = append(g.recorded, bits...)
		bits, _ = g.up.Pass(bits)
		g.mu.Unlock()
		select {
		case <-g.quit:
			return
		case g.radio.up <- bits:
		}
		time.Sleep(time.Duration(len(bits)) * 8 * time.Microsecond)
	}
}

func (g *ground) packet(vc ccsds.VCID, p []byte) {
	if p[1] == 2 && p[0]&7 == 0 {
		_ = g.cfdp.Receive(time.Now(), p[spp.HeaderLength:])
		return
	}
	tm, err := pus.ParseTM(p)
	if err != nil {
		g.bad++
		return
	}
	if vc == 3 {
		g.replayed = append(g.replayed, tm)
		return
	}
	if g.had[string(p)] {
		return
	}
	g.had[string(p)] = true
	g.tm = append(g.tm, tm)
}

// command sends a telecommand and returns its name in reports.
func (g *ground) command(apid ccsds.APID, service, subtype uint8, data []byte) pus.RequestID {
	g.t.Helper()
	g.mu.Lock()
	seq := g.seq.Next(apid)
	g.mu.Unlock()
	p, err := pus.BuildTC(apid, seq, pus.AckAll, service, subtype, 7, data)
	if err != nil {
		g.t.Fatal(err)
	}
	return g.send(p)
}

func (g *ground) send(p []byte) pus.RequestID {
	g.t.Helper()
	for until := time.Now().Add(patience); ; {
		g.mu.Lock()
		err := g.link.Send(0, p, false, nil)
		g.mu.Unlock()
		if err == nil {
			id, _ := pus.RequestIDOf(p)
			return id
		}
		if time.Now().After(until) {
			g.t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// acknowledged waits until FARM-1 has all telecommands, by its own word: reports of what they did may
// come before it.
func (g *ground) acknowledged() {
	g.t.Helper()
	for until := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		g.mu.Lock()
		fop := g.link.Stats().FOP[0]
		g.mu.Unlock()
		if fop.Waiting+fop.Outstanding == 0 {
			return
		}
		if time.Now().After(until) {
			g.t.Fatalf("%d telecommands wait, %d are not acknowledged", fop.Waiting, fop.Outstanding)
		}
	}
}

func (g *ground) function(name string, args ...string) pus.RequestID {
	g.t.Helper()
	data, err := pus.Function{Name: name, Arguments: args}.Encode()
	if err != nil {
		g.t.Fatal(err)
	}
	return g.command(1, pus.ServiceFunction, pus.PerformFunction, data)
}

func (g *ground) put(name, file string) {
	g.t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := os.Rename(file, filepath.Join(filepath.Dir(file), "..", "down", name)); err != nil {
		g.t.Fatal(err)
	}
	if _, err := g.cfdp.Put(time.Now(), cfdp.Put{Dest: 2, Source: name, DestName: name, Class: 2}); err != nil {
		g.t.Fatal(err)
	}
}

// wait finds the first telemetry packet that is the one, among all that arrived.
func (g *ground) wait(what string, match func(pus.Telemetry) bool) pus.Telemetry {
	g.t.Helper()
	seen := 0
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		g.mu.Lock()
		all := g.tm
		g.mu.Unlock()
		for ; seen < len(all); seen++ {
			if match(all[seen]) {
				return all[seen]
			}
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.t.Fatalf("no %s; link %+v; telemetry:\n%s", what, g.link.Stats(), g.dump())
	return pus.Telemetry{}
}

func (g *ground) dump() string {
	var b strings.Builder
	for _, tm := range g.tm[max(0, len(g.tm)-60):] {
		fmt.Fprintf(&b, "APID %d TM[%d,%d] %q\n", tm.APID, tm.Service, tm.Subtype, tm.Payload)
	}
	return b.String()
}

// verified waits for a report of service 1 about id.
func (g *ground) verified(id pus.RequestID, subtype uint8) pus.Verification {
	g.t.Helper()
	var v pus.Verification
	g.wait(fmt.Sprintf("TM[1,%d] of %v", subtype, id), func(tm pus.Telemetry) bool {
		if tm.Service != pus.ServiceVerification || tm.Subtype != subtype {
			return false
		}
		var err error
		v, err = pus.DecodeVerification(subtype, tm.Payload)
		return err == nil && v.Request == id
	})
	return v
}

// event waits for an event whose text has the words.
func (g *ground) event(id pus.EventID, words string) {
	g.t.Helper()
	g.wait(fmt.Sprintf("event %v with %q", id, words), func(tm pus.Telemetry) bool {
		if tm.Service != pus.ServiceEvent {
			return false
		}
		e, err := pus.DecodeEvent(tm.Subtype, tm.Payload)
		return err == nil && e.ID == id && strings.Contains(e.Text, words)
	})
}

func (g *ground) setTime() timecode.Instant { return g.setTimeTo(time.Now()) }

func (g *ground) setTimeTo(at time.Time) timecode.Instant {
	g.t.Helper()
	now := timecode.FromTime(at)
	data, err := pus.TimeSetting{Time: now, Quality: timecode.Set}.Encode()
	if err != nil {
		g.t.Fatal(err)
	}
	g.verified(g.command(1, pus.ServiceTime, pus.SetTime, data), pus.CompletionSuccess)
	return now
}

// forget empties what arrived, so that later waits see later packets only.
func (g *ground) forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tm = nil
}

package scheduler_test

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/spp"
	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/devices/radio"
	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/hvt/hvttest"
	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/internal/initproto"
	"github.com/perilune/perilune/missions/bundle"
	"github.com/perilune/perilune/missions/craft"
	"github.com/perilune/perilune/missions/grant"
	"github.com/perilune/perilune/scheduler"
	"github.com/perilune/perilune/tender/spawn"
	"github.com/perilune/perilune/tender/wire"
)

// patience bounds every wait of these tests; the machine may be busy.
const patience = 60 * time.Second

const craftTOML = `
name = "luna"
[link]
down_rate = 2000000
up_rate = 1000000
[[tenant]]
name = "acme"
apid = 100
autostart = ["beacon"]
storage = 1
[[tenant]]
name = "borealis"
apid = 101
`

// craftT is a craft under test: its flight program, with a fake init that has fake
// tenders, and a ground of the real link engine behind a noisy channel.
type craftT struct {
	t      *testing.T
	dir    string
	cfg    scheduler.Config
	dev    *grant.Dev
	radio  *pipe
	init   *fakeInit
	ground *ground
	stop   func()
	ended  chan error
	boots  uint32
}

func newCraft(t *testing.T, ber float64) *craftT {
	t.Helper()
	desc, err := craft.Parse([]byte(craftTOML), "craft.toml")
	if err != nil {
		t.Fatal(err)
	}
	c := &craftT{t: t, dir: t.TempDir(), radio: newPipe()}
	for _, d := range []string{"keys", "data", "image", "down"} {
		if err := os.Mkdir(filepath.Join(c.dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if c.dev, err = grant.DevKeys(filepath.Join(c.dir, "keys")); err != nil {
		t.Fatal(err)
	}
	var grants []grant.Grant
	for _, tt := range desc.Tenants {
		grants = append(grants, grant.Grant{Tenant: tt.Name, APID: tt.APID, Quota: grant.Quota{
			MemoryMiB: tt.Memory, Guests: tt.Guests, StorageMiB: tt.Storage}})
	}
	trust, err := c.dev.Trust(desc.Name, grants)
	if err != nil {
		t.Fatal(err)
	}
	profile, err := desc.Profile(map[uint16][craft.KeySize]byte{1: {1}, 2: {2}, 3: {3}})
	if err != nil {
		t.Fatal(err)
	}
	c.bundle("acme", "beacon", filepath.Join(c.dir, "image", "beacon.tar"), "acme")
	log := slog.New(slog.DiscardHandler)
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	}
	c.cfg = scheduler.Config{Craft: desc, Profile: profile, Radio: c.radio, Trust: trust,
		Data: filepath.Join(c.dir, "data"), Missions: filepath.Join(c.dir, "image"), Clock: clock.Real{}, Log: log}
	c.init = &fakeInit{t: t, slots: map[uint32]*fakeSlot{}, run: beacon}
	c.ground = newGround(t, profile, c.radio, filepath.Join(c.dir, "down"), ber)
	t.Cleanup(func() { c.halt(); c.ground.close(); c.init.killAll() })
	return c
}

// bundle packs a mission with a packet device, signed by the key of signer.
func (c *craftT) bundle(tenant, name, file, signer string) (digest string) {
	c.t.Helper()
	kernel := filepath.Join(c.t.TempDir(), "kernel")
	program := hvttest.Program(elf.EM_X86_64, []byte{0xF4}, hvt.Entry{Name: "link", Type: hvt.Net})
	if err := os.WriteFile(kernel, program, 0o644); err != nil {
		c.t.Fatal(err)
	}
	key, err := c.dev.Tenant(signer)
	if err != nil {
		c.t.Fatal(err)
	}
	toml := fmt.Sprintf("name = %q\ntenant = %q\n[guest]\nmemory = 8\n[[packet]]\nname = \"link\"\n", name, tenant)
	d, err := bundle.Write(file, bundle.Contents{Mission: []byte(toml), Kernels: map[string]string{"amd64": kernel, "arm64": kernel}}, key)
	if err != nil {
		c.t.Fatal(err)
	}
	return d.String()
}

// boot starts the craft from a reset; slots are gone.
func (c *craftT) boot() {
	c.boots++
	c.cfg.Boot = fmt.Sprintf("boot %d", c.boots)
	c.init.killAll()
	c.fly(initproto.Welcome{Boots: c.boots})
}

// fly starts the flight program as init would, with the slots that there are.
func (c *craftT) fly(w initproto.Welcome) {
	c.t.Helper()
	ours, theirs, err := initproto.Pair()
	if err != nil {
		c.t.Fatal(err)
	}
	conn, err := initproto.NewConn(theirs)
	if err != nil {
		c.t.Fatal(err)
	}
	c.cfg.Init = conn
	ctx, cancel := context.WithCancel(context.Background())
	served := c.init.serve(ours, w)
	c.ended = make(chan error, 1)
	go func(ended chan error) { ended <- scheduler.Run(ctx, c.cfg) }(c.ended)
	c.stop = func() {
		cancel()
		if err := <-c.ended; err != nil && !errors.Is(err, context.Canceled) {
			c.t.Errorf("flight: %v", err)
		}
		conn.Close()
		ours.Close()
		<-served
	}
}

// halt ends the flight program.
func (c *craftT) halt() {
	if c.stop != nil {
		c.stop()
		c.stop = nil
	}
}

// pipe is a radio: bits both ways inside the process.
type pipe struct{ up, down chan []byte }

func newPipe() *pipe { return &pipe{make(chan []byte, 256), make(chan []byte, 256)} }

func (p *pipe) Receive(ctx context.Context, fn func([]byte)) error {
	for {
		select {
		case b := <-p.up:
			fn(b)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *pipe) Write(ctx context.Context, b []byte) (int, error) {
	select {
	case p.down <- slices.Clone(b):
		return len(b), nil
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(500 * time.Millisecond):
		return 0, radio.ErrBusy
	}
}

// ground is the other end: the link engine, a CFDP entity, and what arrived.
type ground struct {
	t        *testing.T
	radio    *pipe
	up, down *channel.Channel
	quit     chan struct{}
	done     sync.WaitGroup

	mu       sync.Mutex
	link     *link.Ground
	cfdp     *cfdp.Entity
	files    map[string]cfdp.Condition
	seq      spp.Counter
	tm       []pus.Telemetry
	bad      int
	floor    uint64 // highest anti-replay number handed out
	recorded []byte // the uplink before the channel
}

type counter struct{ g *ground }

func (c counter) Next(uint16) (uint64, error) { c.g.floor++; return c.g.floor, nil }
func (c counter) AtLeast(_ uint16, n uint64) error {
	c.g.floor = max(c.g.floor, n)
	return nil
}

func newGround(t *testing.T, p link.Profile, r *pipe, dir string, ber float64) *ground {
	t.Helper()
	g := &ground{t: t, radio: r, quit: make(chan struct{}), files: map[string]cfdp.Condition{}}
	var err error
	if g.up, err = channel.New(1, channel.Config{BER: ber}); err != nil {
		t.Fatal(err)
	}
	if g.down, err = channel.New(2, channel.Config{BER: ber}); err != nil {
		t.Fatal(err)
	}
	g.link, err = link.NewGround(p, counter{g}, link.GroundEvents{
		Packet: func(vc ccsds.VCID, packet []byte, _ link.Offset) { g.packet(packet) },
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
			g.mu.Lock()
			b, _ = g.down.Pass(b)
			g.link.Receive(b)
			g.mu.Unlock()
		}
	}
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

func (g *ground) packet(p []byte) {
	if p[1] == 2 && p[0]&7 == 0 {
		_ = g.cfdp.Receive(time.Now(), p[spp.HeaderLength:])
		return
	}
	tm, err := pus.ParseTM(p)
	if err != nil {
		g.bad++
		return
	}
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

func (g *ground) setTime() timecode.Instant {
	g.t.Helper()
	now := timecode.FromTime(time.Now())
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

// fakeInit starts fake tenders and keeps their sockets.
type fakeInit struct {
	t    *testing.T
	run  func(*fakeSlot)
	spec *spawn.Spec // of real tenders; nil: fake ones

	mu      sync.Mutex
	conn    *initproto.Conn
	slots   map[uint32]*fakeSlot
	pids    uint32
	healthy int
	leaves  int
}

// fakeSlot is a fake tender: its own ends, and the ends that init keeps for flight.
type fakeSlot struct {
	id, pid       uint32
	name          string
	control, data *os.File // flight's ends
	ctl           *wire.Conn
	packets       *os.File
	claim         wire.Claim
	stopped       chan struct{}
	real          bool
}

// kill ends the tender.
func (s *fakeSlot) kill() {
	if s.real {
		_ = unix.Kill(int(s.pid), unix.SIGKILL) // it may have ended
		return
	}
	s.ctl.Close()
	s.packets.Close()
}

func pair(t *testing.T) (a, b *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Error(err)
		return nil, nil
	}
	return os.NewFile(uintptr(fds[0]), "a"), os.NewFile(uintptr(fds[1]), "b")
}

func (f *fakeInit) serve(conn *initproto.Conn, w initproto.Welcome) <-chan struct{} {
	f.mu.Lock()
	f.conn = conn
	w.KeptSlots = uint32(len(f.slots))
	err := conn.Send(w)
	for _, s := range f.slots {
		err = errors.Join(err, conn.Send(initproto.SlotReady{ID: s.id, PID: s.pid, Name: s.name, Kept: true}, s.control, s.data))
	}
	f.mu.Unlock()
	if err != nil {
		f.t.Error(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			m, _, err := conn.Receive()
			if err != nil {
				return
			}
			f.take(m)
		}
	}()
	return done
}

func (f *fakeInit) take(m initproto.Message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch m := m.(type) {
	case initproto.SlotRequest:
		if f.spec != nil {
			s, err := f.spawnReal(m)
			if err == nil {
				err = f.conn.Send(initproto.SlotReady{ID: s.id, PID: s.pid, Name: s.name}, s.control, s.data)
			}
			if err != nil {
				f.t.Error(err)
			}
			return
		}
		s := f.spawn(m)
		if err := f.conn.Send(initproto.SlotReady{ID: s.id, PID: s.pid, Name: s.name}, s.control, s.data); err != nil {
			f.t.Error(err)
		}
		go f.live(s)
	case initproto.SlotKill:
		if s := f.slots[m.ID]; s != nil {
			s.kill()
		}
	case initproto.Health:
		f.healthy++
	case initproto.SafeLeave:
		f.leaves++
	}
}

func (f *fakeInit) spawn(m initproto.SlotRequest) *fakeSlot {
	f.pids++
	s := &fakeSlot{id: m.ID, pid: 4000 + f.pids, name: m.Name, stopped: make(chan struct{})}
	var theirs *os.File
	s.control, theirs = pair(f.t)
	s.data, s.packets = pair(f.t)
	var err error
	if s.ctl, err = wire.NewConn(theirs); err != nil {
		f.t.Error(err)
	}
	f.slots[m.ID] = s
	return s
}

// live is the life of a tender: claim, guest, end.
func (f *fakeInit) live(s *fakeSlot) {
	defer func() {
		s.ctl.Close()
		s.packets.Close()
		f.mu.Lock()
		defer f.mu.Unlock()
		s.control.Close()
		s.data.Close()
		delete(f.slots, s.id)
		_ = f.conn.Send(initproto.SlotExited{ID: s.id}) // flight may be gone
	}()
	if s.ctl.Send(wire.Hello{Version: wire.Version, ABI: 2}) != nil {
		return
	}
	m, files, err := s.ctl.Receive()
	claim, ok := m.(wire.Claim)
	if err != nil || !ok || len(files) != claim.Files() {
		f.t.Errorf("claim: %T with %d files, %v", m, len(files), err)
		return
	}
	for _, file := range files {
		file.Close()
	}
	s.claim = claim
	if errors.Join(s.ctl.Send(wire.Claimed{}), s.ctl.Send(wire.Started{})) != nil {
		return
	}
	go func() {
		defer close(s.stopped)
		for {
			m, _, err := s.ctl.Receive()
			if _, stop := m.(wire.Stop); stop || err != nil {
				return
			}
		}
	}()
	f.run(s)
}

func (f *fakeInit) killAll() {
	f.mu.Lock()
	for _, s := range f.slots {
		s.kill()
	}
	f.mu.Unlock()
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(time.Millisecond) {
		f.mu.Lock()
		n := len(f.slots)
		f.mu.Unlock()
		if n == 0 {
			return
		}
	}
}

// slot finds the running slot of a guest.
func (f *fakeInit) slot(name string) *fakeSlot {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.slots {
		if s.name == name {
			return s
		}
	}
	return nil
}

// beacon is a guest that counts, answers telecommands, and ends when told to.
func beacon(s *fakeSlot) {
	_ = s.ctl.Send(wire.Console{Data: []byte("beacon is up\n")})
	count := byte(0)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	commands := make(chan []byte)
	go func() {
		buf := make([]byte, hvt.PacketMax)
		for {
			n, err := s.packets.Read(buf)
			if err != nil {
				close(commands)
				return
			}
			commands <- slices.Clone(buf[:n])
		}
	}()
	for {
		select {
		case <-tick.C:
			_, err := s.packets.Write([]byte{hvt.PacketTelemetry, count})
			if err != nil && !errors.Is(err, unix.EAGAIN) {
				return
			}
			count++
		case c, ok := <-commands:
			if !ok {
				return
			}
			if exit := command(s, c[1:]); exit != nil {
				_ = s.ctl.Send(*exit)
				return
			}
		case <-s.stopped:
			_ = s.ctl.Send(wire.Exited{Kind: wire.Killed, Reason: "stopped"})
			return
		}
	}
}

func command(s *fakeSlot, c []byte) *wire.Exited {
	switch {
	case string(c) == "abort":
		return &wire.Exited{Status: 255, Kind: wire.Abort, Reason: "asked to"}
	case strings.HasPrefix(string(c), "product "):
		name, size := "", 0
		if _, err := fmt.Sscanf(string(c), "product %s %d", &name, &size); err != nil {
			return nil
		}
		product(s.packets, name, size)
	default:
		_, _ = s.packets.Write(append([]byte{hvt.PacketTelemetry}, c...))
	}
	return nil
}

func product(w io.Writer, name string, size int) {
	_, _ = w.Write(append([]byte{hvt.PacketProductBegin}, name...))
	for at := 0; at < size; {
		n := min(4000, size-at)
		b := make([]byte, n+1)
		b[0] = hvt.PacketProductData
		for i := range n {
			b[i+1] = byte(at + i)
		}
		if _, err := w.Write(b); err != nil {
			return
		}
		at += n
	}
	end := []byte{hvt.PacketProductEnd, 0, 0, 0, 0, 0, 0, 0, 0}
	for i := range 8 {
		end[1+i] = byte(size >> (8 * i))
	}
	_, _ = w.Write(end)
}

package link_test

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/spp"
)

// disk is a Saver and a Counter that survives restarts of either side.
type disk struct {
	floor   map[uint16]uint64
	vr      map[ccsds.VCID]uint8
	next    map[uint16]uint64
	seen    map[uint16]uint64 // floors of the downlink
	broken  bool
	floored int // calls of SaveFloor
	vred    int // calls of SaveVR
}

func newDisk() *disk {
	return &disk{floor: map[uint16]uint64{}, vr: map[ccsds.VCID]uint8{}, next: map[uint16]uint64{}, seen: map[uint16]uint64{}}
}

var errDisk = errors.New("disk gone")

func (d *disk) LoadFloor(spi uint16) (uint64, error) { return d.floor[spi], nil }
func (d *disk) SaveFloor(spi uint16, n uint64) error {
	if d.broken {
		return errDisk
	}
	d.floored++
	d.floor[spi] = n
	return nil
}
func (d *disk) LoadVR(vc ccsds.VCID) (uint8, bool, error) { v, ok := d.vr[vc]; return v, ok, nil }
func (d *disk) SaveVR(vc ccsds.VCID, v uint8) error       { d.vred++; d.vr[vc] = v; return nil }
func (d *disk) Next(spi uint16) (uint64, error) {
	if d.broken {
		return 0, errDisk
	}
	d.next[spi]++
	return d.next[spi], nil
}
func (d *disk) Floor(spi uint16) (uint64, error) { return d.seen[spi], nil }
func (d *disk) Raise(spi uint16, n uint64) error {
	d.seen[spi] = max(d.seen[spi], n)
	return nil
}

func profile() link.Profile {
	return link.Profile{
		SCID: 42, DownRate: 512_000, UpRate: 256_000,
		Keys: map[uint16][32]byte{1: {1}, 2: {2}, 3: {3}},
		SPI:  map[ccsds.VCID]uint16{0: 1, 1: 2, 2: 3},
	}
}

// packet makes a space packet of n octets that says who it is.
func packet(id, n int) []byte {
	data := make([]byte, max(n-6, 8))
	binary.BigEndian.PutUint64(data, uint64(id))
	for i := 8; i < len(data); i++ {
		data[i] = byte(id + i)
	}
	p, err := spp.Append(nil, &spp.Packet{APID: 100, SeqFlags: spp.Unsegmented}, data)
	if err != nil {
		panic(err)
	}
	return p
}

func idOf(p []byte) int { return int(binary.BigEndian.Uint64(p[6:])) }

// world is a craft and a ground in one process with a noisy, slow channel each way and
// a clock that is stepped by hand.
type world struct {
	t     testing.TB
	p     link.Profile
	space *link.Space
	gnd   *link.Ground
	disk  *disk // on board
	keys  *disk // counter on the ground
	now   time.Time

	up, down     *channel.Channel
	upBits       []byte // waiting to be radiated
	downBits     []byte
	upAir        [][]byte // on the way: one entry a step
	downAir      [][]byte
	awgn         *channel.AWGN // soft symbols down, nil for bits
	cut          bool          // no bits at all arrive on the ground
	stall        int           // steps for which the craft stands still
	tap          func(up []byte)
	got          map[ccsds.VCID][]int // packets on board, by channel
	seen         map[ccsds.VCID][]int // packets on the ground
	accepted     map[ccsds.VCID][]int
	kinds        map[link.FOPKind]int
	alerts       map[string]int
	refused      map[string]int
	frames       []link.FrameInfo
	bad          int
	states       []link.SyncState
	upLock       bool
	feedUp       func(w *world)
	feedDown     func(w *world)
	receiveError error
}

const (
	stepTime = 10 * time.Millisecond
	oneWay   = 12 // steps
)

func newWorld(t testing.TB, p link.Profile, seed uint64, berUp, berDown float64) *world {
	t.Helper()
	w := &world{t: t, p: p.WithDefaults(), disk: newDisk(), keys: newDisk(), now: time.Unix(1_000_000, 0)}
	w.got, w.seen, w.accepted = map[ccsds.VCID][]int{}, map[ccsds.VCID][]int{}, map[ccsds.VCID][]int{}
	w.kinds, w.alerts, w.refused = map[link.FOPKind]int{}, map[string]int{}, map[string]int{}
	var err error
	if w.up, err = channel.New(2*seed, channel.Config{BER: berUp}); err != nil {
		t.Fatal(err)
	}
	if w.down, err = channel.New(2*seed+1, channel.Config{BER: berDown}); err != nil {
		t.Fatal(err)
	}
	w.bootSpace()
	w.bootGround()
	return w
}

// bootSpace starts the craft with what its disk holds.
func (w *world) bootSpace() {
	var err error
	w.space, err = link.NewSpace(w.p, w.disk, link.SpaceEvents{
		Packet:  func(vc ccsds.VCID, p []byte) { w.got[vc] = append(w.got[vc], idOf(p)) },
		Refused: func(layer, reason string, n int) { w.refused[layer+": "+reason] += n },
		UpLock:  func(l bool) { w.upLock = l },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.downBits = nil
}

func (w *world) bootGround() {
	var err error
	w.gnd, err = link.NewGround(w.p, w.keys, link.GroundEvents{
		Packet: func(vc ccsds.VCID, p []byte, _ link.Offset) { w.seen[vc] = append(w.seen[vc], idOf(p)) },
		Frame:  func(f link.FrameInfo) { w.frames = append(w.frames, f) },
		Bad:    func(string, uint64) { w.bad++ },
		State:  func(s link.SyncState) { w.states = append(w.states, s) },
		FOP: func(e link.FOPEvent) {
			w.kinds[e.Kind]++
			switch e.Kind {
			case link.FOPAlert:
				w.alerts[e.Reason]++
			case link.FOPAccepted:
				w.accepted[e.VC] = append(w.accepted[e.VC], e.Tag.(int))
			}
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.upBits = nil
}

// step advances the clock by stepTime.
func (w *world) step() {
	w.now = w.now.Add(stepTime)
	if w.feedUp != nil {
		w.feedUp(w)
	}
	if w.feedDown != nil {
		w.feedDown(w)
	}
	n := w.p.UpRate / 8 * int(stepTime/time.Millisecond) / 1000
	for len(w.upBits) < n {
		cltu := w.gnd.NextCLTU(w.now)
		if cltu == nil && w.p.Up == link.FramingPackets {
			break
		}
		if cltu == nil {
			cltu = []byte{0x55, 0x55, 0x55, 0x55}
		} else if w.tap != nil {
			w.tap(cltu)
		}
		w.upBits = append(w.upBits, cltu...)
	}
	n = min(n, len(w.upBits))
	out, _ := w.up.Pass(w.upBits[:n])
	w.upAir, w.upBits = append(w.upAir, out), w.upBits[n:]

	if w.stall > 0 {
		w.stall--
		w.gnd.Tick(w.now)
		return
	}
	n = w.p.DownRate / 8 * int(stepTime/time.Millisecond) / 1000
	for len(w.downBits) < n {
		w.downBits = w.space.NextCADU(w.downBits)
	}
	out, _ = w.down.Pass(w.downBits[:n])
	w.downAir, w.downBits = append(w.downAir, out), w.downBits[n:]

	for len(w.upAir) > oneWay {
		if err := w.space.Receive(w.upAir[0]); err != nil {
			w.receiveError = err
		}
		w.upAir = w.upAir[1:]
	}
	if len(w.downAir) > oneWay {
		switch {
		case w.cut:
		case w.awgn != nil:
			w.gnd.ReceiveSoft(w.awgn.AppendSoft(nil, w.downAir[0]))
		default:
			w.gnd.Receive(w.downAir[0])
		}
		w.downAir = w.downAir[1:]
	}
	w.gnd.Tick(w.now)
}

func (w *world) run(d time.Duration) {
	for range int(d / stepTime) {
		w.step()
	}
}

// until steps until done says so, and fails after limit.
func (w *world) until(limit time.Duration, what string, done func() bool) {
	w.t.Helper()
	for range int(limit / stepTime) {
		if done() {
			return
		}
		w.step()
	}
	s := w.gnd.Stats()
	w.t.Fatalf("%s: not within %v; ground %+v, space %+v, alerts %v", what, limit, s, w.space.Stats(), w.alerts)
}

// signal switches both directions.
func (w *world) signal(on bool) {
	w.up.SetSignal(on)
	w.down.SetSignal(on)
}

// load sends packets 0 to n-1 of changing length on vc whenever there is room.
func load(vc ccsds.VCID, n int, seed uint64) func(w *world) {
	rng, next := rand.New(rand.NewPCG(seed, uint64(vc))), 0
	return func(w *world) {
		for next < n && w.gnd.Room(vc) > 0 {
			if err := w.gnd.Send(vc, packet(next, 20+rng.IntN(900)), false, next); err != nil {
				w.t.Fatal(err)
			}
			next++
		}
	}
}

func inOrder(t testing.TB, what string, got []int, n int) {
	t.Helper()
	for i, v := range got {
		if v != i {
			t.Fatalf("%s: place %d holds %d", what, i, v)
		}
	}
	if len(got) != n {
		t.Fatalf("%s: %d, want %d", what, len(got), n)
	}
}

func both(fs ...func(*world)) func(*world) {
	return func(w *world) {
		for _, f := range fs {
			f(w)
		}
	}
}

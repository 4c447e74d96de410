// Package station is the process behind an antenna: it keeps the radio's bits flowing
// through link.Ground both ways, follows each telecommand from radiation to the craft's
// last report, carries files, and answers the API that internal/client speaks.
//
//	API ──▶ commands ──▶ link.Ground ──▶ pacer ──▶ radio
//	                        │  ▲
//	archive ◀── events ◀────┘  └── bits ◀────────── radio
//
// link.Ground, the commands and what is known of the craft are guarded by one lock,
// Station.mu. The archive and the files have locks of their own, taken inside it.
package station

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/missions/database"
)

// Uplink virtual channels and the APIDs of the craft's own services.
const (
	vcCommands = 0
	vcFiles    = 1
	vcRecovery = 2

	// Of the downlink: reports and replies, what tenants send, files.
	vcAnswers   = 0
	vcTenants   = 1
	vcFilesDown = 2

	apidFlight = 1
	apidFiles  = 2
)

// Radio takes and gives bits, eight to an octet.
type Radio interface {
	Receive(ctx context.Context, fn func(bits []byte)) error
	Write(ctx context.Context, bits []byte) (int, error)
}

// Archive keeps events.
type Archive interface {
	Add(client.Event) client.Event
	Last() uint64
	Follow(ctx context.Context, since uint64, fn func(client.Event) error) error
}

// Files carries files in both directions.
type Files interface {
	Upload(now time.Time, src io.Reader, p client.Put) (client.Transfer, error)
	Ask(now time.Time, a client.Ask) (client.Transfer, error)
	Control(now time.Time, id, verb string) (client.Transfer, error)
	Receive(now time.Time, pdu []byte, bit uint64) error
	Next(now time.Time) ([]byte, bool)
	Tick(now time.Time) time.Time
	Freeze(now time.Time, on bool)
	Transfers() []client.Transfer
	Wait(ctx context.Context, id string) (client.Transfer, error)
	List() ([]client.File, error)
	OpenFile(name string) (fs.File, error)
}

// Counters gives numbers that never repeat, over restarts too.
type Counters interface {
	link.Counter
	NextOf(name string) (uint64, error)
}

// Orders signs a flight order that names bundles and returns its token and sequence.
type Orders func(bundles ...string) (token string, sequence uint64, err error)

// Config is what a station is made of.
type Config struct {
	Craft    string
	Tenants  map[uint16]string  // APID → tenant
	Database *database.Database // what messages mean; nil: the flat-sat's
	Profile  link.Profile
	Clear    map[ccsds.VCID][]uint16 // APIDs whose packets are shown from channels in clear, though those where ours come are authenticated
	Radio    Radio
	Archive  Archive
	Files    Files
	Counters Counters
	Master   *[32]byte // under which new link keys go up; nil: keys are not changed
	Keys     Keys      // that were changed; nil: none are
	Orders   Orders    // nil: activations are refused
	Clock    clock.Clock
	Repeat   time.Duration // until a telecommand without a report is sent again; 0: 10 s
	Soft     bool          // the radio gives soft symbols, an int8 each, instead of bits
	AutoTime bool          // set the craft's clock whenever it reports that it is free
	Temp     string        // folder for bundles on their way
	Streams  string        // folder for what comes on channels that carry no packets; "": it is not kept
	Log      *slog.Logger
}

// Station is a running station.
type Station struct {
	cfg     Config
	started time.Time
	wake    chan struct{} // something new may be radiated

	mu          sync.Mutex
	ground      *link.Ground
	link        client.Link
	channels    map[ccsds.VCID]*channel
	limits      map[string]time.Time // when an event of this kind was last recorded
	health      *client.Housekeeping
	guests      map[string]client.Guest
	commands    []*command
	parts       pus.Assembler // of reports in parts
	streams     map[ccsds.VCID]*streamed
	byRequest   map[uint32]*command
	keys        map[way]*channelKeys
	secured     map[ccsds.VCID]uint16 // association of the last frame of a protected downlink channel
	fsr         *sdls.FSR             // the last frame security report; nil: none came
	replies     chan sdls.PDU         // to extended procedures
	rotating    sync.Mutex            // keys are being changed; taken before mu
	stepping    atomic.Bool           // steps of a rotation are being carried out
	recovering  bool                  // procedures go by the recovery channel; guarded by rotating
	activations map[string]*client.Activation
	radio       string
	sent        uint64 // octets
	filePackets uint16 // sequence count of APID 2
	repaired    repaired
	twice       duplicates
	symbols     []int8
	changed     bool   // the synchroniser's state, not yet recorded
	autoTime    uint64 // the command that sets the clock, while it is under way
}

// New makes a station. Run sets it to work.
func New(cfg Config) (*Station, error) {
	s := &Station{
		cfg: cfg, started: cfg.Clock.Now(), wake: make(chan struct{}, 1),
		channels: map[ccsds.VCID]*channel{}, streams: map[ccsds.VCID]*streamed{}, limits: map[string]time.Time{}, guests: map[string]client.Guest{},
		byRequest: map[uint32]*command{}, activations: map[string]*client.Activation{}, radio: "away",
	}
	s.link.State = link.Search.String()
	s.cfg.Profile = cfg.Profile.WithDefaults()
	if s.cfg.Database == nil {
		s.cfg.Database = database.Default()
	}
	if s.cfg.Repeat <= 0 {
		s.cfg.Repeat = repeatAfter
	}
	var err error
	if s.ground, err = link.NewGround(cfg.Profile, cfg.Counters, s.events()); err != nil {
		return nil, fmt.Errorf("station: %w", err)
	}
	if err := s.loadKeys(); err != nil {
		return nil, fmt.Errorf("station: %w", err)
	}
	s.cfg.Files.Freeze(s.started, true)
	return s, nil
}

// Run works until ctx ends.
func (s *Station) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 2)
	go func() { failed <- s.cfg.Radio.Receive(ctx, s.receive) }()
	go func() { failed <- s.transmit(ctx) }()
	err := <-failed
	cancel()
	err = errors.Join(err, <-failed)
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(err, s.ground.SaveFloors(), s.closeStreams())
}

// RadioState is told whether the radio's port is open: connected or away.
func (s *Station) RadioState(state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.radio != state {
		s.radio = state
		s.record(client.Event{Kind: client.KindRadio, Text: state})
	}
}

// receive takes bits from the radio.
func (s *Station) receive(bits []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cfg.Soft {
		s.receiveSoft(bits)
	} else {
		s.link.BitsReceived += uint64(len(bits)) * 8
		s.ground.Receive(bits)
	}
	s.recordState(s.link.BitsReceived)
	s.poke()
}

// receiveSoft takes soft symbols, one in each octet.
func (s *Station) receiveSoft(octets []byte) {
	s.symbols = s.symbols[:0]
	for _, v := range octets {
		s.symbols = append(s.symbols, int8(v))
	}
	s.link.BitsReceived += uint64(len(octets))
	s.ground.ReceiveSoft(s.symbols)
}

// poke lets the transmitter look for work.
func (s *Station) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Station) now() time.Time { return s.cfg.Clock.Now() }

// record adds an event to the archive.
func (s *Station) record(e client.Event) { s.cfg.Archive.Add(e) }

// seldom says whether an event of this name may be recorded again: noise makes some
// of them come with every frame.
func (s *Station) seldom(name string) bool {
	now := s.now()
	if last, ok := s.limits[name]; ok && now.Sub(last) < time.Second {
		return false
	}
	s.limits[name] = now
	return true
}

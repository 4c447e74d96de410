// Package services is what the craft does when it is told to: the services of the
// packet utilisation standard (ECSS-E-ST-70-41C) on board.
//
// A telecommand is checked and accepted, starts, and completes; service 1 reports each
// step. What is quick happens at once, functions of service 8 one after the other on
// their own goroutine, so that a long one does not hold up the link; those that
// wait for a guest to end run beside the others.
package services

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/perilune/perilune/bus"
	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/missions/database"
)

// apidFlight is the craft's own APID.
const apidFlight ccsds.APID = 1

// Periods of reports.
const (
	timePeriod  = 10 * time.Second
	noisePeriod = 10 * time.Second // reports of what was refused are gathered for so long
	quietPeriod = 10 * time.Minute // and those of what noise leaves of frames
)

// functionQueue bounds the functions that wait for the one that runs.
const functionQueue = 16

// Time is on-board time.
type Time interface {
	Now() (timecode.Instant, timecode.Quality)
	Set(timecode.Instant, timecode.Quality) error
	Changed() <-chan struct{}
}

// Records is where authority is kept; a Put that returned is on stable storage.
type Records interface {
	Put(bucket, key string, v any) error
	Get(bucket, key string, v any) error
}

// Guests runs missions. An error that is a *pus.Refusal says its own code.
type Guests interface {
	Start(context.Context, ids.Guest) error
	Stop(context.Context, ids.Guest) error
	// Suspend saves a guest and ends it; Resume lets it go on.
	Suspend(context.Context, ids.Guest) error
	Resume(context.Context, ids.Guest) error
	Command(g ids.Guest, data []byte) error
	// Console sends what is kept of the guest's console from offset on.
	Console(ctx context.Context, g ids.Guest, offset uint64) error
	Table() []pus.Guest
}

// Missions activates bundles.
type Missions interface {
	Activate(ctx context.Context, bundle, order string) (what string, err error)
}

// Streams sends files as they are on downlink channels that carry something else than packets.
type Streams interface {
	Start(vc ccsds.VCID, file pus.FileName) error
	Stop(vc ccsds.VCID) error
}

// Mode is normal or safe.
type Mode interface {
	Mode() uint8
	Enter(ctx context.Context, cause string) error
	Leave(context.Context) error
}

// Config connects Services.
type Config struct {
	Clock    clock.Clock
	Time     Time
	Records  Records
	Guests   Guests
	Missions Missions
	Mode     Mode
	Restart  func(ctx context.Context, keep bool) error // the craft; keep: guests go on afterwards
	Database *database.Database                         // nil: the flat-sat's
	Tenant   func(ccsds.APID) (name string, ok bool)
	APIDs    []uint16                                        // whose reports go to the ground unless it says otherwise
	Send     func(service, subtype uint8, data []byte) error // on the craft's own APID
	Status   func() pus.Housekeeping                         // without what Services knows itself
	Security func(command []byte) (reply []byte, err error)  // an extended procedure of SDLS
	Store    Store                                           // nil: telemetry is not stored
	Depot    Depot                                           // nil: no files
	Orbit    Orbit                                           // nil: nothing waits for a place on it
	Streams  Streams                                         // nil: files are not streamed
	Publish  func(bus.Event)
	Log      *slog.Logger
}

// Services is safe for concurrent use; Run must run.
type Services struct {
	cfg       Config
	functions chan pus.Telecommand
	changed   chan struct{} // the guest table is worth a report
	plan      *schedule
	positions *schedule // nil without an orbit
	recent    *recent
	noise     noise // of the link
	refused   noise // packets

	handlers    map[pus.Kind]handler
	structures  *kept[[]structureState]
	samples     samples
	silent      *kept[[]uint16] // events that are not reported
	settings    *kept[map[string]uint64]
	notStoring  *kept[bool]
	actions     *kept[actions]
	raised      chan pus.EventID // events that may have an action
	monitors    *kept[monitors]
	copyReports *kept[uint32] // ms between TM[23,23]; 0: none
	forwarding  forwarding
	statistics  *kept[statistics]
	tally       tally
	loaded      *kept[[]pus.SequenceLoad]
	sequences   sequences
	large       large
	protected   *kept[[]uint16] // memories of service 6
	watchMu     sync.Mutex      // for who reads what the checks have found
	watch       map[uint16]*watched
}

// New makes the services, with the schedule that the records hold. A schedule that
// cannot be read is an error beside working services with an empty one.
func New(cfg Config) (*Services, error) {
	if cfg.Database == nil {
		cfg.Database = database.Default()
	}
	s := &Services{cfg: cfg, functions: make(chan pus.Telecommand, functionQueue), changed: make(chan struct{}, 1)}
	var errPlan, errPositions, errRecent error
	s.plan, errPlan = s.loadSchedule(pus.ServiceSchedule, "plan", byTime{s})
	if cfg.Orbit != nil {
		s.positions, errPositions = s.loadSchedule(pus.ServicePosition, "positions", byPosition{s})
	}
	s.recent, errRecent = loadRecent(cfg.Records, cfg.Clock.Now())
	s.samples.of, s.sequences = map[uint16][]series{}, newSequences()
	s.large.last, s.large.wake = map[uint16]time.Time{}, make(chan struct{}, 1)
	s.noise.m, s.refused.m = map[string]*heard{}, map[string]*heard{}
	s.raised, s.handlers = make(chan pus.EventID, actionQueue), s.standard()
	return s, errors.Join(errPlan, errPositions, errRecent, s.loadStandard())
}

// loadStandard reads what the standard services keep.
func (s *Services) loadStandard() error {
	var errs [11]error
	r := s.cfg.Records
	s.structures, errs[0] = load(r, "structures", firstStructures(s.cfg.Database))
	s.silent, errs[1] = load(r, "silent events", []uint16(nil))
	s.settings, errs[2] = load(r, "settings", map[string]uint64(nil))
	s.notStoring, errs[3] = load(r, "not storing", false)
	s.actions, errs[4] = load(r, "actions", actions{})
	s.monitors, errs[5] = load(r, "monitoring", monitors{})
	s.copyReports, errs[6] = load(r, "copy reports", uint32(0))
	errs[7] = s.loadForwarding()
	s.statistics, errs[8] = load(r, "statistics", statistics{})
	s.protected, errs[10] = load(r, "protected memories", []uint16(nil))
	s.loaded, errs[9] = load(r, "sequences", []pus.SequenceLoad(nil))
	return errors.Join(errs[:]...)
}

// Run does what has its own time: reports, the schedule, functions. It returns ctx's
// error when ctx ends.
func (s *Services) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { s.runFunctions(ctx) })
	wg.Go(func() { s.plan.run(ctx) })
	if s.positions != nil {
		wg.Go(func() { s.positions.run(ctx) })
	}
	wg.Go(func() { s.runReports(ctx) })
	wg.Go(func() { s.runActions(ctx) })
	wg.Go(func() { s.runMonitoring(ctx) })
	wg.Go(func() { s.runCopyReports(ctx) })
	wg.Go(func() { s.runStatistics(ctx) })
	wg.Go(func() { s.runSequences(ctx) })
	wg.Go(func() { s.runLarge(ctx) })
	wg.Wait()
	return ctx.Err()
}

// rest waits until wake, and if something is due by itself at most for wait. It says whether
// ctx still runs.
func (s *Services) rest(ctx context.Context, wait time.Duration, due bool, wake <-chan struct{}) bool {
	var timer <-chan time.Time
	if due {
		timer = s.cfg.Clock.After(wait)
	}
	select {
	case <-ctx.Done():
		return false
	case <-wake:
	case <-timer:
	}
	return true
}

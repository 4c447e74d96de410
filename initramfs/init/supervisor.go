package main

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/internal/initproto"
	"github.com/perilune/perilune/tender/spawn"
)

// times are the supervisor's patience. They are long because a loaded
// processor may be slow, not dead.
type times struct {
	tick       time.Duration // how often health is looked at
	health     time.Duration // flight without Health for so long is killed
	feed       time.Duration // without Health for so long the watchdog starves
	restart    time.Duration // pause before flight starts again
	maxRestart time.Duration // the pause doubles up to this in safe mode
	stop       time.Duration // between asking flight to end and killing it
	send       time.Duration // for a message that flight does not take
	refill     time.Duration // between a claim and the start of the slot that takes its place
	maxRefill  time.Duration // it doubles up to this while slots do not live
}

var flightTimes = times{
	tick: 5 * time.Second, health: 90 * time.Second, feed: 5 * time.Minute,
	restart: 200 * time.Millisecond, maxRestart: 30 * time.Second,
	stop: 5 * time.Second, send: 5 * time.Second, refill: 100 * time.Millisecond, maxRefill: time.Minute,
}

// supervisor keeps the flight program running and serves it. All its state
// belongs to the one goroutine in run.
type supervisor struct {
	flightPath, tenderPath string
	env                    []string
	uid, gid               int // of flight; slots run as initproto.SlotUID+ID
	namespaces             uintptr
	console                *os.File
	cgroups                cgroups
	kvm                    *os.File // nil when there is none
	spawn                  func(spawn.Spec) (*spawn.Slot, error)
	mountData              func() error
	disk                   func() (string, error) // "major:minor" of what the data partition lies on
	feed                   func()
	times                  times

	boots     uint32
	bootCause string // why the craft started, for the first Welcome
	dataErr   error

	flight   *flight // nil between two lives
	messages chan received
	orders   chan string // of a simulator; nil or silent on a board
	restart  <-chan time.Time
	restarts uint32
	deaths   deaths
	pause    time.Duration
	healthy  time.Time // of the last Health; the start counts as one
	hungry   bool      // the watchdog is not fed any more
	slots    slots
	keeper   keeper
	pool     pool

	mode  initproto.Mode
	cause string
}

// run serves until the craft has to restart, and says why. A signal on
// children means that a process has ended.
func (s *supervisor) run(children, stop <-chan os.Signal) string {
	s.messages = make(chan received)
	s.keeper = keeper{}
	s.healthy = time.Now()
	tick := time.NewTicker(s.times.tick)
	defer tick.Stop()
	s.feed()
	s.chooseMode()
	s.startFlight()
	for {
		select {
		case <-children:
			s.reap()
		case m := <-s.messages:
			if reason, reboot := s.receive(m); reboot {
				return reason
			}
		case <-s.restart:
			s.restart = nil
			s.startFlight()
		case <-tick.C:
			s.look(time.Now())
		case <-s.pool.due:
			s.refill()
		case <-s.pool.calm:
			s.calmDown()
		case o := <-s.orders:
			s.obey(o)
		case sig := <-stop:
			return sig.String()
		}
	}
}

// chooseMode is asked when the craft starts and when it leaves safe mode.
func (s *supervisor) chooseMode() {
	s.mode, s.cause = initproto.Normal, s.bootCause
	if s.dataErr != nil {
		s.mode, s.cause = initproto.Safe, "data partition: "+s.dataErr.Error()
		logf("safe mode: %s", s.cause)
	}
}

// obey carries out an order of the simulator.
func (s *supervisor) obey(order string) {
	if order == orderKill && s.flight != nil {
		s.killFlight("ordered by the simulator")
	}
}

// look feeds the watchdog, and ends a flight program that gives no sign of
// life. The watchdog is also fed while flight comes back, but not for ever.
func (s *supervisor) look(now time.Time) {
	hungry := now.Sub(s.healthy) >= s.times.feed
	if !hungry {
		s.feed()
	} else if !s.hungry {
		logf("no health for %s: the watchdog starves", now.Sub(s.healthy).Round(time.Second))
	}
	s.hungry = hungry
	f := s.flight
	if f == nil {
		return
	}
	if f.asked != (time.Time{}) && now.Sub(f.asked) > s.times.stop {
		s.killFlight("does not end")
	} else if now.Sub(f.lastSign) > s.times.health {
		s.killFlight("gives no sign of health")
	}
}

// receive serves one message of flight; one of a dead flight is passed over.
func (s *supervisor) receive(m received) (reason string, reboot bool) {
	if s.flight == nil || m.from != s.flight {
		closeAll(m.files)
		return "", false
	}
	if m.err != nil {
		logf("flight: %v", m.err)
		return "", false
	}
	files := m.files
	switch m := m.message.(type) {
	case initproto.Health:
		s.flight.lastSign = time.Now()
		s.healthy = s.flight.lastSign
		s.pause = 0
	case initproto.SlotRequest:
		s.startSlot(m)
	case initproto.SlotKill:
		s.slots.kill(m.ID)
	case initproto.Keep:
		if err := s.keeper.keep(m.Name, files); err != nil {
			logf("flight: %v", err)
		}
	case initproto.Forget:
		s.keeper.forget(m.Name)
	case initproto.Pool:
		s.setPool(m.Size)
	case initproto.SafeLeave:
		s.leaveSafe()
	case initproto.Reboot:
		return fmt.Sprintf("flight asks: %q", m.Reason), true
	default:
		logf("flight: unexpected %T", m)
	}
	return "", false
}

// reap collects every process that has ended, orphans too.
func (s *supervisor) reap() {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, unix.WNOHANG, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		if s.flight != nil && pid == s.flight.pid {
			s.flightEnded(describe(status))
		} else if slot := s.slots.ended(pid); slot != nil {
			logf("slot %d (%s): %s", slot.id, slot.name, describe(status))
			if slot.reported {
				s.tell(initproto.SlotExited{ID: slot.id, Status: uint8(status.ExitStatus() & 0xff), Signal: signalOf(status)})
			}
		} else {
			s.idleEnded(pid, describe(status))
		}
	}
}

func signalOf(w unix.WaitStatus) uint8 {
	if w.Signaled() {
		return uint8(w.Signal())
	}
	return 0
}

func describe(w unix.WaitStatus) string {
	if w.Signaled() {
		return fmt.Sprintf("killed by signal %d (%s)", int(w.Signal()), unix.SignalName(w.Signal()))
	}
	return fmt.Sprintf("ended with status %d", w.ExitStatus())
}

// flightEnded decides what comes after a death: a new life, or safe mode.
func (s *supervisor) flightEnded(how string) {
	f := s.flight
	s.flight = nil
	f.conn.Close()
	s.restarts++
	if f.asked != (time.Time{}) {
		logf("flight %s, as asked", how)
		s.chooseMode()
		s.startFlight()
		return
	}
	logf("flight %s", how)
	now := time.Now()
	tooMany := s.deaths.add(now)
	if tooMany && s.mode == initproto.Normal {
		s.enterSafe(fmt.Sprintf("flight died %d times in %s, last: %s", maxDeaths, deathWindow, how))
	} else if s.mode == initproto.Normal {
		s.cause = "flight " + how
	}
	s.restart = time.After(s.nextPause())
}

// nextPause is short at first; in safe mode there is nothing left to try but
// patience.
func (s *supervisor) nextPause() time.Duration {
	if s.mode == initproto.Normal || s.pause == 0 {
		s.pause = s.times.restart
	} else {
		s.pause = min(2*s.pause, s.times.maxRestart)
	}
	return s.pause
}

func (s *supervisor) enterSafe(cause string) {
	s.mode, s.cause = initproto.Safe, cause
	logf("safe mode: %s", cause)
	s.slots.killAll()
	s.keeper.clear()
	s.pool.killAll()
}

// leaveSafe starts flight anew, in normal mode if the data partition allows.
func (s *supervisor) leaveSafe() {
	logf("flight asks to leave safe mode")
	s.deaths.forget()
	s.bootCause = ""
	if s.dataErr != nil {
		s.dataErr = s.mountData()
	}
	if s.flight.asked == (time.Time{}) {
		s.flight.asked = time.Now()
		if err := unix.Kill(s.flight.pid, unix.SIGTERM); err != nil {
			logf("flight: %v", err)
		}
	}
}

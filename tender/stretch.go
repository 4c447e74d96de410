package tender

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/gdb"
	"github.com/perilune/perilune/tender/kvm"
)

// piece is one stretch of running: what each vCPU does, those that start
// meanwhile too, and what ended it.
type piece struct {
	d       *Debug
	actions map[int]gdb.Action
	running sync.WaitGroup
	stop    *gdb.Stop // what stopped it first; guarded by Machine.lock, as is
	err     error
}

// stretch runs vCPUs by their actions, with the breakpoints in place except
// for one. Break instructions are in the guest's memory only meanwhile.
func (d *Debug) stretch(actions map[int]gdb.Action, except uint64) (gdb.Stop, error) {
	saved := map[uint64][]byte{}
	for _, at := range slices.Sorted(maps.Keys(d.software)) {
		if at == except {
			continue
		}
		saved[at] = make([]byte, len(kvm.BreakInstruction))
		if err := d.ReadMemory(at, saved[at]); err != nil {
			return gdb.Stop{}, err
		}
	}
	for at := range saved {
		if err := d.WriteMemory(at, kvm.BreakInstruction); err != nil {
			return gdb.Stop{}, err
		}
	}
	stop, err := d.together(&piece{d: d, actions: actions})
	for at, b := range saved {
		err = errors.Join(err, d.WriteMemory(at, b))
	}
	return stop, err
}

// together runs vCPUs until all of them have stopped.
func (d *Debug) together(s *piece) (gdb.Stop, error) {
	if !d.rings {
		d.rings = true
		d.m.startRings()
	}
	begun := d.begun()
	d.m.lock.Lock()
	d.now = s
	for _, t := range begun {
		s.start(t)
	}
	d.m.lock.Unlock()
	s.running.Wait()
	d.rearm()
	d.m.lock.Lock()
	d.now = nil
	culprit := d.m.culprit
	d.m.lock.Unlock()
	if culprit != nil && d.over == nil {
		e := d.m.stopRings(d.m.result)
		d.over = &e
	}
	if s.stop == nil {
		return gdb.Stop{}, s.err
	}
	return *s.stop, s.err
}

// begin takes a vCPU that the guest starts. The caller holds the lock.
func (d *Debug) begin(p *processor) {
	if d.now != nil {
		d.now.start(d.threads[p.number])
	}
}

// start runs a vCPU, if it shall. The caller holds the lock.
func (s *piece) start(t *thread) {
	action := s.actions[t.id()]
	if action == gdb.Stay {
		return
	}
	if err := t.p.v.SetDebug(action == gdb.Step, s.d.hardware); err != nil {
		s.err = errors.Join(s.err, err)
		s.d.m.interrupt()
		return
	}
	s.running.Add(1)
	t.work <- func() {
		defer s.running.Done()
		s.loop(t, action == gdb.Step)
	}
}

// loop runs one vCPU until it stops or another one has.
func (s *piece) loop(t *thread, step bool) {
	m, p := s.d.m, t.p
	here, err := p.v.PC()
	if err != nil {
		s.fail(err)
		return
	}
	for {
		goesOn := p.held != nil // a call, whose instruction is done
		x, err := p.next()
		switch {
		case errors.Is(err, kvm.ErrKicked) && s.interrupted(t):
			return
		case err != nil:
			s.end(t, m.ended(p.v, x, err))
			return
		case x.Kind == kvm.ExitCall:
			e, ended := p.call(hvt.Number(x.Number), x.Arg)
			switch {
			case ended && e.Kind == Killed && s.interrupted(t):
				s.hold(t, x)
				return
			case ended:
				s.end(t, e)
				return
			}
			if p.until = (time.Time{}); !step || goesOn {
				continue
			}
			s.complete(t, here)
			return
		case m.kicked(x):
			if !step {
				continue
			}
			s.complete(t, here)
			return
		}
		s.exit(t, x)
		return
	}
}

// hold keeps a call that was cut short. Its instruction is completed first: the registers are
// those behind it, and if the debugger changes them, nothing changes them again.
func (s *piece) hold(t *thread, x kvm.Exit) {
	if _, err := t.p.v.Finish(); err != nil && !errors.Is(err, kvm.ErrKicked) {
		s.fail(err)
		return
	}
	t.p.held = &x
}

// interrupted says whether the vCPU was stopped for another one's sake, or
// for the debugger's, who is told so by the first that hears of it.
func (s *piece) interrupted(t *thread) bool {
	s.d.m.lock.Lock()
	defer s.d.m.lock.Unlock()
	if s.stop == nil && s.err == nil && s.d.m.culprit == nil {
		if !s.d.asked.Swap(false) {
			return false
		}
		s.first(gdb.Stop{Signal: gdb.SigInt, Thread: t.id()})
	}
	return true
}

// first notes a stop, unless there was one, and stops the others. The caller
// holds the lock.
func (s *piece) first(stop gdb.Stop) (noted bool) {
	if s.stop != nil || s.d.m.culprit != nil {
		return false
	}
	s.stop = &stop
	s.d.m.interrupt()
	return true
}

func (s *piece) fail(err error) {
	s.d.m.lock.Lock()
	defer s.d.m.lock.Unlock()
	s.err = errors.Join(s.err, err)
	s.d.m.interrupt()
}

// complete ends a step over a hypercall or a kick right behind its instruction.
func (s *piece) complete(t *thread, here uint64) {
	x, err := t.p.v.Finish()
	if err != nil && !errors.Is(err, kvm.ErrKicked) {
		s.end(t, s.d.m.ended(t.p.v, x, err))
		return
	}
	if pc, err := t.p.v.PC(); err != nil || pc == here {
		s.fail(errors.Join(err, fmt.Errorf("the step stayed at %#x", here)))
		return
	}
	s.trapped(t)
}

// exit tells what a debugger asked for from a guest's end.
func (s *piece) exit(t *thread, x kvm.Exit) {
	if at, ok := t.p.v.Breakpoint(x); ok && s.d.software[at] {
		v, err := t.p.v.Registers()
		if err == nil {
			v.Set(v.PC, at)
			err = t.p.v.SetRegisters(v)
		}
		if err != nil {
			s.fail(err)
			return
		}
		s.tell(t, t.trap())
		return
	}
	if w, ok := t.p.v.Watched(x, s.d.hardware); ok {
		stop := t.trap()
		stop.Watch, stop.At = points[w.On], w.Addr
		s.tell(t, stop)
		return
	}
	if x.Kind == kvm.ExitDebug {
		s.trapped(t)
		return
	}
	s.end(t, s.d.m.ended(t.p.v, x, nil))
}

// points are the debugger's names of what the processor watches for.
var points = [...]gdb.Point{kvm.Write: gdb.WatchWrite, kvm.Read: gdb.WatchRead, kvm.ReadWrite: gdb.WatchAccess}

// tell keeps a stop for later that the debugger is not told of now.
func (s *piece) tell(t *thread, stop gdb.Stop) {
	s.d.m.lock.Lock()
	defer s.d.m.lock.Unlock()
	if !s.first(stop) {
		t.untold = &stop
	}
}

// trapped tells of the end of a step, which nobody misses later.
func (s *piece) trapped(t *thread) {
	s.d.m.lock.Lock()
	defer s.d.m.lock.Unlock()
	s.first(t.trap())
}

// end notes how the guest ended, unless another vCPU was first.
func (s *piece) end(t *thread, e Exit) {
	s.d.m.lock.Lock()
	defer s.d.m.lock.Unlock()
	s.d.m.concludeLocked(t.p, e)
	s.d.m.interrupt()
}

package tender

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/kvm"
	"github.com/perilune/perilune/tender/modules"
)

// processor is one vCPU of the guest. A thread of its own runs it from the
// moment it starts; number 0 runs on Machine.Run's.
//
// All of them share the memory. WALLTIME, PUTS, HALT and the calls of vCPUs
// serve any of them; POLL, the devices and the rings belong to number 0, so
// that nothing below them needs a lock.
type processor struct {
	m      *Machine
	number uint32
	v      *kvm.VCPU
	begun  bool          // guarded by Machine.lock
	token  chan struct{} // holds a wake that no park has used yet
	until  time.Time     // when the call that waits is over; zero before it begins
	held   *kvm.Exit     // a call that a snapshot cut short, to be resumed
	timer  *time.Timer
}

func (m *Machine) newProcessor(v *kvm.VCPU) *processor {
	return &processor{m: m, number: uint32(len(m.processors)), v: v, token: make(chan struct{}, 1)}
}

// addProcessors makes those that the manifest asks for beside the first.
func (m *Machine) addProcessors(count int) error {
	for len(m.processors) < count {
		v, err := m.vm.NewVCPU()
		if err != nil {
			return err
		}
		m.lock.Lock()
		m.processors = append(m.processors, m.newProcessor(v))
		m.lock.Unlock()
	}
	if count > 1 {
		// Each sits in the kernel most of the time, but when it comes back it
		// must not wait for another one's turn to end.
		runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), count+1))
	}
	return nil
}

// run is the life of one vCPU on the calling thread, to the end of the guest.
func (p *processor) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	p.runHere()
}

// runHere is run for a goroutine that is bound to its thread already.
func (p *processor) runHere() { p.m.conclude(p, p.loop()) }

// loop runs the guest until this vCPU ends it or somebody else does.
func (p *processor) loop() Exit {
	for {
		x, err := p.next()
		if err == nil && x.Kind == kvm.ExitCall {
			e, ended := p.call(hvt.Number(x.Number), x.Arg)
			if !ended {
				p.until = time.Time{}
				continue
			}
			if e.Kind != Killed || !p.m.pausing.Load() {
				return e
			}
			p.held, err = &x, kvm.ErrKicked
		}
		if err == nil && p.m.kicked(x) {
			continue
		}
		if errors.Is(err, kvm.ErrKicked) && p.m.pausing.Load() {
			goesOn, restErr := p.rest()
			if goesOn {
				continue
			}
			err = cmp.Or(restErr, err)
		}
		return p.m.ended(p.v, x, err)
	}
}

// halt notes the first HALT only: it decides what a core file says.
func (p *processor) halt(gpa uint64) Exit {
	p.m.lock.Lock()
	defer p.m.lock.Unlock()
	if p.m.over() {
		return killed()
	}
	e, _ := p.m.call(hvt.CallHalt, gpa)
	p.m.concludeLocked(p, e)
	return e
}

// next is the call that a snapshot cut short, or the guest's next exit.
func (p *processor) next() (kvm.Exit, error) {
	if p.held != nil {
		x := *p.held
		p.held = nil
		return x, nil
	}
	return p.v.Run()
}

// call serves one hypercall of this vCPU.
func (p *processor) call(n hvt.Number, gpa uint64) (e Exit, ended bool) {
	switch {
	case n.Extended():
		if err := p.vcpuCall(n, gpa); err != nil {
			return callError(err), true
		}
		return Exit{}, false
	case len(p.m.processors) == 1:
		return p.m.call(n, gpa)
	case n == hvt.CallHalt:
		return p.halt(gpa), true
	case p.number != 0 && ownedByFirst(n):
		if err := p.m.refuse(n, gpa); err != nil {
			return callError(err), true
		}
		return Exit{}, false
	}
	return p.m.call(n, gpa)
}

// longestWait stands for ever.
const longestWait = 100 * 365 * 24 * time.Hour

// left is what remains, in nanoseconds, of a wait that began with timeout.
func (p *processor) left(timeout uint64) uint64 {
	if p.until.IsZero() {
		p.until = time.Now().Add(time.Duration(min(timeout, uint64(longestWait))))
	}
	return uint64(max(time.Until(p.until), 0))
}

// park sleeps until a wake, for timeout nanoseconds at most. A wake that came
// before is used up at once.
func (p *processor) park(timeout uint64) (hvt.Result, error) {
	select {
	case <-p.token:
		return hvt.ResultOK, nil
	default:
	}
	wait := time.Duration(p.left(timeout))
	if p.timer == nil {
		p.timer = time.NewTimer(wait)
	} else {
		p.timer.Reset(wait)
	}
	defer p.timer.Stop()
	select {
	case <-p.token:
		return hvt.ResultOK, nil
	case <-p.timer.C:
		return hvt.ResultAgain, nil
	case <-p.m.interruption():
		return 0, modules.ErrStopped
	}
}

// wake lets a parked vCPU go on, or its next park return at once. Several
// wakes before a park are one.
func (p *processor) wake() {
	select {
	case p.token <- struct{}{}:
	default:
	}
}

// conclude notes how the guest ended, unless another vCPU was first, and ends
// the others.
func (m *Machine) conclude(p *processor, e Exit) {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.concludeLocked(p, e)
	if len(m.processors) > 1 {
		m.quit()
	}
}

func (m *Machine) concludeLocked(p *processor, e Exit) {
	if m.culprit == nil {
		m.culprit = p
		if len(m.processors) > 1 && e.Kind != Halt && e.Kind != Killed {
			e.Reason = fmt.Sprintf("vCPU %d: %s", p.number, e.Reason)
		}
		m.result = e
		m.rests.changed.Broadcast()
	}
}

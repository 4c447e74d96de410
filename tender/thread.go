package tender

import (
	"runtime"

	"github.com/perilune/perilune/tender/gdb"
	"github.com/perilune/perilune/tender/kvm"
)

// thread is a vCPU under a debugger, with a thread of the system that runs it.
type thread struct {
	p      *processor
	untold *gdb.Stop // it reached a breakpoint while another one's stop was told
	aside  *cut      // a call from behind which the debugger moved it
	work   chan func()
}

// cut is a call that was cut short, and where the guest goes on after it.
type cut struct {
	call   kvm.Exit
	behind uint64
}

func newThread(p *processor) *thread {
	t := &thread{p: p, work: make(chan func())}
	go func() {
		runtime.LockOSThread()
		for f := range t.work {
			f()
		}
	}()
	return t
}

func (t *thread) id() int { return int(t.p.number) + 1 }

func (t *thread) trap() gdb.Stop { return gdb.Stop{Signal: gdb.SigTrap, Thread: t.id()} }

// moved is for when the debugger sets the program counter. A call that was cut short waits
// until the vCPU is put back behind it, as gdb does after it had a function called.
func (t *thread) moved(from, to uint64) {
	switch {
	case from == to:
	case t.p.held != nil:
		t.aside, t.p.held = &cut{*t.p.held, from}, nil
	case t.aside != nil && t.aside.behind == to:
		t.p.held, t.aside = &t.aside.call, nil
	}
}

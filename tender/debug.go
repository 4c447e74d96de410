package tender

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/gdb"
	"github.com/perilune/perilune/tender/kvm"
	"github.com/perilune/perilune/tender/regs"
	"golang.org/x/sys/unix"
)

// maxPoints bounds what a debugger may insert.
const maxPoints = 4096

// Debug is a debugger's hold on a loaded machine: it runs the guest in
// pieces, in place of Machine.Run. It is a gdb.Target. All of a session
// belongs to one goroutine, which Debug locks to its thread.
type Debug struct {
	m        *Machine
	v        *kvm.VCPU
	software map[uint64]bool
	hardware []uint64
	asked    atomic.Bool // to interrupt
	pending  *kvm.Exit   // a hypercall that an interrupt cut short
	over     *Exit       // how the guest ended
	shown    bool        // over was reported as a signal, so that it can be looked at
}

// Debug takes hold of the machine.
func (m *Machine) Debug() *Debug {
	runtime.LockOSThread()
	return &Debug{m: m, v: m.VCPU(), software: map[uint64]bool{}}
}

// Registers reads the guest's registers.
func (d *Debug) Registers() (regs.Values, error) { return d.v.Registers() }

// SetRegisters writes them.
func (d *Debug) SetRegisters(v regs.Values) error { return d.v.SetRegisters(v) }

// ReadMemory reads guest memory, whatever the guest itself may do there.
func (d *Debug) ReadMemory(addr uint64, b []byte) error {
	return d.m.mem.peek(addr, b)
}

// WriteMemory writes guest memory, the read-only parts too.
func (d *Debug) WriteMemory(addr uint64, b []byte) error {
	return d.m.mem.poke(addr, b)
}

// Insert sets a breakpoint; a second one at the same place is the same.
func (d *Debug) Insert(p gdb.Point, addr uint64) error {
	if addr > uint64(len(d.m.mem.b)-len(kvm.BreakInstruction)) {
		return &AccessError{addr, uint64(len(kvm.BreakInstruction))}
	}
	switch {
	case p == gdb.Software && len(d.software) < maxPoints:
		d.software[addr] = true
	case p == gdb.Hardware && slices.Contains(d.hardware, addr):
	case p == gdb.Hardware && len(d.hardware) < kvm.MaxHardware:
		d.hardware = append(d.hardware, addr)
	default:
		return errors.New("too many breakpoints")
	}
	return nil
}

// Remove takes a breakpoint away; there need be none.
func (d *Debug) Remove(p gdb.Point, addr uint64) error {
	if p == gdb.Software {
		delete(d.software, addr)
		return nil
	}
	d.hardware = slices.DeleteFunc(d.hardware, func(a uint64) bool { return a == addr })
	return nil
}

// Interrupt stops a running guest, or the next Resume at once.
func (d *Debug) Interrupt() {
	d.asked.Store(true)
	signal(d.m.stop)
	d.v.Interrupt()
}

// rearm takes an interrupt back, so that the guest can run on.
func (d *Debug) rearm() {
	var b [8]byte
	_, _ = unix.Read(d.m.stop, b[:])
	d.v.Continue()
}

// Resume runs the guest until something stops it. A guest that ends by an
// abort or by a fault is shown as stopped by a signal first.
func (d *Debug) Resume(step bool) (gdb.Stop, error) {
	if d.over == nil {
		stop, err := d.run(step)
		if err != nil || d.over == nil {
			return stop, err
		}
	}
	if !d.shown {
		d.shown = true
		switch d.over.Kind {
		case Abort:
			return gdb.Stop{Signal: gdb.SigAbrt}, nil
		case Fault:
			return gdb.Stop{Signal: gdb.SigSegv}, nil
		case Internal:
			return gdb.Stop{Signal: gdb.SigIll}, nil
		}
	}
	return gdb.Stop{Exited: true, Status: d.over.Status}, nil
}

// Finish lets a guest that gdb has let go run to its end, or says how it
// ended already.
func (d *Debug) Finish() Exit {
	defer runtime.UnlockOSThread()
	d.software, d.hardware = map[uint64]bool{}, nil
	for d.over == nil {
		if _, err := d.run(false); err != nil {
			return internal("%v", err)
		}
	}
	return *d.over
}

// run makes the guest run until it stops or is over. Break instructions are
// in its memory only meanwhile.
func (d *Debug) run(step bool) (stop gdb.Stop, err error) {
	here, err := d.v.PC()
	if err != nil {
		return stop, err
	}
	if !step && d.software[here] {
		// Under its own breakpoint lies the next instruction.
		if stop, err = d.piece(true, here); err != nil || d.over != nil || stop.Signal != gdb.SigTrap {
			return stop, err
		}
		if here, err = d.v.PC(); err != nil || d.software[here] {
			return stop, err
		}
	}
	return d.piece(step, here)
}

// piece is one stretch of running, with the breakpoints in place except for
// the one where it begins.
func (d *Debug) piece(step bool, here uint64) (stop gdb.Stop, err error) {
	saved := map[uint64][]byte{}
	for _, at := range slices.Sorted(maps.Keys(d.software)) {
		if at == here {
			continue
		}
		saved[at] = make([]byte, len(kvm.BreakInstruction))
		if err := d.ReadMemory(at, saved[at]); err != nil {
			return stop, err
		}
	}
	for at := range saved {
		if err := d.WriteMemory(at, kvm.BreakInstruction); err != nil {
			return stop, err
		}
	}
	if err := d.v.SetDebug(step, d.hardware); err != nil {
		return stop, err
	}
	stop, err = d.loop(step, here)
	for at, b := range saved {
		err = errors.Join(err, d.WriteMemory(at, b))
	}
	return stop, err
}

func (d *Debug) loop(step bool, here uint64) (gdb.Stop, error) {
	d.m.startRings()
	for {
		var x kvm.Exit
		var err error
		if x, d.pending = takePending(d.pending); x.Kind == 0 {
			x, err = d.v.Run()
		}
		switch {
		case errors.Is(err, kvm.ErrKicked) && d.asked.Swap(false):
			d.rearm()
			return gdb.Stop{Signal: gdb.SigInt}, nil
		case err != nil:
			return d.end(d.m.ended(d.v, x, err))
		case x.Kind == kvm.ExitCall:
			e, ended := d.m.call(hvt.Number(x.Number), x.Arg)
			if ended && e.Kind == Killed && d.asked.Swap(false) {
				d.rearm()
				d.pending = &x
				return gdb.Stop{Signal: gdb.SigInt}, nil
			}
			if ended {
				return d.end(e)
			}
			if step {
				return d.complete(here)
			}
			continue
		}
		if d.m.kicked(x) && !step {
			continue
		}
		return d.stopped(x)
	}
}

func takePending(p *kvm.Exit) (kvm.Exit, *kvm.Exit) {
	if p == nil {
		return kvm.Exit{}, nil
	}
	return *p, nil
}

// complete ends a step over a hypercall right behind its instruction.
func (d *Debug) complete(here uint64) (gdb.Stop, error) {
	x, err := d.v.Finish()
	if err != nil && !errors.Is(err, kvm.ErrKicked) {
		return d.end(d.m.ended(d.v, x, err))
	}
	if pc, err := d.v.PC(); err != nil || pc == here {
		return gdb.Stop{}, errors.Join(err, fmt.Errorf("the step stayed at %#x", here))
	}
	return gdb.Stop{Signal: gdb.SigTrap}, nil
}

// stopped tells what a debugger asked for from a guest's end.
func (d *Debug) stopped(x kvm.Exit) (gdb.Stop, error) {
	if at, ok := d.v.Breakpoint(x); ok && d.software[at] {
		v, err := d.v.Registers()
		if err != nil {
			return gdb.Stop{}, err
		}
		v.Set(v.PC, at)
		return gdb.Stop{Signal: gdb.SigTrap}, d.v.SetRegisters(v)
	}
	if x.Kind == kvm.ExitDebug || d.m.kickedRing(x) != nil {
		return gdb.Stop{Signal: gdb.SigTrap}, nil
	}
	return d.end(d.m.ended(d.v, x, nil))
}

func (d *Debug) end(e Exit) (gdb.Stop, error) {
	e = d.m.stopRings(e)
	d.over = &e
	return gdb.Stop{}, nil
}

package tender

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/perilune/perilune/tender/gdb"
	"github.com/perilune/perilune/tender/kvm"
	"github.com/perilune/perilune/tender/regs"
)

// maxPoints bounds what a debugger may insert.
const maxPoints = 4096

// Debug is a debugger's hold on a loaded machine: it runs the guest in
// pieces, in place of Machine.Run. It is a gdb.Target whose thread N is vCPU
// N-1: one of them stops all. All of a session but Interrupt belongs to one
// goroutine.
type Debug struct {
	m        *Machine
	threads  []*thread
	software map[uint64]bool
	hardware []kvm.Watch
	asked    atomic.Bool // to interrupt
	rings    bool        // they are started
	over     *Exit       // how the guest ended
	shown    bool        // over was reported as a signal, so that it can be looked at
	now      *piece      // what runs, nil if nothing does; guarded by Machine.lock
}

// Debug takes hold of the machine.
func (m *Machine) Debug() *Debug {
	d := &Debug{m: m, software: map[uint64]bool{}}
	for _, p := range m.processors {
		d.threads = append(d.threads, newThread(p))
	}
	m.lock.Lock()
	defer m.lock.Unlock()
	m.boot().begun = true
	m.debugger = d
	return d
}

// begun are the threads that the guest has started.
func (d *Debug) begun() (out []*thread) {
	d.m.lock.Lock()
	defer d.m.lock.Unlock()
	for _, t := range d.threads {
		if t.p.begun {
			out = append(out, t)
		}
	}
	return out
}

// Threads are the numbers of the vCPUs that the guest has started, plus one.
func (d *Debug) Threads() (out []int) {
	for _, t := range d.begun() {
		out = append(out, t.id())
	}
	return out
}

func (d *Debug) thread(id int) (*thread, error) {
	if id < 1 || id > len(d.threads) {
		return nil, fmt.Errorf("no thread %d", id)
	}
	return d.threads[id-1], nil
}

// Registers reads a vCPU's registers.
func (d *Debug) Registers(id int) (regs.Values, error) {
	t, err := d.thread(id)
	if err != nil {
		return regs.Values{}, err
	}
	return t.p.v.Registers()
}

// SetRegisters writes them.
func (d *Debug) SetRegisters(id int, values regs.Values) error {
	t, err := d.thread(id)
	if err != nil {
		return err
	}
	before, err := t.p.v.PC()
	if err != nil {
		return err
	}
	if err := t.p.v.SetRegisters(values); err != nil {
		return err
	}
	t.moved(before, values.Get(values.PC))
	return nil
}

// ReadMemory reads guest memory, whatever the guest itself may do there.
func (d *Debug) ReadMemory(addr uint64, b []byte) error {
	return d.m.mem.peek(addr, b)
}

// WriteMemory writes guest memory, the read-only parts too.
func (d *Debug) WriteMemory(addr uint64, b []byte) error {
	return d.m.mem.poke(addr, b)
}

// accesses are what the processor watches for.
var accesses = [...]kvm.Access{gdb.Hardware: kvm.Execute, gdb.WatchWrite: kvm.Write,
	gdb.WatchRead: kvm.Read, gdb.WatchAccess: kvm.ReadWrite}

// hardwarePoint is a breakpoint as the processor has it.
func hardwarePoint(p gdb.Point, addr, size uint64) kvm.Watch {
	if p == gdb.Hardware {
		size = 0
	}
	return kvm.Watch{Addr: addr, Size: size, On: accesses[p]}
}

// Insert sets a breakpoint; a second one at the same place is the same.
func (d *Debug) Insert(p gdb.Point, addr, size uint64) error {
	if addr > uint64(len(d.m.mem.b)-len(kvm.BreakInstruction)) {
		return &AccessError{addr, uint64(len(kvm.BreakInstruction))}
	}
	w := hardwarePoint(p, addr, size)
	switch {
	case p == gdb.Software && len(d.software) < maxPoints:
		d.software[addr] = true
	case p == gdb.Software:
		return errors.New("too many breakpoints")
	case !w.Fits():
		return fmt.Errorf("%w: %d octets at %#x", gdb.ErrNoPoint, size, addr)
	case slices.Contains(d.hardware, w):
	case len(d.hardware) < kvm.MaxHardware:
		d.hardware = append(d.hardware, w)
	default:
		return errors.New("too many breakpoints by the processor")
	}
	return nil
}

// Remove takes a breakpoint away; there need be none.
func (d *Debug) Remove(p gdb.Point, addr, size uint64) error {
	if p == gdb.Software {
		delete(d.software, addr)
		return nil
	}
	w := hardwarePoint(p, addr, size)
	d.hardware = slices.DeleteFunc(d.hardware, func(h kvm.Watch) bool { return h == w })
	return nil
}

// Interrupt stops a running guest, or the next Resume at once.
func (d *Debug) Interrupt() {
	d.m.lock.Lock()
	defer d.m.lock.Unlock()
	d.asked.Store(true)
	d.m.interrupt()
}

// rearm takes interrupts back, so that the guest can run on; not one that
// nobody has been told of.
func (d *Debug) rearm() {
	d.m.lock.Lock()
	defer d.m.lock.Unlock()
	if d.m.stopped || d.asked.Load() {
		return
	}
	d.m.goOn()
}

// Resume runs the vCPUs that shall run until something stops one of them. A
// guest that ends by an abort or by a fault is shown as stopped by a signal
// first.
func (d *Debug) Resume(do func(id int) gdb.Action) (gdb.Stop, error) {
	if d.over == nil {
		stop, err := d.run(do)
		if err != nil || d.over == nil || stop.Signal != 0 {
			return stop, err
		}
	}
	if !d.shown {
		d.shown = true
		stop := gdb.Stop{Thread: int(d.m.culprit.number) + 1}
		switch d.over.Kind {
		case Abort:
			stop.Signal = gdb.SigAbrt
		case Fault:
			stop.Signal = gdb.SigSegv
		case Internal:
			stop.Signal = gdb.SigIll
		}
		if stop.Signal != 0 {
			return stop, nil
		}
	}
	return gdb.Stop{Exited: true, Status: d.over.Status}, nil
}

// Finish lets a guest that gdb has let go run to its end, or says how it
// ended already.
func (d *Debug) Finish() Exit {
	d.software, d.hardware = map[uint64]bool{}, nil
	for d.over == nil {
		if _, err := d.run(func(int) gdb.Action { return gdb.Continue }); err != nil {
			return internal("%v", err)
		}
	}
	for _, t := range d.threads {
		close(t.work)
	}
	return *d.over
}

// still says whether what stopped a vCPU, unknown to the debugger, is still
// wanted of it.
func (d *Debug) still(stop gdb.Stop, here uint64) bool {
	if stop.Watch == gdb.Software {
		return d.software[here]
	}
	return slices.ContainsFunc(d.hardware, func(w kvm.Watch) bool { return w.Addr == stop.At && w.On == accesses[stop.Watch] })
}

// run makes the guest run until it stops or is over.
func (d *Debug) run(do func(id int) gdb.Action) (stop gdb.Stop, err error) {
	threads := slices.DeleteFunc(d.begun(), func(t *thread) bool { return do(t.id()) == gdb.Stay })
	if len(threads) == 0 {
		return stop, errors.New("no thread shall run")
	}
	for _, t := range threads {
		if t.untold == nil {
			continue
		}
		stop, t.untold = *t.untold, nil
		if here, err := t.p.v.PC(); err != nil || d.still(stop, here) {
			return stop, err
		}
	}
	for _, t := range threads {
		here, err := t.p.v.PC()
		if err != nil {
			return stop, err
		}
		if !d.software[here] {
			continue
		}
		// Under its own breakpoint lies the next instruction: it runs alone, without it.
		stop, err = d.stretch(map[int]gdb.Action{t.id(): gdb.Step}, here)
		if err != nil || d.over != nil || stop.Signal != gdb.SigTrap || do(t.id()) == gdb.Step {
			return stop, err
		}
		if here, err = t.p.v.PC(); err != nil || d.software[here] {
			return stop, err
		}
	}
	actions := map[int]gdb.Action{}
	for _, t := range d.threads {
		actions[t.id()] = do(t.id())
	}
	return d.stretch(actions, nowhere)
}

// nowhere is an address that no guest has.
const nowhere = ^uint64(0)

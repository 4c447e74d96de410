// Package tender runs one hvt guest: a virtual machine with memory,
// processors and the devices its manifest declares. Whatever comes from the
// guest is hostile: each hypercall's record is copied first, and each pointer
// in the copy is checked before it is used.
package tender

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/kvm"
	"github.com/perilune/perilune/tender/loader"
	"github.com/perilune/perilune/tender/modules"
	"golang.org/x/sys/unix"
)

// Kind says how a guest ended.
type Kind uint8

// The ways to end; package wire uses the same numbers.
const (
	Halt     Kind = iota + 1 // the guest halted with Status
	Abort                    // it halted with status 255: an abort or trap
	Fault                    // it did what no guest may do
	Killed                   // Stop or the context ended it
	Internal                 // the host failed
)

var kindNames = [...]string{Halt: "halt", Abort: "abort", Fault: "fault", Killed: "killed", Internal: "internal"}

func (k Kind) String() string {
	if k < Halt || k > Internal {
		return fmt.Sprintf("kind(%d)", uint8(k))
	}
	return kindNames[k]
}

// Statuses of guests that did not choose one.
const (
	statusFault  = hvt.StatusFail // as Solo5's tender exits
	statusKilled = 128 + 9        // as a shell reports a killed process
)

// Aborted is the Reason of an Abort; of one of several vCPUs, its number comes
// first.
const Aborted = "guest aborted"

// Exit is how a guest ended. Reason is empty for a halt.
type Exit struct {
	Status uint8
	Kind   Kind
	Reason string
}

// Config is one guest.
type Config struct {
	Image   *hvt.Image  // from hvt.ReadNotes or hvt.ReadImage
	Kernel  io.ReaderAt // the file Image was read from
	Memory  uint64      // octets, a multiple of hvt.MemoryStep
	Cmdline string
	Blocks  map[string]*modules.Block // by name in the manifest
	Nets    map[string]*modules.Net
	// Channels leads to other guests: the host's side of each CHANNEL entry.
	Channels map[string]*modules.Net
	VCPUs    int  // how many vCPUs the guest may declare; 0: hvt.MaxVCPUs
	Ring     bool // offer a guest with networks a net ring, above its memory
	// Console takes the guest's text; it must not keep p and should not
	// block. An error ends the guest.
	Console func(p []byte) error
}

// Machine is a virtual machine, first without a guest, then with one.
type Machine struct {
	vm   *kvm.VM
	mem  *memory
	warm []byte // see Warm
	stop int    // eventfd, readable once the guest must end or rest

	manifest   hvt.Manifest
	processors []*processor // [0] starts; the others are added before the guest runs
	running    sync.WaitGroup
	lock       sync.Mutex // guards what more than one vCPU's thread changes:
	culprit    *processor // who ended the guest, nil before
	result     Exit       // how
	rests      rests
	pausing    atomic.Bool
	stopped    bool
	debugger   *Debug     // runs the vCPUs, nil if Run does
	saving     sync.Mutex // held while a snapshot is written, and at the end

	console func([]byte) error
	blocks  [hvt.MaxEntries]*modules.Block // by handle
	nets    [hvt.MaxEntries]*modules.Net
	poller  *modules.Poller
	cookie  []byte // what HALT said of a trap, for a core file

	ext     *extension           // nil without one
	bell    int                  // eventfd that wakes POLL for a ring's answer, -1 without one
	leave   int                  // eventfd, readable once no ring may wait for its device's peer, -1 without rings
	workers []worker             // rings by kick number, nil for none
	working bool                 // since startRings
	failed  atomic.Pointer[Exit] // what went wrong in a ring
}

// New makes the machine and its processor, all that costs time and does not
// depend on the guest.
func New(sys *kvm.System) (*Machine, error) {
	stop, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	m := &Machine{stop: stop, bell: -1, leave: -1}
	m.prepareRests()
	if m.vm, err = sys.NewVM(); err != nil {
		unix.Close(stop)
		return nil, err
	}
	if err := m.addProcessors(1); err != nil {
		m.vm.Close()
		unix.Close(stop)
		return nil, err
	}
	return m, nil
}

// VM gives the virtual machine.
func (m *Machine) VM() *kvm.VM { return m.vm }

// Load puts a guest into the machine, once. The order is that of Solo5's
// tender, so that the first of several faults is the same one: program,
// processor, devices, boot info.
func (m *Machine) Load(c Config) error {
	if m.mem != nil {
		return errors.New("machine has a guest already")
	}
	vcpus, err := c.vcpus()
	if err != nil {
		return err
	}
	mem, err := m.guestMemory(c.Memory + c.ringSpace())
	if err != nil {
		return err
	}
	m.vm.Extended = c.Image.Manifest.Extended()
	if err := m.addProcessors(vcpus); err != nil {
		return err
	}
	m.console = m.orderly(c.Console)
	loader.Tables(mem) // of all of it, the ring too
	mem.limit = c.Memory
	if err := loader.Program(mem, c.Image, c.Kernel); err != nil {
		return err
	}
	if err := m.boot().v.Start(c.Image.Entry, mem.limit); err != nil {
		return err
	}
	freq, err := m.boot().v.CycleFreq()
	if err != nil {
		return err
	}
	attached, err := m.attach(c)
	if err != nil {
		return err
	}
	if size := c.extensionSpace(); size > 0 {
		if err := m.newExtension(size); err != nil {
			return err
		}
	}
	record, err := m.extend(c)
	if err != nil {
		return err
	}
	table, err := c.Image.Manifest.Table(attached)
	if err != nil {
		return err
	}
	if err := loader.BootInfo(mem, c.Image.End, freq, table, c.Cmdline, record); err != nil {
		return err
	}
	return m.announceRing(c)
}

// Run runs the loaded guest until it ends, or until ctx does.
func (m *Machine) Run(ctx context.Context) Exit {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return m.RunHere(ctx)
}

// RunHere is Run for a goroutine that is bound to its thread already.
func (m *Machine) RunHere(ctx context.Context) Exit {
	if ctx.Done() != nil {
		defer context.AfterFunc(ctx, m.Stop)()
	}
	m.startRings()
	m.lock.Lock()
	m.boot().begun = true
	for _, p := range m.processors[1:] {
		if p.begun { // in the snapshot that was restored
			m.begin(p)
		}
	}
	m.rests.changed.Broadcast()
	m.lock.Unlock()
	m.boot().runHere()
	m.running.Wait()
	return m.stopRings(m.result)
}

// Close frees the machine after Run has returned. Devices stay the caller's.
// A snapshot that is being written is waited for; a Stop that comes late, from
// a context or a ring's thread, finds nothing to do.
func (m *Machine) Close() error {
	m.saving.Lock()
	defer m.saving.Unlock()
	m.lock.Lock()
	defer m.lock.Unlock()
	m.stopped = true
	var err error
	for _, p := range m.processors {
		err = errors.Join(err, p.v.Close())
	}
	for _, w := range m.workers { // they never ran
		if w != nil {
			err = errors.Join(err, unix.Close(w.FD()))
		}
	}
	err = errors.Join(err, m.vm.Close(), unix.Close(m.stop))
	for _, fd := range [...]*int{&m.bell, &m.leave} {
		if *fd >= 0 {
			err = errors.Join(err, unix.Close(*fd))
			*fd = -1
		}
	}
	if m.ext != nil {
		err = errors.Join(err, unix.Munmap(m.ext.mem))
	}
	switch {
	case m.mem != nil:
		err = errors.Join(err, m.mem.close())
	case m.warm != nil:
		err = errors.Join(err, unix.Munmap(m.warm))
	}
	return err
}

package tender

import (
	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/modules"
	"golang.org/x/sys/unix"
)

// Calls is a machine without a processor: it serves hypercalls on its memory.
type Calls struct{ m *Machine }

// NewCalls gives it size octets of memory, of which [0x100000, 0x101000) is
// read-only, and attaches a block device as handle 1 and a net as handle 2.
// Whatever would wait is stopped at once. Two vCPUs have begun.
func NewCalls(size uint64, block *modules.Block, net *modules.Net, console func([]byte) error) (*Calls, error) {
	mem, err := newMemory(size)
	if err != nil {
		return nil, err
	}
	if err := mem.Protect(hvt.MinBase, hvt.MinBase+hvt.PageSize, true, false); err != nil {
		return nil, err
	}
	stop, err := unix.Eventfd(1, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, err
	}
	m := &Machine{mem: mem, stop: stop, console: console, poller: modules.NewPoller(stop)}
	m.prepareRests()
	close(m.rests.begin)
	for range 2 {
		p := m.newProcessor(nil)
		p.begun = true
		m.processors = append(m.processors, p)
	}
	m.blocks[1], m.nets[2] = block, net
	m.poller.Add(2, net)
	return &Calls{m}, nil
}

// Call serves one hypercall of a vCPU.
func (c *Calls) Call(cpu int, n hvt.Number, gpa uint64) (Exit, bool) {
	c.m.culprit = nil // a HALT before this one is forgotten
	return c.m.processors[cpu%2].call(n, gpa)
}

// Memory is the guest's memory.
func (c *Calls) Memory() []byte { return c.m.mem.b }

// Readable and Writable check a guest pointer.
func (c *Calls) Readable(gpa, n uint64) ([]byte, error) { return c.m.mem.Readable(gpa, n) }
func (c *Calls) Writable(gpa, n uint64) ([]byte, error) { return c.m.mem.Writable(gpa, n) }

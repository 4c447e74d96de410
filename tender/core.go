package tender

import (
	"os"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/core"
	"github.com/perilune/perilune/tender/kvm"
)

// Core writes the state of a guest that has ended as a core file. Registers
// are those of the trap, if the guest told them when it halted. It returns
// how many pages were written, and of how many.
func (m *Machine) Core(f *os.File) (written, total int, err error) {
	v, err := m.VCPU().Registers()
	if err != nil {
		return 0, 0, err
	}
	if m.cookie != nil {
		kvm.TrapFrame(v, m.cookie)
	}
	size := uint64(len(m.mem.b))
	written, err = core.Write(f, v, memoryOf{m.mem}, size)
	return written, int(size / hvt.PageSize), err
}

// memoryOf lets package core read all of the memory.
type memoryOf struct{ m *memory }

func (o memoryOf) ReadMemory(addr uint64, b []byte) error { return o.m.peek(addr, b) }

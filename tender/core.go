package tender

import (
	"os"
	"slices"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/core"
	"github.com/perilune/perilune/tender/kvm"
	"github.com/perilune/perilune/tender/regs"
)

// Core writes the state of a guest that has ended as a core file, the vCPU that
// ended it first. Its registers are those of the trap, if the guest told them
// when it halted. Core returns how many pages were written, and of how many.
func (m *Machine) Core(f *os.File) (written, total int, err error) {
	var all []regs.Values
	for _, p := range m.processors {
		if !p.begun && p != m.culprit {
			continue
		}
		v, err := p.v.Registers()
		if err != nil {
			return 0, 0, err
		}
		if p != m.culprit {
			all = append(all, v)
			continue
		}
		if m.cookie != nil {
			kvm.TrapFrame(v, m.cookie)
		}
		all = slices.Insert(all, 0, v)
	}
	size := uint64(len(m.mem.b))
	written, err = core.Write(f, all, memoryOf{m.mem}, size)
	return written, int(size / hvt.PageSize), err
}

// memoryOf lets package core read all of the memory.
type memoryOf struct{ m *memory }

func (o memoryOf) ReadMemory(addr uint64, b []byte) error { return o.m.peek(addr, b) }

package tender

import (
	"fmt"

	"github.com/perilune/perilune/hvt"
	"golang.org/x/sys/unix"
)

// warmMemory is what KVM has as memory before the guest is known: enough for
// most guests, and 80 KiB of the kernel's own where it must shadow tables.
const warmMemory = 32 << 20

// Warm prepares the memory of a guest that is not known yet: address space
// for the largest one, of which KVM has the beginning already. For each change
// of a machine's memory KVM waits until no reader in the kernel can see the
// old one, most often for microseconds, on a busy host for many milliseconds.
// What lies beyond the guest's own memory stays without any access, so that
// touching it ends the guest.
func (m *Machine) Warm() error {
	b, err := unix.Mmap(-1, 0, hvt.MaxMemory, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return fmt.Errorf("reserve guest memory: %w", err)
	}
	m.warm = b
	return m.vm.SetMemory(b[:warmMemory])
}

// guestMemory maps the guest's memory and gives it to KVM.
func (m *Machine) guestMemory(size uint64) (mem *memory, err error) {
	if m.warm == nil {
		if m.mem, err = newMemory(size); err != nil {
			return nil, err
		}
		return m.mem, m.vm.SetMemory(m.mem.b)
	}
	b := m.warm[:size:size]
	if err := unix.Mprotect(b, allAccess); err != nil {
		return nil, fmt.Errorf("Error allocating guest memory: %w", err) //nolint:revive // the reference's words
	}
	if size > warmMemory {
		if err := m.vm.AddMemory(warmMemory, b[warmMemory:]); err != nil {
			return nil, err
		}
	}
	m.mem = zoned(b)
	m.mem.whole = m.warm
	return m.mem, nil
}

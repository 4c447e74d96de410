package tender

import (
	"fmt"
	"sort"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/snapshot"
	"golang.org/x/sys/unix"
)

// AccessError is a guest pointer that does not lead where the guest itself
// may go. It ends the guest.
type AccessError struct{ GPA, Len uint64 }

func (e *AccessError) Error() string {
	return fmt.Sprintf("Invalid guest access: gpa=%#x, sz=%d", e.GPA, e.Len)
}

// zone is a range of guest memory with one protection: what the guest may do
// by its tables and the mapping's protection together, and the latter alone.
type zone struct {
	start, end  uint64
	read, write bool
	prot        int
}

// memory is the guest's memory in the tender. The zones repeat what the
// guest's page tables and the mapping's protection say, so that the tender
// neither faults on a protected page nor writes where the guest cannot.
type memory struct {
	whole []byte // the mapping that b is the beginning of
	b     []byte
	limit uint64 // octets that the guest is told of; a net ring may lie above
	zones []zone // ascending, without gaps
}

const allAccess = unix.PROT_READ | unix.PROT_WRITE

// newMemory maps size octets of zeroes.
func newMemory(size uint64) (*memory, error) {
	b, err := unix.Mmap(-1, 0, int(size), allAccess,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("Error allocating guest memory: %w", err) //nolint:revive // the reference's words
	}
	return zoned(b), nil
}

// zoned is memory as a guest finds it before its program is loaded.
func zoned(b []byte) *memory {
	size := uint64(len(b))
	return &memory{whole: b, b: b, limit: size, zones: []zone{
		{start: 0, end: hvt.BootInfoBase, prot: allAccess},
		{start: hvt.BootInfoBase, end: hvt.MinBase, read: true, prot: allAccess},
		{start: hvt.MinBase, end: size, read: true, write: true, prot: allAccess},
	}}
}

func (m *memory) close() error { return unix.Munmap(m.whole) }

// Bytes is the memory that the guest is told of; only the loader uses it,
// before the guest runs.
func (m *memory) Bytes() []byte { return m.b[:m.limit] }

// Protect sets the protection of the pages [start, end) of the mapping, which
// KVM passes on to the guest. Nothing is executable in the host.
func (m *memory) Protect(start, end uint64, read, write bool) error {
	if start >= end || end > uint64(len(m.b)) || start%hvt.PageSize != 0 || end%hvt.PageSize != 0 {
		return fmt.Errorf("protect %#x to %#x: %w", start, end, unix.EINVAL)
	}
	prot := unix.PROT_NONE
	if read {
		prot |= unix.PROT_READ
	}
	if write {
		prot |= unix.PROT_WRITE
	}
	if err := unix.Mprotect(m.b[start:end], prot); err != nil {
		return err
	}
	var out []zone
	for _, z := range m.zones {
		if z.end <= start || z.start >= end {
			out = append(out, z)
			continue
		}
		if z.start < start {
			out = append(out, zone{z.start, start, z.read, z.write, z.prot})
		}
		if z.end > end {
			out = append(out, zone{end, z.end, z.read, z.write, z.prot})
		}
	}
	out = append(out, zone{start, end, read, write, prot})
	sort.Slice(out, func(i, j int) bool { return out[i].start < out[j].start })
	m.zones = out
	return nil
}

// Readable gives the n octets at gpa if the guest may read them all.
func (m *memory) Readable(gpa, n uint64) ([]byte, error) {
	return m.slice(gpa, n, func(z zone) bool { return z.read })
}

// Writable gives the n octets at gpa if the guest may write them all.
func (m *memory) Writable(gpa, n uint64) ([]byte, error) {
	return m.slice(gpa, n, func(z zone) bool { return z.read && z.write })
}

func (m *memory) slice(gpa, n uint64, allowed func(zone) bool) ([]byte, error) {
	if gpa >= m.limit || n > m.limit-gpa {
		return nil, &AccessError{gpa, n}
	}
	for _, z := range m.zones {
		if z.end > gpa && z.start < gpa+n && !allowed(z) {
			return nil, &AccessError{gpa, n}
		}
	}
	return m.b[gpa : gpa+n : gpa+n], nil
}

// open makes the pages around [gpa, gpa+n) accessible to the tender as prot
// says, for the time of use and whatever the guest may do there: a debugger
// looks everywhere.
func (m *memory) open(gpa, n uint64, prot int, use func(b []byte)) error {
	size := uint64(len(m.b))
	if gpa > size || n > size-gpa {
		return &AccessError{gpa, n}
	}
	start := gpa &^ (hvt.PageSize - 1)
	end := (gpa + n + hvt.PageSize - 1) &^ (hvt.PageSize - 1)
	var shut []zone
	for _, z := range m.zones {
		z.start, z.end = max(z.start, start), min(z.end, end)
		if z.start < z.end && z.prot&prot != prot {
			shut = append(shut, z)
		}
	}
	for _, z := range shut {
		if err := unix.Mprotect(m.b[z.start:z.end], z.prot|prot); err != nil {
			return fmt.Errorf("open guest memory: %w", err)
		}
	}
	use(m.b[gpa : gpa+n])
	for _, z := range shut {
		if err := unix.Mprotect(m.b[z.start:z.end], z.prot); err != nil {
			return fmt.Errorf("close guest memory: %w", err)
		}
	}
	return nil
}

// peek reads guest memory past its protection.
func (m *memory) peek(gpa uint64, b []byte) error {
	return m.open(gpa, uint64(len(b)), unix.PROT_READ, func(mem []byte) { copy(b, mem) })
}

// poke writes guest memory past its protection.
func (m *memory) poke(gpa uint64, b []byte) error {
	return m.open(gpa, uint64(len(b)), allAccess, func(mem []byte) { copy(mem, b) })
}

// protected lists what of the program is not both readable and writable.
func (m *memory) protected() (out []snapshot.Range) {
	for _, z := range m.zones {
		if z.start >= hvt.MinBase && !(z.read && z.write) && z.end <= m.limit {
			out = append(out, snapshot.Range{Start: z.start, End: z.end, Read: z.read, Write: z.write})
		}
	}
	return out
}

package tender

import (
	"fmt"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/loader"
	"github.com/perilune/perilune/tender/modules"
	"github.com/perilune/perilune/tender/queue"
	"golang.org/x/sys/unix"
)

// extension is the memory at hvt.ExtensionBase: the record, which the guest
// only reads, then rings, each on pages of its own.
type extension struct {
	mem  []byte
	free uint64 // first octet that is not given away
}

// newExtension maps size octets, rounded up to whole large pages, and gives
// them to the guest.
func (m *Machine) newExtension(size uint64) error {
	size = (size + hvt.MemoryStep - 1) &^ (hvt.MemoryStep - 1)
	if size > hvt.ExtensionMax {
		return fmt.Errorf("extensions of %d octets, at most %d: %w", size, hvt.ExtensionMax, unix.EINVAL)
	}
	b, err := unix.Mmap(-1, 0, int(size), allAccess, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return fmt.Errorf("Error allocating extension memory: %w", err) //nolint:revive // as for guest memory
	}
	m.ext = &extension{mem: b, free: hvt.RecordSize}
	if err := m.vm.AddShared(hvt.ExtensionBase, b); err != nil {
		return err
	}
	loader.MapExtension(m.mem, size)
	return nil
}

// take gives n octets on pages of their own and their guest-physical address.
func (e *extension) take(n uint64) (b []byte, gpa uint64) {
	at := e.free
	e.free = (at + n + hvt.PageSize - 1) &^ (hvt.PageSize - 1)
	return e.mem[at : at+n : at+n], hvt.ExtensionBase + at
}

// holds says whether gpa lies in the extension's memory.
func (e *extension) holds(gpa uint64) bool {
	return e != nil && gpa >= hvt.ExtensionBase && gpa-hvt.ExtensionBase < uint64(len(e.mem))
}

// extend gives an extended guest what it asks for, after its devices are
// attached: the record and what lies behind its items. The address of the
// record is 0 for a guest that asks for nothing.
func (m *Machine) extend(c Config) (record uint64, err error) {
	entries := c.Image.Manifest.Entries
	if !c.Image.Manifest.Extended() {
		return 0, nil
	}
	r := hvt.Record{}
	for i, e := range entries {
		if !e.Type.Extended() {
			continue
		}
		item, err := m.item(c.Image.Manifest, i+1, len(r.Items))
		if err != nil {
			return 0, fmt.Errorf("extension %s of type %s: %w", e.Name, e.Type, err)
		}
		r.Items = append(r.Items, item)
	}
	b, err := r.MarshalBinary()
	if err != nil {
		return 0, err
	}
	copy(m.ext.mem, b)
	// The guest's tables let it write here; the mapping does not.
	if err := unix.Mprotect(m.ext.mem[:hvt.RecordSize], unix.PROT_READ); err != nil {
		return 0, fmt.Errorf("protect extension record: %w", err)
	}
	return hvt.ExtensionBase, nil
}

// offers says whether the machine has what an extended entry asks for.
func (m *Machine) offers(manifest hvt.Manifest, e hvt.Entry) bool {
	switch e.Type {
	case hvt.BlockRing:
		h, ok := manifest.Find(e.Name, hvt.Block)
		return ok && m.blocks[h] != nil
	case hvt.NetRing:
		h, ok := manifest.Find(e.Name, hvt.Net)
		return ok && m.nets[h] != nil
	case hvt.Seed:
		return true
	}
	return false
}

// item makes the record's n-th item, for the entry with this handle.
func (m *Machine) item(manifest hvt.Manifest, handle, n int) (hvt.Item, error) {
	e := manifest.Entries[handle-1]
	i := hvt.Item{Type: e.Type, Index: uint32(handle), Status: hvt.ItemOK}
	switch e.Type {
	case hvt.BlockRing, hvt.NetRing:
		i.Size, i.A = hvt.RingSize(e.Count()), uint64(e.Count())
		var mem []byte
		mem, i.GPA = m.ext.take(i.Size)
		kick, err := m.addQueue(manifest, handle, mem)
		i.B = kick
		return i, err
	case hvt.VCPUs, hvt.Channel:
		i.A = uint64(e.Count())
	case hvt.Seed:
		at := hvt.RecordSeed(n)
		i.GPA, i.Size = hvt.ExtensionBase+at, hvt.SeedSize
		_, err := unix.Getrandom(m.ext.mem[at:at+hvt.SeedSize], 0)
		return i, err
	}
	return i, nil
}

// addQueue serves the ring of this handle in mem, and gives the address where
// the guest kicks it.
func (m *Machine) addQueue(manifest hvt.Manifest, handle int, mem []byte) (kick uint64, err error) {
	if err := m.ringEvents(); err != nil {
		return 0, err
	}
	e := manifest.Entries[handle-1]
	var dev queue.Device
	if e.Type == hvt.BlockRing {
		h, _ := manifest.Find(e.Name, hvt.Block)
		dev = modules.NewBlockRing(m.blocks[h], m.mem)
	} else {
		h, _ := manifest.Find(e.Name, hvt.Net)
		dev = modules.NewNetRing(m.nets[h], m.mem, e.Count(), m.leave)
	}
	q, err := queue.New(mem, e.Count(), m.bell, dev)
	if err != nil {
		return 0, err
	}
	m.poller.AddRing(uint(handle), q, m.bell)
	return m.serve(q, max(len(m.workers), 1))
}

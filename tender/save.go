package tender

import (
	"crypto/sha256"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/kvm"
	"github.com/perilune/perilune/tender/modules"
	"github.com/perilune/perilune/tender/snapshot"
)

// Saved is the Reason of a guest that ended because Snapshot was told so.
const Saved = "saved"

// File is where a snapshot goes.
type File interface {
	io.Writer
	Sync() error
}

// Snapshot stops all vCPUs between two instructions, writes the guest to f, and
// syncs f and the disks. Then the guest goes on as if nothing had been, or,
// with end, is over: status 0, Killed, Saved. A guest that Run has not begun
// yet is waited for; ErrOver if it has ended.
//
// Calls that waited are cut in two: the rest of the wait is in the snapshot.
func (m *Machine) Snapshot(f File, end bool) error {
	m.saving.Lock()
	defer m.saving.Unlock()
	rings, release := m.holdRings()
	defer release()
	if err := m.pause(); err != nil {
		return err
	}
	defer m.resume()
	h, err := m.describe(rings)
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	if err := snapshot.Write(f, h, allMemory{m}); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	if err := m.syncBlocks(); err != nil {
		return err
	}
	if end {
		// What the guest left in its rings since they rest is done by the one that goes on from
		// here, once: a write of it now would also part the disk from its digest.
		for _, w := range rings {
			if w != nil {
				w.Retire()
			}
		}
		m.lock.Lock()
		defer m.lock.Unlock()
		m.concludeLocked(m.boot(), Exit{Kind: Killed, Reason: Saved})
		m.stopped = true
	}
	return nil
}

// syncBlocks lets a power cut not part the guest from its disks, whose content
// the snapshot names by digest.
func (m *Machine) syncBlocks() error {
	for _, b := range m.blocks {
		if b == nil {
			continue
		}
		if err := b.Sync(); err != nil {
			return fmt.Errorf("snapshot: block device: %w", err)
		}
	}
	return nil
}

// describe makes the header while everything rests.
func (m *Machine) describe(rings []worker) (*snapshot.Header, error) {
	h := &snapshot.Header{Arch: runtime.GOARCH, CPU: kvm.CPUName, ABI: hvt.ABIVersion, Wall: uint64(time.Now().UnixNano()),
		Memory: m.mem.limit, Mapped: uint64(len(m.mem.b)), Protected: m.mem.protected()}
	var err error
	if h.Manifest, err = m.manifest.MarshalBinary(); err != nil {
		return nil, err
	}
	if m.ext != nil {
		h.Extension = uint64(len(m.ext.mem))
	}
	for n, w := range rings {
		if w != nil {
			h.Rings = append(h.Rings, snapshot.Ring{Number: uint32(n), State: w.State()})
		}
	}
	if h.CycleFreq, err = m.boot().v.CycleFreq(); err != nil {
		return nil, err
	}
	for _, p := range m.processors {
		v, err := p.describe()
		if err != nil {
			return nil, fmt.Errorf("vCPU %d: %w", p.number, err)
		}
		h.VCPUs = append(h.VCPUs, v)
		n, err := p.v.Counter()
		if err != nil {
			return nil, err
		}
		h.Counter = max(h.Counter, n)
	}
	for i, e := range m.manifest.Entries {
		if b := m.blocks[i+1]; b != nil {
			block, err := describeBlock(e.Name, b)
			if err != nil {
				return nil, fmt.Errorf("block device %s: %w", e.Name, err)
			}
			h.Blocks = append(h.Blocks, block)
		}
		if n := m.nets[i+1]; n != nil && e.Type == hvt.Net { // what waits in a channel stays there
			a := n.Attachment()
			h.Nets = append(h.Nets, snapshot.Net{Name: e.Name, MAC: a.MAC, MTU: a.MTU})
		}
	}
	return h, nil
}

func (p *processor) describe() (v snapshot.VCPU, err error) {
	v.Begun, v.Woken = p.begun, len(p.token) > 0
	if p.held != nil {
		v.Call, v.Arg = p.held.Number, p.held.Arg
		v.Left = uint64(max(time.Until(p.until), 0))
	}
	if v.Begun {
		v.State, err = p.v.SaveState()
	}
	return v, err
}

// describeBlock names a device's content by its digest.
func describeBlock(name string, b *modules.Block) (snapshot.Block, error) {
	a := b.Attachment()
	out := snapshot.Block{Name: name, Size: a.Capacity, Sector: uint32(a.SectorSize)}
	sum := sha256.New()
	if _, err := io.CopyBuffer(sum, io.NewSectionReader(b, 0, int64(a.Capacity)), make([]byte, 1<<20)); err != nil {
		return out, err
	}
	sum.Sum(out.Digest[:0])
	return out, nil
}

// holdRings brings the rings' threads to rest, before the vCPUs: one that waits
// for its device's peer may take long, and the guest goes on meanwhile.
// They are given because a Stop meanwhile takes them from the machine.
func (m *Machine) holdRings() (held []worker, release func()) {
	m.lock.Lock()
	held = m.workers
	m.lock.Unlock()
	for _, w := range held {
		if w != nil {
			w.Hold()
		}
	}
	return held, func() {
		for _, w := range held {
			if w != nil {
				w.Release()
			}
		}
	}
}

// allMemory is guest memory and extension memory by address.
type allMemory struct{ m *Machine }

func (o allMemory) ReadMemory(gpa uint64, b []byte) error {
	if o.m.ext.holds(gpa) {
		copy(b, o.m.ext.mem[gpa-hvt.ExtensionBase:])
		return nil
	}
	return o.m.mem.peek(gpa, b)
}

// SnapshotSize is more than any snapshot of the loaded guest has, in octets.
func (m *Machine) SnapshotSize() uint64 {
	n := uint64(len(m.mem.b))
	if m.ext != nil {
		n += uint64(len(m.ext.mem))
	}
	return snapshot.MaxSize(n)
}

// StateRequests are the ioctls that Snapshot needs, for a filter.
func (m *Machine) StateRequests() []kvm.Request {
	var out []kvm.Request
	for _, p := range m.processors {
		out = append(out, p.v.StateRequests()...)
	}
	return out
}

package tender

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/kvm"
	"github.com/perilune/perilune/tender/snapshot"
	"golang.org/x/sys/unix"
)

// maxDrift is by how much the frequency of the cycle counter may differ from
// the one the guest was told, in parts of it: two measures of one clock.
const maxDrift = 1000

// Restore puts a saved guest into the machine, in place of Load. c says what
// Image, Kernel and Cmdline do not: devices, console, how many vCPUs. A
// snapshot.MismatchError says what does not fit.
//
// The guest's cycle counter goes on from where it stood, so its monotonic time
// does; the wall clock is the host's.
func (m *Machine) Restore(c Config, r *snapshot.Reader) error {
	if m.mem != nil {
		return errors.New("machine has a guest already")
	}
	h := r.Header
	if err := m.fits(c, h); err != nil {
		return err
	}
	if _, err := m.guestMemory(h.Mapped); err != nil {
		return err
	}
	m.mem.limit = h.Memory
	if err := m.restoreDevices(c, h); err != nil {
		return err
	}
	if err := r.Memory(m.place); err != nil {
		return err
	}
	for _, p := range h.Protected {
		if err := m.mem.Protect(p.Start, p.End, p.Read, p.Write); err != nil {
			return fmt.Errorf("restore: %w", err)
		}
	}
	if err := m.restoreRings(h); err != nil {
		return err
	}
	return m.restoreVCPUs(h)
}

// fits holds the header against this host and the caller's limits.
func (m *Machine) fits(c Config, h *snapshot.Header) error {
	freq, err := m.boot().v.CycleFreq()
	if err != nil {
		return err
	}
	here, there := max(freq, h.CycleFreq), min(freq, h.CycleFreq)
	if here-there > here/maxDrift {
		return snapshot.Differ("cycle counter, Hz", h.CycleFreq, freq)
	}
	manifest, err := c.Image.Manifest.MarshalBinary()
	if err != nil {
		return err
	}
	vcpus, err := c.vcpus()
	if err != nil {
		return err
	}
	ring := &Config{Ring: c.Ring, Nets: c.Nets, Memory: h.Memory}
	return errors.Join(
		snapshot.Differ("architecture", h.Arch, runtime.GOARCH),
		snapshot.Differ("processor", h.CPU, kvm.CPUName),
		snapshot.Differ("ABI", h.ABI, hvt.ABIVersion),
		snapshot.Differ("manifest", string(h.Manifest), string(manifest)),
		snapshot.Differ("vCPUs", len(h.VCPUs), vcpus),
		snapshot.Differ("memory with ring, octets", h.Mapped, h.Memory+ring.ringSpace()))
}

// restoreDevices attaches what the manifest declares and holds it against what
// the guest knows of it.
func (m *Machine) restoreDevices(c Config, h *snapshot.Header) error {
	m.vm.Extended = c.Image.Manifest.Extended()
	if err := m.addProcessors(len(h.VCPUs)); err != nil {
		return err
	}
	m.console = m.orderly(c.Console)
	for _, n := range h.Nets {
		if net := c.Nets[n.Name]; net != nil {
			net.SetMAC(n.MAC)
		}
	}
	if _, err := m.attach(c); err != nil {
		return err
	}
	for _, want := range h.Blocks {
		b := c.Blocks[want.Name]
		if b == nil {
			return &snapshot.MismatchError{What: "block device " + want.Name, Saved: "one", Here: "none"}
		}
		got, err := describeBlock(want.Name, b)
		if err != nil {
			return fmt.Errorf("block device %s: %w", want.Name, err)
		}
		if err := errors.Join(
			snapshot.Differ("size of block device "+want.Name+", octets", want.Size, got.Size),
			snapshot.Differ("sectors of block device "+want.Name+", octets", want.Sector, got.Sector),
			snapshot.Differ("digest of block device "+want.Name, fmt.Sprintf("%x", want.Digest), fmt.Sprintf("%x", got.Digest))); err != nil {
			return err
		}
	}
	for _, want := range h.Nets {
		net := c.Nets[want.Name]
		if net == nil {
			return &snapshot.MismatchError{What: "network " + want.Name, Saved: "one", Here: "none"}
		}
		if err := snapshot.Differ("MTU of network "+want.Name, want.MTU, net.Attachment().MTU); err != nil {
			return err
		}
	}
	return m.restoreExtension(c, h)
}

// restoreExtension makes the same extension memory as for a new guest; its
// content comes from the snapshot.
func (m *Machine) restoreExtension(c Config, h *snapshot.Header) error {
	size := c.extensionSpace()
	if size > 0 {
		if err := m.newExtension(size); err != nil {
			return err
		}
		size = uint64(len(m.ext.mem))
	}
	if err := snapshot.Differ("extension memory, octets", h.Extension, size); err != nil {
		return err
	}
	if _, err := m.extend(c); err != nil {
		return err
	}
	if m.ext != nil {
		// The record was protected; until the snapshot is in, it is not.
		if err := unix.Mprotect(m.ext.mem[:hvt.RecordSize], allAccess); err != nil {
			return fmt.Errorf("restore extension record: %w", err)
		}
	}
	return m.announceRing(c)
}

// place is where the snapshot's memory goes. The reader has checked that it
// is there.
func (m *Machine) place(gpa, n uint64) []byte {
	if m.ext.holds(gpa) {
		return m.ext.mem[gpa-hvt.ExtensionBase:][:n]
	}
	return m.mem.b[gpa:][:n]
}

// restoreRings gives the rings what their host sides knew.
func (m *Machine) restoreRings(h *snapshot.Header) error {
	saved := map[uint32][]byte{}
	for _, r := range h.Rings {
		saved[r.Number] = r.State
	}
	count := 0
	for n, w := range m.workers {
		if w == nil {
			continue
		}
		count++
		if err := w.SetState(saved[uint32(n)]); err != nil {
			return fmt.Errorf("snapshot does not fit: ring %d: %w", n, err)
		}
	}
	return snapshot.Differ("rings", len(h.Rings), count)
}

// restoreVCPUs is the last step: processors, then the counter of all.
func (m *Machine) restoreVCPUs(h *snapshot.Header) error {
	if m.ext != nil {
		if err := unix.Mprotect(m.ext.mem[:hvt.RecordSize], unix.PROT_READ); err != nil {
			return fmt.Errorf("restore extension record: %w", err)
		}
	}
	for i, v := range h.VCPUs {
		p := m.processors[i]
		if v.Woken {
			p.wake()
		}
		if !v.Begun {
			continue
		}
		p.begun = true
		if v.Call != 0 {
			if n := hvt.Number(v.Call); !n.Valid() || n.Extended() && !m.vm.Extended {
				return fmt.Errorf("%w: vCPU %d waits in call %d", snapshot.ErrCorrupt, i, v.Call)
			}
			p.held = &kvm.Exit{Kind: kvm.ExitCall, Number: v.Call, Arg: v.Arg}
			p.until = time.Now().Add(time.Duration(min(v.Left, uint64(longestWait))))
		}
		if err := p.v.LoadState(v.State); err != nil {
			return fmt.Errorf("snapshot does not fit: vCPU %d: %w", i, err)
		}
	}
	for _, p := range m.processors {
		if err := p.v.SetCounter(h.Counter); err != nil {
			return err
		}
	}
	for _, p := range m.processors {
		if n, err := p.v.Counter(); err != nil || n < h.Counter {
			return fmt.Errorf("snapshot does not fit: cycle counter stands at %d after it was set to %d: %w", n, h.Counter,
				errors.Join(err, kvm.ErrUnsupported))
		}
	}
	return nil
}

package tender

import (
	"cmp"
	"errors"
	"fmt"
	"sync"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/kvm"
)

// vcpuCall serves VCPU_START, VCPU_PARK and VCPU_WAKE.
func (p *processor) vcpuCall(n hvt.Number, gpa uint64) error {
	var record [hvt.MaxCallSize]byte
	src, err := p.m.mem.Readable(gpa, uint64(n.Size()))
	if err != nil {
		return err
	}
	r := record[:copy(record[:], src)]
	switch n {
	case hvt.CallVCPUStart:
		s, _ := hvt.DecodeVCPUStart(r)
		ret, err := p.m.startVCPU(s)
		if err != nil {
			return err
		}
		return p.m.put32(gpa+hvt.VCPUStartRet, uint32(ret))
	case hvt.CallVCPUPark:
		k, _ := hvt.DecodeVCPUPark(r)
		ret, err := p.park(k.Timeout)
		if err != nil {
			return err
		}
		return p.m.put32(gpa+hvt.VCPUParkRet, uint32(ret))
	}
	w, _ := hvt.DecodeVCPUWake(r)
	ret := hvt.ResultInvalid
	if int(w.CPU) < len(p.m.processors) {
		p.m.processors[w.CPU].wake()
		ret = hvt.ResultOK
	}
	return p.m.put32(gpa+hvt.VCPUWakeRet, uint32(ret))
}

// startVCPU starts a vCPU that has not run yet: ResultInvalid if there is no
// such one or its entry or stack lie outside of what it may use, ResultAgain
// if it runs already.
func (m *Machine) startVCPU(s hvt.VCPUStart) (hvt.Result, error) {
	if int(s.CPU) >= len(m.processors) || s.Entry < hvt.MinBase || s.Stack%16 != 0 {
		return hvt.ResultInvalid, nil
	}
	if _, err := m.mem.Readable(s.Entry, 1); err != nil {
		return hvt.ResultInvalid, nil
	}
	if s.Stack < hvt.MinBase+16 {
		return hvt.ResultInvalid, nil
	}
	if _, err := m.mem.Writable(s.Stack-16, 16); err != nil {
		return hvt.ResultInvalid, nil
	}
	p := m.processors[s.CPU]
	m.lock.Lock()
	defer m.lock.Unlock()
	if p.begun {
		return hvt.ResultAgain, nil
	}
	if err := p.v.StartAt(s.Entry, s.Stack, s.Argument); err != nil {
		return 0, err
	}
	m.begin(p)
	return hvt.ResultOK, nil
}

// begin gives the vCPU its thread. The caller holds the lock.
func (m *Machine) begin(p *processor) {
	p.begun = true
	if m.debugger != nil {
		m.debugger.begin(p)
		return
	}
	m.running.Go(p.run)
}

// ownedByFirst says whether only vCPU 0 may make the call.
func ownedByFirst(n hvt.Number) bool {
	switch n {
	case hvt.CallWalltime, hvt.CallPuts, hvt.CallHalt:
		return false
	}
	return n.Valid()
}

// refuse answers a call that is not the vCPU's to make, as if the device were
// not there; POLL returns -1.
func (m *Machine) refuse(n hvt.Number, gpa uint64) error {
	if _, err := m.mem.Readable(gpa, uint64(n.Size())); err != nil {
		return err
	}
	switch n {
	case hvt.CallPoll:
		return m.put32(gpa+hvt.PollRet, ^uint32(0))
	case hvt.CallBlockRead, hvt.CallBlockWrite:
		return m.put32(gpa+hvt.BlockRet, uint32(hvt.ResultInvalid))
	}
	return m.put32(gpa+hvt.NetRet, uint32(hvt.ResultInvalid))
}

// boot is the vCPU that the guest starts with.
func (m *Machine) boot() *processor { return m.processors[0] }

// RunRequests are the ioctls that the running guest needs, for a filter.
func (m *Machine) RunRequests() []kvm.Request {
	var out []kvm.Request
	for _, p := range m.processors {
		out = append(out, p.v.RunRequests()...)
		if p.number != 0 {
			out = append(out, p.v.StartRequests()...)
		}
	}
	return out
}

// DebugRequests are the ioctls that a debugger and a core file need.
func (m *Machine) DebugRequests() []kvm.Request {
	var out []kvm.Request
	for _, p := range m.processors {
		out = append(out, p.v.DebugRequests()...)
	}
	return out
}

// VCPU gives the processor that the guest starts with.
func (m *Machine) VCPU() *kvm.VCPU { return m.boot().v }

// LeaveBehind is kvm.LeaveBehind for a loaded guest's machine, which cannot be
// closed any more: it ends with the process.
func (m *Machine) LeaveBehind() bool {
	var all []*kvm.VCPU
	for _, p := range m.processors {
		all = append(all, p.v)
	}
	return kvm.LeaveBehind(all)
}

// vcpus is how many the manifest asks for, if they may be given.
func (c *Config) vcpus() (int, error) {
	n := 1
	for _, e := range c.Image.Manifest.Entries {
		if e.Type == hvt.VCPUs {
			n = int(e.Count())
		}
	}
	if limit := cmp.Or(c.VCPUs, hvt.MaxVCPUs); n > limit {
		return 0, fmt.Errorf("%w: it declares %d, at most %d are granted", ErrVCPUs, n, limit)
	}
	return n, nil
}

// ErrVCPUs is wrapped when a guest declares more vCPUs than it may have.
var ErrVCPUs = errors.New("too many vCPUs")

// orderly lets one vCPU at a time write to the console.
func (m *Machine) orderly(console func([]byte) error) func([]byte) error {
	if console == nil || len(m.processors) == 1 {
		return console
	}
	var lock sync.Mutex
	return func(p []byte) error {
		lock.Lock()
		defer lock.Unlock()
		return console(p)
	}
}

package kvm

import "slices"

// Request is an ioctl on a descriptor, for a system call filter.
type Request struct {
	FD     int
	Number uint32
}

// RunRequests are the ioctls that a running guest needs.
func (c *VCPU) RunRequests() []Request {
	var out []Request
	for _, n := range runRequests {
		out = append(out, Request{c.fd, n})
	}
	return out
}

// StartRequests are the ioctls that StartAt needs.
func (c *VCPU) StartRequests() []Request {
	var out []Request
	for _, n := range startRequests {
		out = append(out, Request{c.fd, n})
	}
	return out
}

// AnyFD stands for every descriptor in a Request: those of vCPUs that are yet
// to be made have no number. KVM's requests mean nothing to other files.
const AnyFD = -1

// SetupRequests are the ioctls from New to the guest's end, of vCPUs too that
// are made once the guest is known, and of one that is restored or saved: a
// later filter can only take some away.
func (c *VCPU) SetupRequests() []Request {
	out := []Request{{c.vm.fd, setMemoryRegion}, {c.vm.fd, setIOEventFD}, {c.vm.fd, createVCPU}}
	for _, n := range slices.Concat(setupRequests, runRequests, stateRequests) {
		out = append(out, Request{AnyFD, n})
	}
	return append(out, prepareVM(c.vm.fd)...)
}

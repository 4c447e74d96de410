package kvm

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

// SetupRequests are the ioctls between New and the guest's first instruction.
func (c *VCPU) SetupRequests() []Request {
	out := []Request{{c.vm.fd, setMemoryRegion}}
	for _, n := range setupRequests {
		out = append(out, Request{c.fd, n})
	}
	return append(out, c.RunRequests()...)
}

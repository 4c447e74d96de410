package kvm

import "errors"

// ErrState is wrapped when a processor's saved state does not fit this host.
var ErrState = errors.New("state does not fit this processor")

// StateRequests are the ioctls that saving a processor needs.
func (c *VCPU) StateRequests() []Request {
	var out []Request
	for _, n := range stateRequests {
		out = append(out, Request{c.fd, n})
	}
	return out
}

package kvm

import "github.com/perilune/perilune/hvt"

const (
	kickAddress = hvt.PortKick
	kickFlags   = 1 << 1 // an I/O port
)

// IsKick says whether x is the guest's kick of the net ring.
func IsKick(x Exit) bool { return x.Kind == ExitPort && x.Number == hvt.PortKick }

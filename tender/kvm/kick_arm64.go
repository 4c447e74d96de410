package kvm

import "github.com/perilune/perilune/hvt"

const (
	kickAddress = hvt.MMIOKick
	kickFlags   = 0
)

// IsKick says whether x is the guest's kick of the net ring.
func IsKick(x Exit) bool { return x.Kind == ExitMMIO && x.Write && x.Addr == hvt.MMIOKick }

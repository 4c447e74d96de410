package kvm

import "github.com/perilune/perilune/hvt"

const kickFlags = 1 << 1 // an I/O port

func kickAddress(n int) uint64 { return hvt.KickPort(n) }

// Kick says whether x is the guest's kick of a ring, and of which.
func Kick(x Exit) (n int, ok bool) {
	n = int(x.Number-hvt.PortKick) / 4
	return n, x.Kind == ExitPort && x.Store && x.Number >= hvt.PortKick && x.Number%4 == 0 && n <= hvt.MaxRings
}

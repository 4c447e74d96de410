package kvm

import "github.com/perilune/perilune/hvt"

const kickFlags = 0

func kickAddress(n int) uint64 { return hvt.KickMMIO(n) }

// Kick says whether x is the guest's kick of a ring, and of which.
func Kick(x Exit) (n int, ok bool) {
	if x.Kind != ExitMMIO || !x.Store || x.Addr < hvt.MMIOKick || x.Addr%8 != 0 || x.Addr > hvt.KickMMIO(hvt.MaxRings) {
		return 0, false
	}
	return int(x.Addr-hvt.MMIOKick) / 8, true
}

package turbo

import "golang.org/x/sys/cpu"

// hasQuick says that the passes below may be called. They do what the plain ones do, for
// all states of a time at once, compare for eight times at once.
var hasQuick = cpu.X86.HasAVX2

//go:noescape
func forwards(forward, weights *[states]int16, known *int16, coded *[3]int16, signs *[4][states]int16, steps int, knee int16)

//go:noescape
func backwards(paths, forward, weights *[states]int16, signs *[4][states]int16, steps int, knee int16)

//go:noescape
func compare(extrinsic *int16, paths *[states]int16, known *int16, k int, knee, scale int16)

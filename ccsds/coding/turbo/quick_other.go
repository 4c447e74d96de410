//go:build !amd64

package turbo

// hasQuick says that the passes below may be called.
const hasQuick = false

func forwards(_, _ *[states]int16, _ *int16, _ *[3]int16, _ *[4][states]int16, _ int, _ int16) {}

func backwards(_, _, _ *[states]int16, _ *[4][states]int16, _ int, _ int16) {}

func compare(_ *int16, _ *[states]int16, _ *int16, _ int, _, _ int16) {}

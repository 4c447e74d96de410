package conv

// hasSix says that sixSteps may be called: every arm64 has NEON.
const hasSix = true

// sixSteps takes six bits for each group through the trellis from phase 0 on, as step does one
// by one. pairs holds the levels, decisions has room for as many as there are bits. groups
// is above 0.
//
//go:noescape
func sixSteps(m *[words]uint64, t *[2]branch, s *[levels]uint64, pairs *uint8, decisions *uint64, groups int)

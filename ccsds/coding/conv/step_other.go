//go:build !amd64 && !arm64

package conv

// hasSix says that sixSteps may be called.
const hasSix = false

func sixSteps(*[words]uint64, *[2]branch, *[levels]uint64, *uint8, *uint64, int) {}

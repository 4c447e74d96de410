package story

import (
	"context"

	"github.com/perilune/perilune/internal/client"
)

// World is the simulation around the craft.
type World interface {
	// Client speaks to the ground station.
	Client() *client.Client
	// Space disturbs the link.
	Space() Space
	// Booted waits until the craft's own console says that init runs, and returns the line.
	Booted(ctx context.Context) (string, error)
	// Reset pushes the craft's reset button.
	Reset(ctx context.Context) error
	// Bundle builds and signs the example mission: as its tenant would, with a stranger's
	// key, or with a program whose code is damaged.
	Bundle(ctx context.Context, mission string, how Make) (path string, err error)
	// Example is the path of a file of an example mission.
	Example(mission, file string) string
	// Dir is where the recordings are and the report goes.
	Dir() string
}

// Make is how a bundle is made.
type Make int

// Ways to make a bundle.
const (
	Honest   Make = iota // signed by its tenant
	Stranger             // signed by a key that no grant names
	Damaged              // signed by its tenant, but the program stops at its first instruction
)

// Space is the way between craft and station. The ways are "up" and "down", "" for both.
type Space interface {
	Burst(way string)
	ResetBER(way string)
	SetSignal(on bool)
	SetClear(way string, on bool)
	// Offsets are the octets so far: up sent and received, down sent and received.
	Offsets() (upSent, upReceived, downSent, downReceived int64)
}

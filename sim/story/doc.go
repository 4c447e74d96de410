// Package story is the flight that `make demo` flies: milestones in order, each seen in
// the recordings of the raw bits, each resting on others. It speaks to the craft only
// through the ground station, as an operator would; what only a simulator can do (noise,
// loss of signal, a reset button) comes from World.
package story

// Package snapshot is the file that keeps a stopped guest: a header that says
// what it was and what it ran on, and the pages of its memory that are not all
// zero. It holds everything; nothing of the process or of the host that wrote
// it is needed to go on, nor has either to be running still.
//
//	magic      8 octets
//	version    u32
//	length     u32, of the header
//	digest     SHA-256 of the header
//	header     see Header
//	runs       address u64, octets u64, the octets; until octets is 0
//	digest     SHA-256 of all before
//
// Numbers are little endian. A text or list has its length, u32, before it.
package snapshot

import (
	"errors"
	"fmt"

	"github.com/perilune/perilune/hvt"
)

// Version is that of the format; a change makes another one.
const Version = 1

const (
	magic     = "PLSNAP\r\n"
	prologue  = 16 + digestSize
	maxHeader = 8 << 20 // octets
	pageSize  = hvt.PageSize
)

// Errors of files that cannot be read.
var (
	ErrNotOne    = errors.New("is no snapshot")
	ErrVersion   = errors.New("snapshot has another version")
	ErrTruncated = errors.New("snapshot is truncated")
	ErrCorrupt   = errors.New("snapshot is corrupted")
)

// MismatchError says what of a snapshot does not fit where it is restored.
type MismatchError struct{ What, Saved, Here string }

func (e *MismatchError) Error() string {
	return fmt.Sprintf("snapshot does not fit: %s: saved with %s, here %s", e.What, e.Saved, e.Here)
}

// Differ makes a MismatchError of two values, nil if they are equal.
func Differ[T comparable](what string, saved, here T) error {
	if saved == here {
		return nil
	}
	return &MismatchError{what, fmt.Sprint(saved), fmt.Sprint(here)}
}

// Header is everything but the memory's content.
type Header struct {
	Arch      string // as Go calls it
	CPU       string // name of what the guest sees of the processor
	ABI       uint32
	CycleFreq uint64 // Hz
	Counter   uint64 // the guest's cycle counter when it stopped
	Wall      uint64 // when that was, nanoseconds since 1970, for a human
	Memory    uint64 // octets that the guest is told of
	Mapped    uint64 // with what lies above them
	Extension uint64 // octets at hvt.ExtensionBase
	Manifest  []byte // descriptor, as in the program
	Protected []Range
	VCPUs     []VCPU
	Blocks    []Block
	Nets      []Net
	Rings     []Ring
}

// Ring is what the host knew of one ring beyond its memory; State is package
// ring's or queue's.
type Ring struct {
	Number uint32
	State  []byte
}

// Range is memory of the program's that is not both readable and writable.
type Range struct {
	Start, End  uint64
	Read, Write bool
}

// VCPU is one processor. State is package kvm's.
type VCPU struct {
	Begun bool
	Woken bool   // a wake waits for the next park
	Call  uint32 // hypercall that waited, 0 for none
	Arg   uint64 // its record
	Left  uint64 // nanoseconds it had still to wait
	State []byte
}

// Block is a block device by its content.
type Block struct {
	Name   string
	Size   uint64
	Sector uint32
	Digest [digestSize]byte
}

// Net is a network device as the guest knows it.
type Net struct {
	Name string
	MAC  [6]byte
	MTU  uint16
}

// Limits of a header, beyond which no guest goes.
const (
	maxRanges = 1024
	maxState  = 1 << 20 // octets of one processor
	maxText   = 256
)

// check refuses headers that no tender writes, before anything is allocated
// for them.
func (h *Header) check() error {
	switch {
	case h.Memory == 0 || h.Memory%hvt.MemoryStep != 0 || h.Memory > hvt.MaxMemory:
		return fmt.Errorf("%w: memory of %d octets", ErrCorrupt, h.Memory)
	case h.Mapped < h.Memory || h.Mapped > h.Memory+hvt.MemoryStep || h.Mapped%hvt.MemoryStep != 0:
		return fmt.Errorf("%w: %d octets are mapped for %d", ErrCorrupt, h.Mapped, h.Memory)
	case h.Extension%hvt.MemoryStep != 0 || h.Extension > hvt.ExtensionMax:
		return fmt.Errorf("%w: extension memory of %d octets", ErrCorrupt, h.Extension)
	case len(h.VCPUs) == 0 || len(h.VCPUs) > hvt.MaxVCPUs || !h.VCPUs[0].Begun:
		return fmt.Errorf("%w: %d processors", ErrCorrupt, len(h.VCPUs))
	}
	for _, r := range h.Protected {
		if r.Start < hvt.MinBase || r.Start >= r.End || r.End > h.Memory || (r.Start|r.End)%pageSize != 0 {
			return fmt.Errorf("%w: protection of %#x to %#x", ErrCorrupt, r.Start, r.End)
		}
	}
	return nil
}

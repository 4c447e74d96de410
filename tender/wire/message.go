// Package wire is the control socket of a tender slot: one SEQPACKET message
// each, fixed binary, little endian. The first octet names the message;
// strings are a u16 length and that many octets. Files travel beside a Claim
// as descriptors.
//
//	tender → flight  Hello Claimed Refused Started Console Exited
//	flight → tender  Claim Stop
//
// Both sides treat what they read as hostile.
package wire

import (
	"fmt"

	"github.com/perilune/perilune/internal/seqpacket"
)

// Version of the protocol, in Hello.
const Version = 1

// Limits, checked before anything is allocated or sent.
const (
	MaxMessage = 32 << 10 // octets
	MaxConsole = 4096     // octets of text in a Console
	MaxDevices = 63
	MaxFiles   = MaxDevices + 1
	MaxString  = 8192 // octets; a guest's command line is the longest
)

// ErrMessage is wrapped by every error of Decode and of Encode.
var ErrMessage = seqpacket.ErrMessage

// Message is one of the message types of this package.
type Message interface{ kind() byte }

// Numbers of the messages; a number is never used again for another one.
const (
	kindHello   = 1
	kindClaimed = 2
	kindRefused = 3
	kindStarted = 4
	kindConsole = 5
	kindExited  = 6
	kindClaim   = 64
	kindStop    = 65
)

// Hello is the slot's first message: VM and vCPU exist, the jail is shut.
type Hello struct {
	Version uint32 // of this protocol
	ABI     uint32 // of the guests it runs
}

// Claimed answers a Claim that was accepted.
type Claimed struct{}

// Refused answers a Claim that was not: Rule is a stable word such as
// "elf.header" or "manifest.mismatch". The slot ends after it.
type Refused struct{ Rule, Reason string }

// Started says that the guest runs its first instruction.
type Started struct{}

// Console carries text of the guest, as it came. Dropped counts octets lost
// before Data since the slot was claimed.
type Console struct {
	Data    []byte
	Dropped uint32
}

// Kind says how a guest ended.
type Kind uint8

// How a guest ends: by itself with a status, by an abort (status 255), by
// something it must not do, by Stop, or by a failure that is not its own.
const (
	Halt Kind = iota + 1
	Abort
	Fault
	Killed
	Internal
)

var kindNames = [...]string{Halt: "halt", Abort: "abort", Fault: "fault", Killed: "killed", Internal: "internal"}

func (k Kind) String() string {
	if k < Halt || k > Internal {
		return fmt.Sprintf("kind(%d)", uint8(k))
	}
	return kindNames[k]
}

// Exited is the slot's last message; Status is also its process' exit status.
type Exited struct {
	Status uint8
	Kind   Kind
	Reason string
}

// Where a device's other side is.
const (
	File       = 1 // a file handed over with the Claim: block device, or a tap
	SlotPacket = 2 // the slot's own packet socket
	Tap        = 3 // a tap handed over with the Claim
)

// Device attaches one device that the guest's manifest declares.
type Device struct {
	Name       string
	Type       uint8  // hvt.Block or hvt.Net
	SectorSize uint32 // block: octets, 0 for 512
	ReadOnly   bool   // block
	Source     uint8  // File, SlotPacket or Tap
	MTU        uint16 // net: octets
	MAC        [6]byte
}

// UsesFile says whether a file must come with the Claim for the device.
func (d Device) UsesFile() bool { return d.Source != SlotPacket }

// Claim gives the slot its guest. With it come files: first the kernel, then
// one for each device that UsesFile, in order.
type Claim struct {
	Guest   string // "tenant/mission", for the log
	MemMiB  uint32
	Cmdline string
	Devices []Device
}

// Files is how many descriptors come with the Claim.
func (c Claim) Files() int {
	n := 1
	for _, d := range c.Devices {
		if d.UsesFile() {
			n++
		}
	}
	return n
}

// Stop ends the guest at once.
type Stop struct{}

func (Hello) kind() byte   { return kindHello }
func (Claimed) kind() byte { return kindClaimed }
func (Refused) kind() byte { return kindRefused }
func (Started) kind() byte { return kindStarted }
func (Console) kind() byte { return kindConsole }
func (Exited) kind() byte  { return kindExited }
func (Claim) kind() byte   { return kindClaim }
func (Stop) kind() byte    { return kindStop }

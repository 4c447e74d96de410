// Package wire is the control socket of a tender slot: one SEQPACKET message
// each, fixed binary, little endian. The first octet names the message;
// strings are a u16 length and that many octets. Files travel beside a Claim
// as descriptors.
//
//	tender → flight  Hello Claimed Refused Started Console Recalled Saved Unsaved Exited
//	flight → tender  Claim Recall Save Stop
//
// Both sides treat what they read as hostile.
package wire

import (
	"fmt"

	"github.com/perilune/perilune/internal/seqpacket"
)

// Version of the protocol, in Hello.
const Version = 4

// Limits, checked before anything is allocated or sent.
const (
	MaxMessage = 32 << 10 // octets
	MaxConsole = 4096     // octets of text in a Console or Recalled
	MaxDevices = 63
	MaxFiles   = MaxDevices + 3
	MaxString  = 8192 // octets; a guest's command line is the longest
)

// ErrMessage is wrapped by every error of Decode and of Encode.
var ErrMessage = seqpacket.ErrMessage

// Message is one of the message types of this package.
type Message interface{ kind() byte }

// Numbers of the messages; a number is never used again for another one.
const (
	kindHello    = 1
	kindClaimed  = 2
	kindRefused  = 3
	kindStarted  = 4
	kindExited   = 6
	kindConsole  = 7 // 5 was one without an offset
	kindRecalled = 8
	kindSaved    = 11 // 9 and 10 were these without an Order
	kindUnsaved  = 12
	kindStop     = 65
	kindRecall   = 66
	kindClaim    = 67 // 64 was one without Restore and Save
	kindSave     = 69 // 68 was one without an Order
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

// Console carries text of the guest as it comes, in measure. Offset is that of
// Data's first octet since the guest began: a gap before it was dropped on the
// way to flight, not in the slot, which keeps the last text (Recall).
type Console struct {
	Offset uint64
	Data   []byte
}

// Recalled is text that the slot has kept: the answer to a Recall, with as much
// as fits, or, with Last set, part of what the slot hands over before Exited.
// Start and End are the offsets of the oldest octet kept and behind the last
// one; Data begins at Offset, which is Start if what was asked for is gone.
type Recalled struct {
	Start, Offset, End uint64
	Last               bool
	Data               []byte
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
	Channel    = 4 // a SEQPACKET socket handed over with the Claim, to another guest
)

// Device attaches one device that the guest's manifest declares.
type Device struct {
	Name       string
	Type       uint8  // hvt.Block or hvt.Net; the latter for a channel too
	SectorSize uint32 // block: octets, 0 for 512
	ReadOnly   bool   // block
	Source     uint8  // File, SlotPacket, Tap or Channel
	MTU        uint16 // net: octets
	MAC        [6]byte
}

// UsesFile says whether a file must come with the Claim for the device.
func (d Device) UsesFile() bool { return d.Source != SlotPacket }

// Claim gives the slot its guest. With it come files: first the kernel, then
// one for each device that UsesFile, in order, then those for Restore and Save.
type Claim struct {
	Guest   string // "tenant/mission", for the log
	MemMiB  uint32
	Cmdline string
	Restore bool // a snapshot comes, to be read: the guest goes on from there
	Save    bool // a file comes, to be written by Save
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
	for _, more := range [...]bool{c.Restore, c.Save} {
		if more {
			n++
		}
	}
	return n
}

// Recall asks a slot whose guest runs for kept console text from Offset on. The
// answer is Recalled, or none if the socket is full then.
type Recall struct{ Offset uint64 }

// Save writes the guest to the file that came with its Claim, from the file's
// beginning and of no more than Max octets, and ends it: Saved, then Exited. If
// that fails the answer is Unsaved and the guest goes on; the file holds no
// snapshot then. So a file that holds one is that of a guest that has ended, and
// whoever missed the answer can ask again: a Save with the Order of the last one is
// that one. It begins no other snapshot, whether its answer is to come or on its way
// already, and if it was Unsaved, has it again. The file came early so that a slot
// whose guest runs needs no way to be given another one.
type Save struct {
	Order uint64 // which order it is; another one of the same guest has another
	Max   uint64
}

// Saved answers a Save: the snapshot is whole and synced.
type Saved struct {
	Order uint64 // that of the Save
	Size  uint64 // octets
}

// Unsaved answers a Save that failed.
type Unsaved struct {
	Order  uint64 // that of the Save
	Reason string
}

// Stop ends the guest at once.
type Stop struct{}

func (Hello) kind() byte    { return kindHello }
func (Claimed) kind() byte  { return kindClaimed }
func (Refused) kind() byte  { return kindRefused }
func (Started) kind() byte  { return kindStarted }
func (Console) kind() byte  { return kindConsole }
func (Recalled) kind() byte { return kindRecalled }
func (Exited) kind() byte   { return kindExited }
func (Claim) kind() byte    { return kindClaim }
func (Recall) kind() byte   { return kindRecall }
func (Save) kind() byte     { return kindSave }
func (Saved) kind() byte    { return kindSaved }
func (Unsaved) kind() byte  { return kindUnsaved }
func (Stop) kind() byte     { return kindStop }

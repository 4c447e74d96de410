// Package initproto is the socket between init, the only root on board, and
// the flight program: one SEQPACKET message each, fixed binary, little
// endian. Flight finds it as file descriptor FD. The first octet names the
// message; strings are a u16 length and that many octets.
//
//	flight → init  SlotRequest SlotKill Keep Forget Pool Health SafeLeave Reboot
//	init → flight  Welcome SlotReady SlotFailed SlotExited Kept
//
// init treats what it reads as hostile: flight is what faces the radio.
package initproto

import (
	"fmt"

	"github.com/perilune/perilune/internal/seqpacket"
)

// FD is where flight finds the socket.
const FD = 3

// UID and GID of the flight program. A slot runs as a uid of its own above SlotUID.
const (
	UID     = 900
	GID     = 900
	SlotUID = 1000
)

// Where things are on board. DataDir is a mounted partition, or missing in
// safe mode; FlightDir in it belongs to flight.
const (
	DataDir   = "/data"
	FlightDir = "/data/flight"
	EtcDir    = "/etc/perilune"
	RadioEnv  = "PERILUNE_RADIO" // path of the radio's character device
)

// DataPartition is the name of the data partition in the partition table.
const DataPartition = "perilune-data"

// Limits, checked before anything is allocated or sent.
const (
	MaxMessage = 2048 // octets
	MaxFiles   = 2
	MaxString  = 512 // octets
	MaxSlotID  = 999
	MaxKept    = 64 // Keeps at a time
)

// ErrMessage is wrapped by every error of Decode and of Encode.
var ErrMessage = seqpacket.ErrMessage

// Message is one of the message types of this package.
type Message interface{ kind() byte }

// Numbers of the messages; a number is never used again for another one.
const (
	kindWelcome     = 1
	kindSlotReady   = 2
	kindSlotFailed  = 3
	kindSlotExited  = 4
	kindKept        = 5
	kindSlotRequest = 64
	kindSlotKill    = 65
	kindHealth      = 66
	kindSafeLeave   = 67
	kindReboot      = 68
	kindPool        = 69
	kindKeep        = 70
	kindForget      = 71
)

// Mode says how flight has to run.
type Mode uint8

// Normal, or Safe: no guests, no stores; link, commands, events and time.
const (
	Normal Mode = 0
	Safe   Mode = 1
)

func (m Mode) String() string {
	switch m {
	case Normal:
		return "normal"
	case Safe:
		return "safe"
	}
	return fmt.Sprintf("mode(%d)", uint8(m))
}

// Welcome is init's first message to each new flight process. KeptSlots
// SlotReady messages with Kept set follow it at once, then KeptFiles Kept messages.
type Welcome struct {
	Mode      Mode
	Boots     uint32 // of this craft, this one included; 0 when it cannot be counted
	Restarts  uint32 // of flight since boot
	Cause     string // why the mode is safe, or how flight last ended; may be empty
	KeptSlots uint32
	KeptFiles uint32
}

// SlotReady hands over a running slot; with it come two files: its control
// socket (package tender/wire) and its packet socket.
type SlotReady struct {
	ID   uint32
	PID  uint32
	Name string
	Kept bool // it has outlived an earlier flight process
}

// SlotFailed answers a SlotRequest that could not be met.
type SlotFailed struct {
	ID     uint32
	Reason string
}

// SlotExited says that a slot's process has ended: by itself with Status, or
// by Signal when that is not 0.
type SlotExited struct {
	ID     uint32
	Status uint8
	Signal uint8
}

// SlotRequest asks for a new slot. ID is flight's own number for it, at most
// MaxSlotID and not in use; Name is for the log and comes back in SlotReady.
type SlotRequest struct {
	ID         uint32
	Name       string
	MemoryMax  int64  // octets, of the whole process
	CPUPercent uint32 // of one core; 0 without limit
	Pids       uint32 // threads; 0 for init's own limit
	IOMax      uint64 // octets a second, read and written each, on the data partition's disk; 0 without limit
}

// Keep gives init two files to hold for flight under a name: the ends of a channel
// between two guests. They outlive flight: each new one gets them back as Kept. A
// name that is taken gets the new files.
type Keep struct{ Name string }

// Forget ends that.
type Forget struct{ Name string }

// Kept hands the two files of a Keep to a new flight process.
type Kept struct{ Name string }

// SlotKill ends a slot at once; SlotExited follows.
type SlotKill struct{ ID uint32 }

// Pool asks init to keep Size slots started ahead of requests, which are then
// answered at once. It holds until the next Pool; there is none before the first.
type Pool struct{ Size uint32 }

// Health says that flight works: as long as it comes, init feeds the
// watchdog.
type Health struct{}

// SafeLeave asks for normal mode: init forgets flight's deaths and starts it
// again.
type SafeLeave struct{}

// Reboot asks for a restart of the whole craft.
type Reboot struct{ Reason string }

func (Welcome) kind() byte     { return kindWelcome }
func (SlotReady) kind() byte   { return kindSlotReady }
func (SlotFailed) kind() byte  { return kindSlotFailed }
func (SlotExited) kind() byte  { return kindSlotExited }
func (SlotRequest) kind() byte { return kindSlotRequest }
func (SlotKill) kind() byte    { return kindSlotKill }
func (Health) kind() byte      { return kindHealth }
func (SafeLeave) kind() byte   { return kindSafeLeave }
func (Reboot) kind() byte      { return kindReboot }
func (Pool) kind() byte        { return kindPool }
func (Keep) kind() byte        { return kindKeep }
func (Forget) kind() byte      { return kindForget }
func (Kept) kind() byte        { return kindKept }

package initproto

import (
	"fmt"

	"github.com/perilune/perilune/internal/seqpacket"
)

// Encode appends m to dst.
func Encode(dst []byte, m Message) ([]byte, error) {
	if m == nil {
		return dst, fmt.Errorf("%w: none", ErrMessage)
	}
	w := seqpacket.NewWriter(dst, m.kind())
	switch m := m.(type) {
	case Welcome:
		w.U8(uint8(m.Mode))
		w.U32(m.Boots)
		w.U32(m.Restarts)
		w.Str(m.Cause, MaxString)
		w.U32(m.KeptSlots)
		w.U32(m.KeptFiles)
	case SlotReady:
		w.U32(m.ID)
		w.U32(m.PID)
		w.Str(m.Name, MaxString)
		w.Flag(m.Kept)
	case SlotFailed:
		w.U32(m.ID)
		w.Str(m.Reason, MaxString)
	case SlotExited:
		w.U32(m.ID)
		w.U8(m.Status)
		w.U8(m.Signal)
	case SlotRequest:
		w.U32(m.ID)
		w.Str(m.Name, MaxString)
		w.U64(uint64(m.MemoryMax))
		w.U32(m.CPUPercent)
		w.U32(m.Pids)
		w.U64(m.IOMax)
	case SlotKill:
		w.U32(m.ID)
	case Pool:
		w.U32(m.Size)
	case Keep:
		w.Str(m.Name, MaxString)
	case Forget:
		w.Str(m.Name, MaxString)
	case Kept:
		w.Str(m.Name, MaxString)
	case Reboot:
		w.Str(m.Reason, MaxString)
	}
	return w.Done(MaxMessage)
}

// Decode reads one message, which must fill b exactly.
func Decode(b []byte) (Message, error) { return seqpacket.Decode(b, MaxMessage, read) }

// read takes the fields in the order in which Encode writes them: Go
// evaluates the calls of a composite literal from left to right.
func read(kind byte, r *seqpacket.Reader) Message {
	switch kind {
	case kindWelcome:
		return Welcome{Mode: readMode(r), Boots: r.U32(), Restarts: r.U32(), Cause: r.Str(MaxString), KeptSlots: r.U32(), KeptFiles: r.U32()}
	case kindSlotReady:
		return SlotReady{ID: readSlot(r), PID: r.U32(), Name: r.Str(MaxString), Kept: r.Flag()}
	case kindSlotFailed:
		return SlotFailed{ID: r.U32(), Reason: r.Str(MaxString)}
	case kindSlotExited:
		return SlotExited{ID: readSlot(r), Status: r.U8(), Signal: r.U8()}
	case kindSlotRequest:
		return SlotRequest{ID: r.U32(), Name: r.Str(MaxString), MemoryMax: int64(r.U64()), CPUPercent: r.U32(), Pids: r.U32(), IOMax: r.U64()}
	case kindSlotKill:
		return SlotKill{ID: r.U32()}
	case kindHealth:
		return Health{}
	case kindSafeLeave:
		return SafeLeave{}
	case kindReboot:
		return Reboot{Reason: r.Str(MaxString)}
	case kindKeep:
		return Keep{Name: r.Str(MaxString)}
	case kindForget:
		return Forget{Name: r.Str(MaxString)}
	case kindKept:
		return Kept{Name: r.Str(MaxString)}
	case kindPool:
		return Pool{Size: r.U32()}
	}
	r.Fail("unknown kind %d", kind)
	return nil
}

func readSlot(r *seqpacket.Reader) uint32 {
	id := r.U32()
	if id > MaxSlotID {
		r.Fail("slot %d, at most %d", id, MaxSlotID)
	}
	return id
}

func readMode(r *seqpacket.Reader) Mode {
	m := Mode(r.U8())
	if m > Safe {
		r.Fail("unknown mode %d", uint8(m))
	}
	return m
}

package initproto

import (
	"encoding/binary"
	"fmt"
)

// Encode appends m to dst.
func Encode(dst []byte, m Message) ([]byte, error) {
	if m == nil {
		return dst, fmt.Errorf("%w: none", ErrMessage)
	}
	w := writer{b: append(dst, m.kind())}
	switch m := m.(type) {
	case Welcome:
		w.b = append(w.b, byte(m.Mode))
		w.u32(m.Boots)
		w.u32(m.Restarts)
		w.str(m.Cause)
		w.u32(m.KeptSlots)
	case SlotReady:
		w.u32(m.ID)
		w.u32(m.PID)
		w.str(m.Name)
		w.flag(m.Kept)
	case SlotFailed:
		w.u32(m.ID)
		w.str(m.Reason)
	case SlotExited:
		w.u32(m.ID)
		w.b = append(w.b, m.Status, m.Signal)
	case SlotRequest:
		w.u32(m.ID)
		w.str(m.Name)
		w.b = binary.LittleEndian.AppendUint64(w.b, uint64(m.MemoryMax))
		w.u32(m.CPUPercent)
		w.u32(m.Pids)
	case SlotKill:
		w.u32(m.ID)
	case Reboot:
		w.str(m.Reason)
	}
	return w.b, w.err
}

// Decode reads one message, which must fill b exactly.
func Decode(b []byte) (Message, error) {
	if len(b) < 1 || len(b) > MaxMessage {
		return nil, fmt.Errorf("%w: %d octets", ErrMessage, len(b))
	}
	r := reader{b: b[1:]}
	m := r.message(b[0])
	if r.err == nil && len(r.b) > 0 {
		r.fail("%d octets left over", len(r.b))
	}
	if r.err != nil {
		return nil, r.err
	}
	return m, nil
}

// message reads the fields in the order in which Encode writes them: Go
// evaluates the calls of a composite literal from left to right.
func (r *reader) message(kind byte) Message {
	switch kind {
	case kindWelcome:
		return Welcome{Mode: r.mode(), Boots: r.u32(), Restarts: r.u32(), Cause: r.str(), KeptSlots: r.u32()}
	case kindSlotReady:
		return SlotReady{ID: r.slot(), PID: r.u32(), Name: r.str(), Kept: r.flag()}
	case kindSlotFailed:
		return SlotFailed{ID: r.u32(), Reason: r.str()}
	case kindSlotExited:
		return SlotExited{ID: r.slot(), Status: r.u8(), Signal: r.u8()}
	case kindSlotRequest:
		return SlotRequest{ID: r.u32(), Name: r.str(), MemoryMax: int64(r.u64()), CPUPercent: r.u32(), Pids: r.u32()}
	case kindSlotKill:
		return SlotKill{ID: r.u32()}
	case kindHealth:
		return Health{}
	case kindSafeLeave:
		return SafeLeave{}
	case kindReboot:
		return Reboot{Reason: r.str()}
	}
	r.fail("unknown kind %d", kind)
	return nil
}

type writer struct {
	b   []byte
	err error
}

func (w *writer) u32(v uint32) { w.b = binary.LittleEndian.AppendUint32(w.b, v) }

func (w *writer) flag(v bool) {
	if v {
		w.b = append(w.b, 1)
	} else {
		w.b = append(w.b, 0)
	}
}

func (w *writer) str(s string) {
	if len(s) > MaxString {
		if w.err == nil {
			w.err = fmt.Errorf("%w: string of %d octets, at most %d", ErrMessage, len(s), MaxString)
		}
		return
	}
	w.b = binary.LittleEndian.AppendUint16(w.b, uint16(len(s)))
	w.b = append(w.b, s...)
}

// reader takes fields off a message; after the first error it yields zeroes.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(format string, a ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: "+format, append([]any{ErrMessage}, a...)...)
	}
	r.b = nil
}

func (r *reader) take(n int) []byte {
	if n > len(r.b) {
		r.fail("truncated: %d octets wanted, %d left", n, len(r.b))
		return make([]byte, n)
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) u8() byte    { return r.take(1)[0] }
func (r *reader) u32() uint32 { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *reader) u64() uint64 { return binary.LittleEndian.Uint64(r.take(8)) }

func (r *reader) slot() uint32 {
	id := r.u32()
	if id > MaxSlotID {
		r.fail("slot %d, at most %d", id, MaxSlotID)
	}
	return id
}

func (r *reader) mode() Mode {
	m := Mode(r.u8())
	if m > Safe {
		r.fail("unknown mode %d", uint8(m))
	}
	return m
}

func (r *reader) flag() bool {
	v := r.u8()
	if v > 1 {
		r.fail("flag %d is neither 0 nor 1", v)
	}
	return v == 1
}

func (r *reader) str() string {
	n := int(binary.LittleEndian.Uint16(r.take(2)))
	if n > MaxString {
		r.fail("string of %d octets, at most %d", n, MaxString)
		return ""
	}
	return string(r.take(n))
}

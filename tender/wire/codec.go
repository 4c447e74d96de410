package wire

import (
	"encoding/binary"
	"fmt"
)

// Encode appends m to dst.
func Encode(dst []byte, m Message) ([]byte, error) {
	w := writer{b: append(dst, m.kind())}
	switch m := m.(type) {
	case Hello:
		w.u32(m.Version)
		w.u32(m.ABI)
	case Refused:
		w.str(m.Rule)
		w.str(m.Reason)
	case Console:
		if len(m.Data) > MaxConsole {
			w.fail("console text of %d octets, at most %d", len(m.Data), MaxConsole)
		}
		w.u32(m.Dropped)
		w.str(string(m.Data))
	case Exited:
		w.b = append(w.b, m.Status, byte(m.Kind))
		w.str(m.Reason)
	case Claim:
		w.claim(m)
	}
	if w.err == nil && len(w.b)-len(dst) > MaxMessage {
		w.fail("%d octets, at most %d", len(w.b)-len(dst), MaxMessage)
	}
	return w.b, w.err
}

// Decode reads one message, which must fill b exactly.
func Decode(b []byte) (Message, error) {
	if len(b) < 1 || len(b) > MaxMessage {
		return nil, fmt.Errorf("%w: %d octets", ErrMessage, len(b))
	}
	r := reader{b: b[1:]}
	var m Message
	switch b[0] {
	case kindHello:
		m = Hello{Version: r.u32(), ABI: r.u32()}
	case kindClaimed:
		m = Claimed{}
	case kindRefused:
		m = Refused{Rule: r.str(MaxString), Reason: r.str(MaxString)}
	case kindStarted:
		m = Started{}
	case kindConsole:
		c := Console{Dropped: r.u32()}
		c.Data = []byte(r.str(MaxConsole))
		m = c
	case kindExited:
		e := Exited{Status: r.u8(), Kind: Kind(r.u8()), Reason: r.str(MaxString)}
		if e.Kind < Halt || e.Kind > Internal {
			r.fail("unknown way to end %d", e.Kind)
		}
		m = e
	case kindClaim:
		m = r.claim()
	case kindStop:
		m = Stop{}
	default:
		return nil, fmt.Errorf("%w: unknown kind %d", ErrMessage, b[0])
	}
	if r.err == nil && len(r.b) > 0 {
		r.fail("%d octets left over", len(r.b))
	}
	if r.err != nil {
		return nil, r.err
	}
	return m, nil
}

type writer struct {
	b   []byte
	err error
}

func (w *writer) fail(format string, a ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("%w: "+format, append([]any{ErrMessage}, a...)...)
	}
}

func (w *writer) u32(v uint32) { w.b = binary.LittleEndian.AppendUint32(w.b, v) }

func (w *writer) str(s string) {
	if len(s) > MaxString {
		w.fail("string of %d octets, at most %d", len(s), MaxString)
		return
	}
	w.b = binary.LittleEndian.AppendUint16(w.b, uint16(len(s)))
	w.b = append(w.b, s...)
}

func (w *writer) claim(c Claim) {
	if len(c.Devices) > MaxDevices {
		w.fail("%d devices, at most %d", len(c.Devices), MaxDevices)
		return
	}
	w.str(c.Guest)
	w.u32(c.MemMiB)
	w.str(c.Cmdline)
	w.b = append(w.b, byte(len(c.Devices)))
	for _, d := range c.Devices {
		w.str(d.Name)
		readOnly := byte(0)
		if d.ReadOnly {
			readOnly = 1
		}
		w.b = append(w.b, d.Type, d.Source, readOnly)
		w.u32(d.SectorSize)
		w.b = binary.LittleEndian.AppendUint16(w.b, d.MTU)
		w.b = append(w.b, d.MAC[:]...)
	}
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
func (r *reader) u16() uint16 { return binary.LittleEndian.Uint16(r.take(2)) }
func (r *reader) u32() uint32 { return binary.LittleEndian.Uint32(r.take(4)) }

func (r *reader) str(limit int) string {
	n := int(r.u16())
	if n > limit {
		r.fail("string of %d octets, at most %d", n, limit)
		return ""
	}
	return string(r.take(n))
}

func (r *reader) claim() Claim {
	c := Claim{Guest: r.str(MaxString), MemMiB: r.u32(), Cmdline: r.str(MaxString)}
	n := int(r.u8())
	if n > MaxDevices {
		r.fail("%d devices, at most %d", n, MaxDevices)
	}
	for i := 0; i < n && r.err == nil; i++ {
		d := Device{Name: r.str(MaxString), Type: r.u8(), Source: r.u8()}
		readOnly := r.u8()
		d.ReadOnly = readOnly == 1
		d.SectorSize, d.MTU = r.u32(), r.u16()
		copy(d.MAC[:], r.take(len(d.MAC)))
		if readOnly > 1 || d.Source < File || d.Source > Tap {
			r.fail("device %d: source %d, read-only %d", i, d.Source, readOnly)
		}
		c.Devices = append(c.Devices, d)
	}
	return c
}

package wire

import (
	"github.com/perilune/perilune/internal/seqpacket"
)

// Encode appends m to dst.
func Encode(dst []byte, m Message) ([]byte, error) {
	w := seqpacket.NewWriter(dst, m.kind())
	switch m := m.(type) {
	case Hello:
		w.U32(m.Version)
		w.U32(m.ABI)
	case Refused:
		w.Str(m.Rule, MaxString)
		w.Str(m.Reason, MaxString)
	case Console:
		w.U64(m.Offset)
		w.Str(string(m.Data), MaxConsole)
	case Recalled:
		w.U64(m.Start)
		w.U64(m.Offset)
		w.U64(m.End)
		w.Flag(m.Last)
		w.Str(string(m.Data), MaxConsole)
	case Recall:
		w.U64(m.Offset)
	case Save:
		w.U64(m.Order)
		w.U64(m.Max)
	case Saved:
		w.U64(m.Order)
		w.U64(m.Size)
	case Unsaved:
		w.U64(m.Order)
		w.Str(m.Reason, MaxString)
	case Exited:
		w.U8(m.Status)
		w.U8(uint8(m.Kind))
		w.Str(m.Reason, MaxString)
	case Claim:
		writeClaim(w, m)
	}
	return w.Done(MaxMessage)
}

// Decode reads one message, which must fill b exactly.
func Decode(b []byte) (Message, error) { return seqpacket.Decode(b, MaxMessage, read) }

// read takes the fields in the order in which Encode writes them: Go
// evaluates the calls of a composite literal from left to right.
func read(kind byte, r *seqpacket.Reader) Message {
	switch kind {
	case kindHello:
		return Hello{Version: r.U32(), ABI: r.U32()}
	case kindClaimed:
		return Claimed{}
	case kindRefused:
		return Refused{Rule: r.Str(MaxString), Reason: r.Str(MaxString)}
	case kindStarted:
		return Started{}
	case kindConsole:
		return Console{Offset: r.U64(), Data: []byte(r.Str(MaxConsole))}
	case kindRecalled:
		return readRecalled(r)
	case kindRecall:
		return Recall{Offset: r.U64()}
	case kindExited:
		e := Exited{Status: r.U8(), Kind: Kind(r.U8()), Reason: r.Str(MaxString)}
		if e.Kind < Halt || e.Kind > Internal {
			r.Fail("unknown way to end %d", e.Kind)
		}
		return e
	case kindClaim:
		return readClaim(r)
	case kindSave:
		return Save{Order: r.U64(), Max: r.U64()}
	case kindSaved:
		return Saved{Order: r.U64(), Size: r.U64()}
	case kindUnsaved:
		return Unsaved{Order: r.U64(), Reason: r.Str(MaxString)}
	case kindStop:
		return Stop{}
	}
	r.Fail("unknown kind %d", kind)
	return nil
}

func readRecalled(r *seqpacket.Reader) Recalled {
	m := Recalled{Start: r.U64(), Offset: r.U64(), End: r.U64(), Last: r.Flag(), Data: []byte(r.Str(MaxConsole))}
	if m.Start > m.Offset || m.Offset > m.End || m.End-m.Offset < uint64(len(m.Data)) {
		r.Fail("text of %d octets at %d is not between %d and %d", len(m.Data), m.Offset, m.Start, m.End)
	}
	return m
}

func writeClaim(w *seqpacket.Writer, c Claim) {
	if len(c.Devices) > MaxDevices {
		w.Fail("%d devices, at most %d", len(c.Devices), MaxDevices)
		return
	}
	w.Str(c.Guest, MaxString)
	w.U32(c.MemMiB)
	w.Str(c.Cmdline, MaxString)
	w.Flag(c.Restore)
	w.Flag(c.Save)
	w.U8(uint8(len(c.Devices)))
	for _, d := range c.Devices {
		w.Str(d.Name, MaxString)
		w.U8(d.Type)
		w.U8(d.Source)
		w.Flag(d.ReadOnly)
		w.U32(d.SectorSize)
		w.U16(d.MTU)
		w.Bytes(d.MAC[:])
	}
}

func readClaim(r *seqpacket.Reader) Claim {
	c := Claim{Guest: r.Str(MaxString), MemMiB: r.U32(), Cmdline: r.Str(MaxString), Restore: r.Flag(), Save: r.Flag()}
	n := int(r.U8())
	if n > MaxDevices {
		r.Fail("%d devices, at most %d", n, MaxDevices)
	}
	for i := 0; i < n && r.OK(); i++ {
		d := Device{Name: r.Str(MaxString), Type: r.U8(), Source: r.U8(), ReadOnly: r.Flag(), SectorSize: r.U32(), MTU: r.U16()}
		copy(d.MAC[:], r.Take(len(d.MAC)))
		if d.Source < File || d.Source > Channel {
			r.Fail("device %d: source %d", i, d.Source)
		}
		c.Devices = append(c.Devices, d)
	}
	return c
}

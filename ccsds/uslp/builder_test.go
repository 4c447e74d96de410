package uslp_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/perilune/perilune/ccsds/uslp"
)

func newBuilder(t fataler, p uslp.Params, count int, encap bool) *uslp.Builder {
	b, err := uslp.NewBuilder(p, count, encap)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBuilderRefuses(t *testing.T) {
	fixed := newBuilder(t, uslp.Params{SCID: 1, FrameLength: 60}, 2, false)
	variable := newBuilder(t, uslp.Params{SCID: 1, MaxLength: 60, TruncatedLength: 20}, 2, false)
	c, q, none := uslp.Channel{}, packet(1, 20, false), func([]byte) { t.Error("a frame comes out") }
	for name, err := range map[string]error{
		"packet as a unit":         fixed.Send(c, uslp.Packets, q, nil, none),
		"stream into fixed frames": fixed.Stream(c, q, nil, none),
		"idle channel":             fixed.Append(uslp.Channel{VC: 63}, q),
		"access point":             fixed.Append(uslp.Channel{MAP: 16}, q),
		"cut packet":               fixed.Append(c, q[:19]),
		"idle unit":                fixed.Send(c, uslp.IdleData, q, nil, none),
		"empty unit":               variable.Send(c, uslp.MissionSDU, nil, nil, none),
		"insert":                   fixed.Insert([]byte{1}),
	} {
		if err == nil {
			t.Errorf("%s: is taken", name)
		}
	}
	if _, err := uslp.NewBuilder(uslp.Params{FrameLength: 20}, 2, false); err == nil {
		t.Error("frames of 20 octets are possible")
	}
	if _, err := uslp.NewBuilder(uslp.Params{FrameLength: 200}, 8, false); err == nil {
		t.Error("a count of eight octets is possible")
	}
	if _, err := variable.Truncated(nil, c, uslp.MissionSDU, make([]byte, 16)); err == nil {
		t.Error("a truncated frame of 21 octets is possible")
	}
	if o, err := variable.Truncated(nil, c, uslp.MissionSDU, make([]byte, 15)); err != nil || len(o) != 20 {
		t.Errorf("truncated frame of %d octets, %v", len(o), err)
	}
	for {
		if err := fixed.Append(c, packet(1, 65000, false)); err != nil {
			if !errors.Is(err, uslp.ErrFull) || fixed.Pending(c) > uslp.MaxPending {
				t.Errorf("full at %d octets: %v", fixed.Pending(c), err)
			}
			break
		}
	}
}

func TestIdle(t *testing.T) {
	p := uslp.Params{SCID: 1, FrameLength: 64, InsertZone: 2, FECF: uslp.CRC32}
	b := newBuilder(t, p, 3, false)
	if err := b.Insert([]byte{7, 8}); err != nil {
		t.Fatal(err)
	}
	for i := range uint64(2) {
		o, err := b.Idle(nil, &[4]byte{9}, 0)
		if err != nil {
			t.Fatal(err)
		}
		f := decode(t, p, o)
		d, err := f.Field()
		if err != nil || !f.Idle() || f.Count != i || d.UPID != uslp.IdleData || !bytes.HasPrefix(d.Zone, []byte{0xFF, 0xFF, 0xFF, 0xFF, 0x6D, 0xB6}) || !bytes.Equal(f.InsertZone, []byte{7, 8}) {
			t.Errorf("idle frame %+v (%v)", f, err)
		}
	}
	v := uslp.Params{SCID: 1, MaxLength: 200}
	if o, err := newBuilder(t, v, 0, false).Idle(nil, nil, 50); err != nil || len(o) != 50 {
		t.Errorf("idle frame of %d octets, want 50 (%v)", len(o), err)
	}
	if _, err := newBuilder(t, v, 0, false).Idle(nil, nil, 8); err == nil {
		t.Error("an idle frame of 8 octets is possible")
	}
}

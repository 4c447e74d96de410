package uslp_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/uslp"
)

type fataler interface {
	Fatal(...any)
	Fatalf(string, ...any)
}

// packet makes a space packet, or an encapsulation packet, of about n octets.
func packet(number, n int, encap bool) []byte {
	b := make([]byte, max(n, 12))
	if encap {
		b[0] = 0xE0 | 4<<2 | 2
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	} else {
		b[1], b[2] = 100, 0xC0
		binary.BigEndian.PutUint16(b[4:], uint16(len(b)-7))
	}
	for i := 6; i < len(b); i++ {
		b[i] = byte(i * number)
	}
	return b
}

func decode(t fataler, p uslp.Params, octets []byte) *uslp.Frame {
	f := &uslp.Frame{Params: p}
	if err := f.DecodeFromBytes(octets, nil); err != nil {
		t.Fatal(err)
	}
	return f
}

// Packets, service data units and octet streams of several access points, through frames
// of any form, come out as they went in.
func TestUnitsThroughFrames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawParams(t)
		b := newBuilder(t, p, rapid.IntRange(0, 7).Draw(t, "count length"), true)
		r := uslp.NewReceiver(0, true)
		var sent, got [16][][]byte
		var stream, streamed []byte
		receive := func(octets []byte) {
			lost, err := r.Frame(decode(t, p, octets), func(u uslp.Unit) {
				if u.Stream {
					streamed = append(streamed, u.Data...)
				} else {
					got[u.MAP] = append(got[u.MAP], bytes.Clone(u.Data))
				}
			})
			if lost != 0 || err != nil {
				t.Fatalf("%d frames lost, %v", lost, err)
			}
		}
		var ocf *[4]byte
		if rapid.Bool().Draw(t, "with ocf") {
			ocf = &[4]byte{1, 2, 3, 4}
		}
		take := func(m ccsds.MAPID, flush bool) {
			for {
				octets, ok := b.Next(nil, uslp.Channel{VC: 5, MAP: m}, ocf, flush)
				if !ok {
					return
				}
				receive(octets)
			}
		}
		for i, n := range rapid.SliceOfN(rapid.IntRange(1, 2000), 1, 20).Draw(t, "units") {
			kind := rapid.IntRange(0, 2).Draw(t, "kind")
			unit, m := packet(i, n, i%2 == 1), ccsds.MAPID(kind*4+i%3)
			c := uslp.Channel{VC: 5, MAP: m}
			var err error
			switch {
			case kind == 0 && p.Fixed():
				sent[m] = append(sent[m], unit)
				if err = b.Append(c, unit); err == nil {
					take(m, rapid.Bool().Draw(t, "flush"))
				}
			case kind == 2 && !p.Fixed():
				stream = append(stream, unit...)
				err = b.Stream(c, unit, ocf, receive)
			default:
				id := uslp.MissionSDU
				if kind == 0 {
					id = uslp.Packets
				}
				sent[m] = append(sent[m], unit)
				err = b.Send(c, id, unit, ocf, receive)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		for m := range ccsds.MAPID(16) {
			take(m, true)
			if !slices.EqualFunc(sent[m], got[m], bytes.Equal) {
				t.Fatalf("access point %d: sent %d units, got %d", m, len(sent[m]), len(got[m]))
			}
		}
		if st := r.Stats(); !bytes.Equal(stream, streamed) || st.Dropped != 0 || st.Lost != 0 {
			t.Fatalf("%d octets of stream, got %d, stats %+v", len(stream), len(streamed), st)
		}
	})
}

// Of units sent through frames of which some are lost, the whole ones arrive and nothing
// false does; the loss is counted, for each quality of service apart.
func TestLostFrames(t *testing.T) {
	for _, p := range []uslp.Params{
		{SCID: 1, FrameLength: 64, FECF: uslp.CRC32},
		{SCID: 1, MaxLength: 64, FECF: uslp.CRC16},
	} {
		b, r := newBuilder(t, p, 1, false), uslp.NewReceiver(0, false)
		lost, n, got := 0, 0, 0
		cut := make(map[int]bool)
		for i := range 200 {
			c := uslp.Channel{VC: 1, MAP: ccsds.MAPID(i % 4), Expedited: i%2 == 1}
			unit := packet(i, 20+i%150, false)
			err := b.Send(c, uslp.MissionSDU, unit, nil, func(octets []byte) {
				if n++; n%7 == 3 && i > 1 && i < 198 {
					lost++
					cut[i] = true
					return
				}
				if _, err := r.Frame(decode(t, p, octets), func(u uslp.Unit) {
					if cut[i] || !bytes.Equal(u.Data, unit) {
						t.Errorf("unit %d arrives, cut %t", i, cut[i])
					}
					got++
				}); err != nil {
					t.Fatal(err)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if st := r.Stats(); st.Lost != uint64(lost) || got != 200-len(cut) || st.Units != uint64(got) {
			t.Errorf("%d frames lost, %d units cut, %d arrive: stats %+v", lost, len(cut), got, st)
		}
	}
}

// Rules and pointers by hand: what begins and ends in a zone.
func TestRules(t *testing.T) {
	fixed := uslp.Params{SCID: 1, FrameLength: 40}
	b := newBuilder(t, fixed, 0, false)
	var fields []uslp.Field
	if err := b.Send(uslp.Channel{}, uslp.UserOctets, make([]byte, 70), nil, func(o []byte) {
		f, err := decode(t, fixed, o).Field()
		if err != nil {
			t.Fatal(err)
		}
		fields = append(fields, f)
	}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []uslp.Field{
		{Rule: uslp.StartOfSDU, Pointer: uslp.NoPointer}, {Rule: uslp.ContinuesSDU, Pointer: uslp.NoPointer}, {Rule: uslp.ContinuesSDU, Pointer: 9},
	} {
		if fields[i].Rule != want.Rule || fields[i].Pointer != want.Pointer || len(fields[i].Zone) != 30 {
			t.Errorf("field %d is %+v", i, fields[i])
		}
	}
	if s := uslp.LastSegment.String() + uslp.Rule(9).String(); s != "last segmentrule(9)" {
		t.Errorf("rules print as %q", s)
	}
}

// A packet may not go on behind a zone without segmentation; rules of fixed frames are
// refused elsewhere; a continuation without beginning is dropped.
func TestReceiverRefuses(t *testing.T) {
	p := uslp.Params{SCID: 1, MaxLength: 200}
	r := uslp.NewReceiver(50, false)
	push := func(d uslp.Field) (units int, err error) {
		t.Helper()
		field, err := d.Append(nil, false)
		if err != nil {
			t.Fatal(err)
		}
		octets, err := uslp.Append(nil, &uslp.Frame{Params: p, SCID: 1}, field)
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.Frame(decode(t, p, octets), func(uslp.Unit) { units++ })
		return units, err
	}
	two := append(packet(1, 20, false), packet(2, 20, false)...)
	if n, err := push(uslp.Field{Rule: uslp.NoSegmentation, Zone: append(two, packet(3, 20, false)[:12]...)}); n != 2 || err != nil || r.Stats().Dropped != 1 {
		t.Errorf("%d units of two and a half, %v, %+v", n, err, r.Stats())
	}
	if n, err := push(uslp.Field{Rule: uslp.PacketsSpanning, Zone: two}); n != 0 || !errors.Is(err, ccsds.ErrReserved) {
		t.Errorf("rule 000 in a variable frame: %d, %v", n, err)
	}
	for name, d := range map[string]uslp.Field{
		"no beginning":     {Rule: uslp.LastSegment, UPID: uslp.MissionSDU, Zone: []byte{1}},
		"too long":         {Rule: uslp.NoSegmentation, UPID: uslp.MissionSDU, Zone: make([]byte, 51)},
		"too long to join": {Rule: uslp.StartingSegment, UPID: uslp.MissionSDU, Zone: make([]byte, 51)},
		"idle":             {Rule: uslp.NoSegmentation, UPID: uslp.IdleData, Zone: two},
	} {
		if n, err := push(d); n != 0 || err != nil {
			t.Errorf("%s: %d units, %v", name, n, err)
		}
	}
	before := r.Stats().Dropped
	_, _ = push(uslp.Field{Rule: uslp.StartingSegment, UPID: uslp.Packets, Zone: two[:10]})
	if n, _ := push(uslp.Field{Rule: uslp.LastSegment, UPID: uslp.Packets, Zone: two[10:30]}); n != 0 || r.Stats().Dropped != before+1 {
		t.Errorf("segments that make one and a half packets: %d, %+v", n, r.Stats())
	}
}

// Sequence controlled and expedited units of one access point do not touch each other, and
// expedited frames that are lost cost nothing of the others.
func TestExpeditedAmongSegments(t *testing.T) {
	for _, p := range []uslp.Params{{SCID: 1, FrameLength: 60}, {SCID: 1, MaxLength: 60}} {
		b, r := newBuilder(t, p, 1, false), uslp.NewReceiver(0, false)
		frames := func(c uslp.Channel, n int) (out [][]byte) {
			if err := b.Send(c, uslp.MissionSDU, make([]byte, n), nil, func(o []byte) { out = append(out, o) }); err != nil {
				t.Fatal(err)
			}
			return out
		}
		slow, fast := uslp.Channel{VC: 1, MAP: 2}, uslp.Channel{VC: 1, MAP: 2, Expedited: true}
		long, short, two := frames(slow, 110), frames(fast, 20), frames(fast, 80)
		_ = frames(fast, 5) // lost
		last := frames(fast, 6)
		var got []int
		for _, o := range [][]byte{long[0], short[0], two[0], long[1], two[1], last[0], long[2]} {
			if _, err := r.Frame(decode(t, p, o), func(u uslp.Unit) { got = append(got, len(u.Data)) }); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(got, []int{20, 80, 6, 110}) || r.Stats().Dropped != 0 || r.Stats().Lost != 1 {
			t.Errorf("fixed %t: units of %v octets, %+v", p.Fixed(), got, r.Stats())
		}
	}
}

// Where frames have no count, a whole unit tells that the one before it did not end.
func TestWholeAmongSegments(t *testing.T) {
	p := uslp.Params{SCID: 1, MaxLength: 60}
	b, r := newBuilder(t, p, 0, false), uslp.NewReceiver(0, false)
	var frames [][]byte
	for _, n := range []int{100, 5, 101} {
		if err := b.Send(uslp.Channel{VC: 1}, uslp.MissionSDU, bytes.Repeat([]byte{byte(n)}, n), nil, func(o []byte) { frames = append(frames, o) }); err != nil {
			t.Fatal(err)
		}
	}
	var got []int
	for i, o := range frames { // two of the first, the second, two of the third
		if i == 1 || i == 3 {
			continue // lost
		}
		if _, err := r.Frame(decode(t, p, o), func(u uslp.Unit) { got = append(got, len(u.Data)) }); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(got, []int{5}) {
		t.Errorf("units of %v octets", got)
	}
}

// Any sequence of frames: no panic, and what comes out is in the limit.
func FuzzReceiver(f *testing.F) {
	p := uslp.Params{SCID: 1, MaxLength: 40}
	b := newBuilder(f, p, 1, true)
	var seed []byte
	for i, id := range []uslp.UPID{uslp.Packets, uslp.MissionSDU} {
		if err := b.Send(uslp.Channel{VC: 1}, id, packet(i, 90, false), nil, func(o []byte) { seed = append(seed, o...) }); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(seed, false)
	f.Add(seed[:40], true)
	f.Fuzz(func(t *testing.T, octets []byte, fixed bool) {
		r := uslp.NewReceiver(60, true)
		p := p
		if fixed {
			p.FrameLength = 40
		}
		for len(octets) >= 6 {
			fr := uslp.Frame{Params: p}
			fr.Params.SCID = ccsds.SCID(binary.BigEndian.Uint32(octets) >> 12)
			n, err := uslp.Length(octets, 0)
			if err != nil || fr.DecodeFromBytes(octets[:min(n, len(octets))], nil) != nil {
				octets = octets[1:]
				continue
			}
			octets = octets[n:]
			_, _ = r.Frame(&fr, func(u uslp.Unit) {
				if len(u.Data) > 60 || len(u.Data) == 0 && !u.Stream && u.UPID == uslp.Packets {
					t.Fatalf("emitted %x", u.Data)
				}
			})
		}
	})
}

func BenchmarkReceiver(b *testing.B) {
	p := uslp.Params{SCID: 1, FrameLength: 1115, FECF: uslp.CRC16}
	builder := newBuilder(b, p, 3, false)
	for range 6 {
		if err := builder.Append(uslp.Channel{}, packet(1, 200, false)); err != nil {
			b.Fatal(err)
		}
	}
	octets, _ := builder.Next(nil, uslp.Channel{}, nil, false)
	f, r := uslp.Frame{Params: p}, uslp.NewReceiver(0, false)
	b.SetBytes(1115)
	b.ReportAllocs()
	for b.Loop() {
		if err := f.DecodeFromBytes(octets, nil); err != nil {
			b.Fatal(err)
		}
		if _, err := r.Frame(&f, func(uslp.Unit) {}); err != nil {
			b.Fatal(err)
		}
	}
}

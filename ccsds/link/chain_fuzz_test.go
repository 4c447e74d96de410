package link_test

import (
	"bytes"
	"testing"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/link"
)

// soften makes soft symbols of octets: each is one.
func soften(data []byte) []int8 {
	out := make([]int8, len(data))
	for i, v := range data {
		out[i] = int8(v)
	}
	return out
}

// FuzzDownDecoder: whatever bits or symbols come, in front of a good frame or in its middle,
// no code's decoder panics, and what it calls a frame has the length of one. Afterwards it
// finds good frames again.
func FuzzDownDecoder(f *testing.F) {
	for i := range codes {
		f.Add(uint8(i), false, []byte{0x1A, 0xCF, 0xFC, 0x1D, 0})
		f.Add(uint8(i), true, bytes.Repeat([]byte{0x7F, 0x80, 0}, 50))
	}
	f.Fuzz(func(t *testing.T, kind uint8, soft bool, data []byte) {
		c := codes[int(kind)%len(codes)].code.WithDefaults()
		if c.Block > 4096 || c.Kind == link.CodeTurbo && c.Rate == "1/6" {
			c = link.Code{Kind: c.Kind, Codeblock: c.Codeblock} // slow ones add nothing
		}
		c.Iterations, data = 4, data[:min(len(data), 2048)]
		n := c.FrameLength()
		if n == 0 {
			n = 64
		}
		e, err := link.NewDownEncoder(c, n)
		if err != nil {
			t.Fatal(err)
		}
		d, err := link.NewDownDecoder(c, n)
		if err != nil {
			t.Fatal(err)
		}
		want, found := bytes.Repeat([]byte{0xA5}, n), 0
		emit := func(c link.Coded) {
			if c.Frame == nil && c.Refused == "" || c.Frame != nil && len(c.Frame) != n {
				t.Fatalf("frame of %d octets, refused %q", len(c.Frame), c.Refused)
			}
			if bytes.Equal(c.Frame, want) {
				found++
			}
		}
		if soft {
			d.PushSoft(soften(data), emit)
		} else {
			d.Push(data, emit)
		}
		var bits []byte
		for range 12 {
			if bits, err = e.Append(bits, want); err != nil {
				t.Fatal(err)
			}
		}
		d.Push(e.Flush(bits), emit)
		if found == 0 {
			t.Errorf("%s: no good frame of twelve after %d octets of noise: %+v", c, len(data), d.Stats())
		}
	})
}

// FuzzUpDecoder: the same for the uplink.
func FuzzUpDecoder(f *testing.F) {
	for i := range 4 {
		f.Add(uint8(i), false, []byte{0xEB, 0x90, 0, 0, 0, 0, 0, 0, 0, 0})
		f.Add(uint8(i), true, soften2(coding.AppendSoft(nil, coding.MarkerLDPC, 40)))
	}
	f.Fuzz(func(t *testing.T, kind uint8, soft bool, data []byte) {
		p := link.Profile{CLTU: []link.CLTU{link.CLTUBCH, link.CLTULDPC128, link.CLTULDPC512, link.CLTUBCH}[kind%4]}
		if kind%4 == 3 {
			p.Up = link.FramingPackets
		}
		d, err := link.NewUpDecoder(p)
		if err != nil {
			t.Fatal(err)
		}
		emit := func(frame []byte, _ link.UpInfo) bool {
			if len(frame) == 0 || len(frame) > max(coding.MaxCLTUData, ccsds.MaxPacketLength) {
				t.Fatalf("unit of %d octets", len(frame))
			}
			clear(frame)
			return kind&4 != 0
		}
		if soft {
			d.PushSoft(soften(data), emit)
		} else {
			d.Push(data, emit)
		}
	})
}

func soften2(soft []int8) []byte {
	out := make([]byte, len(soft))
	for i, v := range soft {
		out[i] = byte(v)
	}
	return out
}

// FuzzDeframer: no frame that a code gave out, however wrong, panics, and of a protected
// channel nothing passes that nobody signed.
func FuzzDeframer(f *testing.F) {
	downs := []link.Framing{link.FramingTM, link.FramingAOS, link.FramingUSLP, link.FramingPackets}
	for i, down := range downs {
		p := link.Profile{Down: down, Code: link.Code{Kind: link.CodeNone}, FrameLength: 128, Up: link.FramingPackets}
		framer, err := link.NewFramer(p, nil)
		if err != nil {
			f.Fatal(err)
		}
		if err := framer.Send(1, packet(1, 60)); err != nil {
			f.Fatal(err)
		}
		frame, _ := framer.Next(nil, [4]byte{})
		f.Add(uint8(i), frame)
	}
	f.Fuzz(func(t *testing.T, kind uint8, frame []byte) {
		p := link.Profile{Down: downs[kind%4], Code: link.Code{Kind: link.CodeNone}, FrameLength: 128, Up: link.FramingPackets}
		if kind&4 != 0 && kind%4 != 3 {
			p.Keys, p.DownSPI = map[uint16][32]byte{9: {9}}, map[ccsds.VCID]uint16{1: 9}
		}
		d, err := link.NewDeframer(p, floors{})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			h, err := d.Decode(bytes.Clone(frame))
			if err != nil {
				return
			}
			if len(p.DownSPI) > 0 && h.VC == 1 && !h.Idle {
				t.Fatal("a frame that nobody signed was opened")
			}
			_ = d.Packets(func(packet []byte) {
				if len(packet) == 0 {
					t.Fatal("a packet of nothing")
				}
			})
		}
	})
}

// floors knows nothing and keeps nothing.
type floors map[uint16]uint64

func (f floors) Floor(spi uint16) (uint64, error) { return f[spi], nil }
func (f floors) Raise(spi uint16, n uint64) error { f[spi] = n; return nil }

package linktool_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/cmd/perilune/linktool"
)

// packets makes n space packets end to end.
func packets(rnd *rand.Rand, n int) []byte {
	var out []byte
	for i := range n {
		data := make([]byte, 1+rnd.IntN(900))
		for j := range data {
			data[j] = byte(rnd.Uint32())
		}
		out = binary.BigEndian.AppendUint16(out, 100)
		out = binary.BigEndian.AppendUint16(out, uint16(0xc000|i))
		out = binary.BigEndian.AppendUint16(out, uint16(len(data)-1))
		out = append(out, data...)
	}
	return out
}

func source(t *testing.T, b []byte) *linktool.Source {
	t.Helper()
	s, err := linktool.OpenSource(context.Background(), "-", bytes.NewReader(b), 0)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func config(p link.Profile) linktool.Config {
	return linktool.Config{Profile: p, Units: linktool.Packets, Noise: linktool.Quiet()}
}

var profiles = map[string]link.Profile{
	"tm rs":             {},
	"tm none":           {Code: link.Code{Kind: link.CodeNone}},
	"tm concatenated":   {Code: link.Code{Kind: link.CodeConcatenated}},
	"aos ldpc":          {Down: link.FramingAOS, Code: link.Code{Kind: link.CodeLDPC}},
	"uslp turbo":        {Down: link.FramingUSLP, Code: link.Code{Kind: link.CodeTurbo}},
	"uslp conv 5/6":     {Down: link.FramingUSLP, Code: link.Code{Kind: link.CodeConv, Rate: "5/6"}},
	"tm sliced":         {Code: link.Code{Kind: link.CodeLDPC, Rate: "7/8", Codeblock: 4}},
	"uslp varies, soft": {Down: link.FramingUSLP, FrameLength: 700, Variable: true, Truncated: 50, Code: link.Code{Kind: link.CodeLDPC, Block: 1024, Codeblock: 1}},
	"packets":           {Down: link.FramingPackets, Up: link.FramingPackets},
	"aos rs 8, fhec":    {Down: link.FramingAOS, HeaderControl: true, Code: link.Code{Kind: link.CodeRS, E: 8, Interleave: 3}},
	"tm ldpc 7/8, soft": {Code: link.Code{Kind: link.CodeLDPC, Rate: "7/8"}},
	"tm, protected":     protected(1),
}

// protected is a link whose telemetry on VC 0 is encrypted with a key.
func protected(key byte) link.Profile {
	return link.Profile{Keys: map[uint16][32]byte{16: {key}}, DownSPI: map[ccsds.VCID]uint16{0: 16}}
}

// TestWrongKey: frames that a key does not open are counted under one reason, however many.
func TestWrongKey(t *testing.T) {
	var bits bytes.Buffer
	if _, err := linktool.Encode(config(protected(1)), source(t, packets(rand.New(rand.NewPCG(1, 2)), 40)), &bits); err != nil {
		t.Fatal(err)
	}
	r, err := linktool.Decode(config(protected(2)), source(t, bits.Bytes()), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Frames.Refused) != 1 || r.Frames.Refused["sdls: forged"] < 10 || r.Packets.Good != 0 {
		t.Errorf("%+v", r)
	}
}

// TestGaps: frames missing by their counts are those while in lock; what was sent between a
// loss of lock and the next marker nobody knows.
func TestGaps(t *testing.T) {
	const cadu = 1279
	var bits bytes.Buffer
	if _, err := linktool.Encode(config(link.Profile{}), source(t, packets(rand.New(rand.NewPCG(1, 2)), 200)), &bits); err != nil {
		t.Fatal(err)
	}
	cut := func(from, n int) linktool.FrameReport {
		b := append(bytes.Clone(bits.Bytes()[:from]), bits.Bytes()[from+n:]...)
		r, err := linktool.Decode(config(link.Profile{}), source(t, b), nil)
		if err != nil {
			t.Fatal(err)
		}
		return r.Frames
	}
	if r := cut(20*cadu, 3*cadu); r.Lost != 3 || r.Gaps != 0 {
		t.Errorf("three whole frames cut out: %d lost, %d gaps", r.Lost, r.Gaps)
	}
	if r := cut(20*cadu, 7*cadu+100); r.Lost != 0 || r.Gaps != 1 {
		t.Errorf("lock lost: %d lost, %d gaps", r.Lost, r.Gaps)
	}
}

// TestControlWords: the CLCWs of the downlink come out by themselves, and the report has the
// last of each channel.
func TestControlWords(t *testing.T) {
	s, err := link.NewSpace(link.Profile{}, memory{}, link.SpaceEvents{})
	if err != nil {
		t.Fatal(err)
	}
	var bits []byte
	for range 9 {
		bits = s.NextCADU(bits)
	}
	c := config(link.Profile{})
	c.Units = linktool.ControlWords
	var words []byte
	r, err := linktool.Decode(c, source(t, bits), func(u linktool.Unit) error { words = append(words, u.Octets...); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if len(words) != 36 || r.Frames.OCF != 9 || len(r.CLCW) != 3 || r.CLCW[2].Count != 3 || !r.CLCW[1].NoBitLock {
		t.Errorf("%d octets, %d control fields, %+v", len(words), r.Frames.OCF, r.CLCW)
	}
	for _, p := range []link.Profile{{NoOCF: true, AD: []ccsds.VCID{}}, {Down: link.FramingPackets, Up: link.FramingPackets}} {
		c := config(p)
		c.Units = linktool.ControlWords
		if err := c.Validate(); !errors.Is(err, linktool.ErrConfig) {
			t.Errorf("%+v: %v", p, err)
		}
	}
}

// memory is a disk with nothing on it.
type memory struct{}

func (memory) LoadVR(ccsds.VCID) (uint8, bool, error) { return 0, false, nil }
func (memory) SaveVR(ccsds.VCID, uint8) error         { return nil }
func (memory) LoadFloor(uint16) (uint64, error)       { return 0, nil }
func (memory) SaveFloor(uint16, uint64) error         { return nil }

// TestDownAndBack: packets come back as they went in, whatever the link.
func TestDownAndBack(t *testing.T) {
	for name, p := range profiles {
		t.Run(name, func(t *testing.T) {
			c := config(p)
			c.Soft = strings.Contains(name, "soft")
			want := packets(rand.New(rand.NewPCG(1, 2)), 40)
			var bits, got bytes.Buffer
			if _, err := linktool.Encode(c, source(t, want), &bits); err != nil {
				t.Fatal(err)
			}
			r, err := linktool.Decode(c, source(t, bits.Bytes()), func(u linktool.Unit) error { got.Write(u.Octets); return nil })
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) || r.Packets.Good != 40 || r.Packets.APID[100] != 40 {
				t.Fatalf("%d octets of %d came back: %+v", got.Len(), len(want), r)
			}
		})
	}
}

// TestUpAndBack: the same up, and frame by frame in both codes.
func TestUpAndBack(t *testing.T) {
	for _, cltu := range []link.CLTU{link.CLTUBCH, link.CLTULDPC128, link.CLTULDPC512} {
		t.Run(string(cltu), func(t *testing.T) {
			c := config(link.Profile{CLTU: cltu})
			c.Up, c.VC = true, 2
			want := packets(rand.New(rand.NewPCG(3, 4)), 25)
			var bits, got, frames, again bytes.Buffer
			if _, err := linktool.Encode(c, source(t, want), &bits); err != nil {
				t.Fatal(err)
			}
			if _, err := linktool.Decode(c, source(t, bits.Bytes()), func(u linktool.Unit) error { got.Write(u.Octets); return nil }); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Fatalf("%d octets of %d came back", got.Len(), len(want))
			}
			c.Units = linktool.Frames
			if _, err := linktool.Decode(c, source(t, bits.Bytes()), func(u linktool.Unit) error { frames.Write(u.Octets); return nil }); err != nil {
				t.Fatal(err)
			}
			if _, err := linktool.Encode(c, source(t, frames.Bytes()), &again); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(again.Bytes(), bits.Bytes()) {
				t.Fatal("the frames taken out do not make the same bits")
			}
		})
	}
}

// TestDatagrams: a frame a datagram in, and the silence behind them ends the input.
func TestDatagrams(t *testing.T) {
	src, address := listen(t)
	defer src.Close()
	c := config(link.Profile{Code: link.Code{Kind: link.CodeNone}})
	var bits bytes.Buffer
	want := packets(rand.New(rand.NewPCG(5, 6)), 10)
	if _, err := linktool.Encode(c, source(t, want), &bits); err != nil {
		t.Fatal(err)
	}
	sink, err := linktool.OpenSink(context.Background(), "udp:"+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	// All of them wait in the socket before the first is read: none is so late that it is behind the silence.
	for b := bits.Bytes(); len(b) > 0; b = b[min(len(b), 1000):] {
		if _, err := sink.Write(b[:min(len(b), 1000)]); err != nil {
			t.Fatal(err)
		}
	}
	var got []byte
	if _, err := linktool.Decode(c, src, func(u linktool.Unit) error { got = append(got, u.Octets...); return nil }); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d octets of %d came back, %v", len(got), len(want), err)
	}
}

// listen opens a UDP source on a port that was free a moment ago.
func listen(t *testing.T) (*linktool.Source, string) {
	t.Helper()
	probe, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := probe.LocalAddr().String()
	if err := probe.Close(); err != nil {
		t.Fatal(err)
	}
	src, err := linktool.OpenSource(context.Background(), "udp:"+address, nil, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return src, address
}

// TestRefused: what cannot be done is said before anything is written.
func TestRefused(t *testing.T) {
	keyed := link.Profile{Keys: map[uint16][32]byte{1: {1}, 2: {2}, 3: {3}}, SPI: map[ccsds.VCID]uint16{0: 1, 1: 2, 2: 3}}
	for name, c := range map[string]linktool.Config{
		"frames of packets":  {Profile: link.Profile{Down: link.FramingPackets, Up: link.FramingPackets}, Units: linktool.Frames, Noise: linktool.Quiet()},
		"protected packets":  {Profile: keyed, Up: true, Units: linktool.Packets, Noise: linktool.Quiet()},
		"units":              {Units: "octets", Noise: linktool.Quiet()},
		"two kinds of noise": {Units: linktool.Frames, Noise: linktool.Noise{EbN0: 3, BER: 0.1}},
		"much noise":         {Units: linktool.Frames, Noise: linktool.Noise{EbN0: math.NaN(), BER: 0.7}},
	} {
		var out bytes.Buffer
		if _, err := linktool.Encode(c, source(t, []byte{1, 2, 3}), &out); !errors.Is(err, linktool.ErrConfig) || out.Len() > 0 {
			t.Errorf("%s: %v, %d octets written", name, err, out.Len())
		}
	}
	good := packets(rand.New(rand.NewPCG(7, 8)), 2)
	for name, in := range map[string][]byte{
		"short of an octet": good[:len(good)-1],
		"a header alone":    good[:5],
	} {
		_, err := linktool.Encode(config(link.Profile{}), source(t, in), &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), "octet") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := linktool.OpenSource(context.Background(), "udp::10000", nil, 0); err == nil {
		t.Error("a UDP source on every address was opened")
	}
}

// FuzzDecode: no bits make a tool fail. The codes have fuzz targets of their own.
func FuzzDecode(f *testing.F) {
	fast := []string{"tm none", "tm rs", "aos rs 8, fhec"}
	for i, name := range fast {
		var bits bytes.Buffer
		in, err := linktool.OpenSource(context.Background(), "-", bytes.NewReader(packets(rand.New(rand.NewPCG(1, 1)), 2)), 0)
		if err != nil {
			f.Fatal(err)
		}
		if _, err := linktool.Encode(config(profiles[name]), in, &bits); err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), false, bits.Bytes())
	}
	f.Fuzz(func(t *testing.T, link uint8, up bool, bits []byte) {
		if len(bits) > 1<<13 {
			return
		}
		c := config(profiles[fast[int(link)%len(fast)]])
		c.Up = up
		if _, err := linktool.Decode(c, source(t, bits), nil); err != nil {
			t.Fatal(err)
		}
	})
}

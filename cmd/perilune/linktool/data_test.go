package linktool_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/aos"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/cmd/perilune/linktool"
)

func serving(p link.Profile, s link.Service) link.Profile {
	p.Services = map[ccsds.VCID]link.Service{5: s}
	return p
}

var dataProfiles = map[string]link.Profile{
	"tm vca":        serving(link.Profile{}, link.ServiceAccess),
	"aos vca":       serving(link.Profile{Down: link.FramingAOS, InsertZone: 4}, link.ServiceAccess),
	"aos bitstream": serving(link.Profile{Down: link.FramingAOS}, link.ServiceBitstream),
	"uslp vca":      serving(link.Profile{Down: link.FramingUSLP, MAP: map[ccsds.VCID]ccsds.MAPID{5: 3}}, link.ServiceAccess),
	"uslp octets":   serving(link.Profile{Down: link.FramingUSLP, Variable: true, FrameLength: 700, Code: link.Code{Kind: link.CodeLDPC, Block: 1024, Codeblock: 1}}, link.ServiceOctets),
}

func random(n int) []byte {
	r := rand.New(rand.NewPCG(8, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// TestDataAndBack: a file comes back as it was through a channel of each service. Data units
// of TM and AOS fill frames, so there the file must be a whole number of them.
func TestDataAndBack(t *testing.T) {
	for name, p := range dataProfiles {
		t.Run(name, func(t *testing.T) {
			c := config(p)
			c.Units = linktool.Data
			want := random(30 * p.DownRoom(5))
			if p.Down == link.FramingUSLP || p.Services[5] == link.ServiceBitstream {
				want = want[:len(want)-17]
			}
			var bits, got bytes.Buffer
			if _, err := linktool.Encode(c, source(t, want), &bits); err != nil {
				t.Fatal(err)
			}
			r, err := linktool.Decode(c, source(t, bits.Bytes()), func(u linktool.Unit) error { got.Write(u.Octets); return nil })
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) || r.Data[5] == nil || r.Data[5].Bits != uint64(8*len(want)) || r.Data[5].Gaps != 0 {
				t.Fatalf("%d octets of %d came back: %+v", got.Len(), len(want), r)
			}
		})
	}
}

// TestDataMistakes: what cannot be is said to be a mistake of the caller's, or of the input.
func TestDataMistakes(t *testing.T) {
	for name, c := range map[string]linktool.Config{
		"no such channel":      {Profile: link.Profile{}, Units: linktool.Data},
		"a channel of packets": {Profile: dataProfiles["tm vca"], Units: linktool.Data, VC: 1, Only: true},
		"packets on it":        {Profile: dataProfiles["tm vca"], Units: linktool.Packets, VC: 5},
		"units of no frame":    {Profile: dataProfiles["tm vca"], Units: linktool.Data, UnitLength: 10},
		"units of a stream":    {Profile: dataProfiles["aos bitstream"], Units: linktool.Data, UnitLength: 10},
		"up":                   {Profile: dataProfiles["tm vca"], Units: linktool.Data, Up: true},
	} {
		c.Noise = linktool.Quiet()
		if _, err := linktool.Encode(c, source(t, nil), &bytes.Buffer{}); !errors.Is(err, linktool.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := config(dataProfiles["tm vca"])
	c.Units = linktool.Data
	if _, err := linktool.Encode(c, source(t, random(100)), &bytes.Buffer{}); err == nil {
		t.Error("a part of a data unit was sent")
	}
}

// TestBitsAndBack: a stream of bits from elsewhere, whose frames hold any number of them, comes
// out without gaps between the bits.
func TestBitsAndBack(t *testing.T) {
	p := dataProfiles["aos bitstream"].WithDefaults()
	b, err := aos.NewBuilder(aos.Params{SCID: 42, FrameLength: p.FrameLength, OCF: true, FECF: true})
	if err != nil {
		t.Fatal(err)
	}
	e, err := p.NewDownEncoder()
	if err != nil {
		t.Fatal(err)
	}
	want := random(300)
	var bits []byte
	for at := 0; at < 8*len(want); {
		n := min(1+at%61, 8*len(want)-at)
		piece := make([]byte, (n+7)/8)
		for i := range n { // bit by bit, so that nothing here is what the decoder does
			piece[i/8] |= want[(at+i)/8] >> (7 - (at+i)%8) & 1 << (7 - i%8)
		}
		frame, took, err := b.Bits(nil, 5, [4]byte{}, piece, n)
		if err != nil || took != n {
			t.Fatal(took, err)
		}
		if bits, err = e.Append(bits, frame); err != nil {
			t.Fatal(err)
		}
		at += n
	}
	c := config(p)
	c.Units = linktool.Data
	var got []byte
	r, err := linktool.Decode(c, source(t, e.Flush(bits)), func(u linktool.Unit) error { got = append(got, u.Octets...); return nil })
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d octets of %d came back, %v: %+v", len(got), len(want), err, r)
	}
}

// TestInsertZones: octets go through insert zones beside data, and on their own where there are
// more of them.
func TestInsertZones(t *testing.T) {
	for _, down := range []link.Framing{link.FramingAOS, link.FramingUSLP} {
		c := config(link.Profile{Down: down, InsertZone: 4})
		packet, zones := packets(rand.New(rand.NewPCG(1, 2)), 10), random(203)
		c.Insert = bytes.NewReader(zones)
		var bits bytes.Buffer
		n, err := linktool.Encode(c, source(t, packet), &bits)
		if err != nil || n.Frames != 51 {
			t.Fatalf("%s: %d frames, %v", down, n.Frames, err)
		}
		for units, want := range map[linktool.Units][]byte{linktool.Packets: packet, linktool.InsertZones: append(bytes.Clone(zones), 0x55)} {
			c := config(link.Profile{Down: down, InsertZone: 4})
			c.Units = units
			var got []byte
			if _, err := linktool.Decode(c, source(t, bits.Bytes()), func(u linktool.Unit) error { got = append(got, u.Octets...); return nil }); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s, %s: %d octets of %d, %v", down, units, len(got), len(want), err)
			}
		}
	}
	for name, c := range map[string]linktool.Config{
		"none":    {Profile: link.Profile{}, Units: linktool.Packets, Insert: bytes.NewReader(nil)},
		"zones":   {Profile: link.Profile{}, Units: linktool.InsertZones},
		"encoded": {Profile: link.Profile{Down: link.FramingAOS, InsertZone: 4}, Units: linktool.InsertZones},
		"frames":  {Profile: link.Profile{Down: link.FramingAOS, InsertZone: 4}, Units: linktool.Frames, Insert: bytes.NewReader(nil)},
	} {
		c.Noise = linktool.Quiet()
		if _, err := linktool.Encode(c, source(t, nil), &bytes.Buffer{}); !errors.Is(err, linktool.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

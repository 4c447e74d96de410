package link_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/uslp"
)

// serviceVC is the channel of the tests whose service is not packets.
const serviceVC = 4

// services are all of them, with the frames that have them.
func services() (all []link.Profile, names []string) {
	add := func(name string, p link.Profile) {
		p.Services = map[ccsds.VCID]link.Service{serviceVC: p.Services[0]}
		p.Up, p.Code.Iterations = link.FramingPackets, 20
		all, names = append(all, p), append(names, fmt.Sprintf("%s %s", p.Down, name))
	}
	of := func(s link.Service) map[ccsds.VCID]link.Service { return map[ccsds.VCID]link.Service{0: s} }
	ldpc := link.Code{Kind: link.CodeLDPC, Block: 1024}
	sliced := link.Code{Kind: link.CodeLDPC, Block: 1024, Codeblock: 2}
	rs := link.Code{Kind: link.CodeRS, Interleave: 1}
	access := link.Profile{Down: link.FramingUSLP, Code: rs, Services: of(link.ServiceAccess), MAP: map[ccsds.VCID]ccsds.MAPID{serviceVC: 9}}
	add("vca", link.Profile{Down: link.FramingTM, Code: rs, Services: of(link.ServiceAccess)})
	add("vca", link.Profile{Down: link.FramingAOS, Code: ldpc, Services: of(link.ServiceAccess), InsertZone: 3})
	add("bitstream", link.Profile{Down: link.FramingAOS, Code: ldpc, Services: of(link.ServiceBitstream), HeaderControl: true})
	add("vca, fixed", access)
	access.Code, access.Variable, access.FrameLength = sliced, true, 200
	add("vca, variable", access)
	add("octets", link.Profile{Down: link.FramingUSLP, Code: sliced, Variable: true, FrameLength: 200, Services: of(link.ServiceOctets)})
	secured := link.Profile{Down: link.FramingAOS, Code: rs, Services: of(link.ServiceBitstream), Keys: map[uint16][32]byte{7: {7}}, DownSPI: map[ccsds.VCID]uint16{serviceVC: 7}}
	add("bitstream, protected", secured)
	return all, names
}

// unit makes the i-th thing to send on a channel of p: a data unit of the length that it
// takes, or some octets.
func unit(r *rand.Rand, p link.Profile) []byte {
	n := 1 + r.IntN(700)
	if p.Services[serviceVC] == link.ServiceAccess && p.Down != link.FramingUSLP {
		n = p.DownRoom(serviceVC)
	}
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(r.Uint32())
	}
	return out
}

// TestServices: what is sent on a channel of each service arrives as it was, beside packets on
// another channel; through noise, what arrives is part of it, in order, and says where
// something is missing.
func TestServices(t *testing.T) {
	all, names := services()
	for i, p := range all {
		for _, noisy := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, noise %t", names[i], noisy), func(t *testing.T) { runService(t, p, noisy) })
		}
	}
}

func runService(t *testing.T, p link.Profile, noisy bool) {
	ebn0 := 12.0
	if noisy && p.Code.Kind == link.CodeRS {
		ebn0 = 5.5
	} else if noisy {
		ebn0 = 1.3
	}
	w := newServiceWorld(t, p, ebn0)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 200 {
		u := unit(r, p)
		if err := w.framer.Send(serviceVC, u); err != nil {
			t.Fatal(err)
		}
		w.sent = append(w.sent, u)
		if err := w.framer.Send(1, packet(i, 100)); err != nil {
			t.Fatal(err)
		}
		w.radiate()
	}
	w.flush()
	if s := p.Services[serviceVC]; s == link.ServiceAccess {
		w.checkUnits()
	} else {
		w.checkStream()
	}
	if !noisy && (w.missing || w.octets != len(bytes.Join(w.sent, nil)) || w.packets != 200) {
		t.Errorf("%d octets and %d packets arrived, missing %t", w.octets, w.packets, w.missing)
	}
	if noisy && !w.missing {
		t.Error("the noise took nothing: it should")
	}
}

// serviceWorld sends from a framer to a deframer.
type serviceWorld struct {
	t        *testing.T
	framer   *link.Framer
	encoder  *link.DownEncoder
	awgn     *channel.AWGN
	decoder  *link.DownDecoder
	deframer *link.Deframer
	sent     [][]byte
	got      []link.Data
	octets   int // that arrived
	packets  int
	missing  bool // some did not
}

func newServiceWorld(t *testing.T, p link.Profile, ebn0 float64) *serviceWorld {
	w := &serviceWorld{t: t}
	number := uint64(0)
	var err [5]error
	w.framer, err[0] = link.NewFramer(p, func(uint16) (uint64, error) { number++; return number, nil })
	w.encoder, err[1] = p.NewDownEncoder()
	w.decoder, err[2] = p.NewDownDecoder()
	w.deframer, err[3] = link.NewDeframer(p, floors{})
	w.awgn, err[4] = channel.NewAWGN(5, ebn0, p.Code.Ratio(p.WithDefaults().FrameLength))
	if e := errors.Join(err[:]...); e != nil {
		t.Fatal(e)
	}
	return w
}

// radiate sends all that waits.
func (w *serviceWorld) radiate() {
	for {
		frame, idle := w.framer.Next(nil, [4]byte{})
		w.code(frame)
		if idle {
			return
		}
	}
}

func (w *serviceWorld) code(frame []byte) {
	bits, err := w.encoder.Append(nil, frame)
	if err != nil {
		w.t.Fatal(err)
	}
	w.decoder.PushSoft(w.awgn.AppendSoft(nil, bits), w.coded)
}

func (w *serviceWorld) flush() {
	for range 20 { // idle frames, so that the last ones are not in the decoder
		frame, _ := w.framer.Next(nil, [4]byte{})
		w.code(frame)
	}
}

func (w *serviceWorld) coded(c link.Coded) {
	if c.Frame == nil {
		return
	}
	if _, err := w.deframer.Decode(c.Frame); err != nil {
		return
	}
	errPackets := w.deframer.Packets(func([]byte) { w.packets++ })
	errData := w.deframer.Data(func(d link.Data) {
		d.Octets = bytes.Clone(d.Octets)
		w.got = append(w.got, d)
		w.octets += len(d.Octets)
	})
	if errPackets != nil || errData != nil {
		w.t.Error(errPackets, errData)
	}
}

// checkUnits holds the units that arrived against those that were sent.
func (w *serviceWorld) checkUnits() {
	next := 0
	for i, d := range w.got {
		from := next
		for next < len(w.sent) && !bytes.Equal(w.sent[next], d.Octets) {
			next++
		}
		if next == len(w.sent) {
			w.t.Fatalf("unit %d of %d octets was not sent, or not in this order", i, len(d.Octets))
		}
		if i > 0 && next > from && !d.Lost {
			w.t.Fatalf("units %d to %d are missing and nothing says so", from, next-1)
		}
		w.missing = w.missing || d.Lost
		next++
	}
	w.missing = w.missing || next < len(w.sent)
}

// checkStream does so for the pieces of a stream.
func (w *serviceWorld) checkStream() {
	rest := bytes.Join(w.sent, nil)
	for i, d := range w.got {
		at := bytes.Index(rest, d.Octets)
		if at < 0 || d.Bits != 8*len(d.Octets) {
			w.t.Fatalf("piece %d of %d octets and %d bits was not sent, or not in this order", i, len(d.Octets), d.Bits)
		}
		if i > 0 && at > 0 && !d.Lost {
			w.t.Fatalf("%d octets before piece %d are missing and nothing says so", at, i)
		}
		w.missing = w.missing || d.Lost
		rest = rest[at+len(d.Octets):]
	}
	w.missing = w.missing || len(rest) > 0
}

// TestUnitTooLong: a data unit that is longer than any may be is not given, and the next one says
// that something is missing.
func TestUnitTooLong(t *testing.T) {
	p := link.Profile{Down: link.FramingUSLP, Code: link.Code{Kind: link.CodeNone}, FrameLength: 500, NoOCF: true, AD: []ccsds.VCID{},
		Services: map[ccsds.VCID]link.Service{serviceVC: link.ServiceAccess}}
	b, err := uslp.NewBuilder(uslp.Params{SCID: 42, FrameLength: 500, FECF: uslp.CRC16}, 3, false)
	if err != nil {
		t.Fatal(err)
	}
	d, err := link.NewDeframer(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []link.Data
	for _, n := range []int{100, link.MaxUnit + 1, 1000, 10} {
		if err := b.Send(uslp.Channel{VC: serviceVC}, uslp.MissionSDU, make([]byte, n), nil, func(frame []byte) {
			if _, err := d.Decode(frame); err != nil {
				t.Fatal(err)
			}
			if err := d.Data(func(data link.Data) {
				data.Octets = bytes.Clone(data.Octets)
				got = append(got, data)
			}); err != nil {
				t.Fatal(err)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	if len(got) != 3 || len(got[1].Octets) != 1000 || got[0].Lost || !got[1].Lost || got[2].Lost {
		t.Errorf("%d units, %v", len(got), got)
	}
}

// TestServiceRefused: what no frame carries is refused, by the profile or by Send.
func TestServiceRefused(t *testing.T) {
	none := link.Code{Kind: link.CodeNone}
	for _, p := range []link.Profile{
		{Down: link.FramingTM, Services: map[ccsds.VCID]link.Service{1: link.ServiceBitstream}},
		{Down: link.FramingTM, Services: map[ccsds.VCID]link.Service{7: link.ServiceAccess}},
		{Down: link.FramingAOS, Services: map[ccsds.VCID]link.Service{1: link.ServiceOctets}},
		{Down: link.FramingUSLP, Services: map[ccsds.VCID]link.Service{1: link.ServiceOctets}},
		{Down: link.FramingUSLP, Services: map[ccsds.VCID]link.Service{63: link.ServiceAccess}},
		{Down: link.FramingUSLP, MAP: map[ccsds.VCID]ccsds.MAPID{1: 16}},
		{Down: link.FramingAOS, MAP: map[ccsds.VCID]ccsds.MAPID{1: 1}},
		{Down: link.FramingAOS, Services: map[ccsds.VCID]link.Service{1: "insert"}},
		{Down: link.FramingPackets, Up: link.FramingPackets, Code: none, Services: map[ccsds.VCID]link.Service{1: link.ServiceAccess}},
	} {
		if err := p.Validate(); !errors.Is(err, link.ErrProfile) {
			t.Errorf("%s %v %v: %v", p.Down, p.Services, p.MAP, err)
		}
	}
	all, names := services()
	for i, p := range all {
		f, err := link.NewFramer(p, func(uint16) (uint64, error) { return 1, nil })
		if err != nil {
			t.Fatal(err)
		}
		wrong := [][]byte{nil}
		if p.Services[serviceVC] == link.ServiceAccess {
			wrong = append(wrong, make([]byte, link.MaxUnit+1))
		}
		for _, u := range wrong {
			if err := f.Send(serviceVC, u); !errors.Is(err, ccsds.ErrLength) {
				t.Errorf("%s: %d octets: %v", names[i], len(u), err)
			}
		}
	}
}

// FuzzServices: no frame of a channel with a service, however wrong, panics, and what it is
// said to hold is no more than it can.
func FuzzServices(f *testing.F) {
	all, _ := services()
	r := rand.New(rand.NewPCG(3, 4))
	for i, p := range all {
		framer, err := link.NewFramer(p, func(uint16) (uint64, error) { return 1, nil })
		if err != nil {
			f.Fatal(err)
		}
		if err := framer.Send(serviceVC, unit(r, p)); err != nil {
			f.Fatal(err)
		}
		frame, _ := framer.Next(nil, [4]byte{})
		f.Add(uint8(i), frame)
	}
	f.Fuzz(func(t *testing.T, kind uint8, frame []byte) {
		d, err := link.NewDeframer(all[int(kind)%len(all)], floors{})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(frame) - 2; n > 0 { // else few would be looked at
			frame = binary.BigEndian.AppendUint16(frame[:n:n], ccsds.CRC16(frame[:n]))
		}
		for range 3 {
			if _, err := d.Decode(bytes.Clone(frame)); err != nil {
				return
			}
			_ = d.Data(func(data link.Data) {
				if len(data.Octets) == 0 || len(data.Octets) > link.MaxUnit || (data.Bits+7)/8 != len(data.Octets) {
					t.Fatalf("%d octets, %d bits", len(data.Octets), data.Bits)
				}
			})
		}
	})
}

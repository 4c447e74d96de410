package sdls_test

import (
	"errors"
	"testing"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/aos"
	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/ccsds/uslp"
)

// counter applies security with rising numbers, until it is told to fail.
type counter struct {
	s    *sdls.Sender
	n    uint64
	fail error
}

func (c *counter) Overhead(ccsds.VCID) int { return sdls.Overhead }

func (c *counter) Protect(dst []byte, vc ccsds.VCID, header, data []byte) ([]byte, error) {
	if c.fail != nil {
		return dst, c.fail
	}
	c.n++
	return c.s.Apply(dst, security, vc, c.n, header, data)
}

func secured(t *testing.T, mask []byte) (*counter, *sdls.Receiver) {
	t.Helper()
	sas := []sdls.SA{{SPI: security, Key: testKey, VCs: []ccsds.VCID{1}, Mask: mask}}
	s, err := sdls.NewSender(sas)
	if err != nil {
		t.Fatal(err)
	}
	r, err := sdls.NewReceiver(sas)
	if err != nil {
		t.Fatal(err)
	}
	return &counter{s: s}, r
}

// Packets through AOS frames with security; when it fails nothing is lost.
func TestSecuredAOS(t *testing.T) {
	p := aos.Params{SCID: 42, FrameLength: 128, InsertZone: 3, FHEC: true, OCF: true, FECF: true}
	b, err := aos.NewBuilder(p)
	if err != nil {
		t.Fatal(err)
	}
	c, r := secured(t, sdls.MaskAOS(true, 3))
	if err := b.Append(1, filled(t, 300)); err != nil {
		t.Fatal(err)
	}
	b.Secure(c)
	x, got, broke := aos.NewExtractor(0, false), 0, false
	for {
		if !broke && b.Pending(1) < 200 {
			broke, c.fail = true, errors.New("counter is gone")
			if _, ok := b.Next(nil, 1, [4]byte{}, true); ok || !errors.Is(b.Err(), c.fail) {
				t.Fatalf("frame %t, %v", ok, b.Err())
			}
			c.fail = nil
		}
		octets, ok := b.Next(nil, 1, [4]byte{}, true)
		if !ok {
			break
		}
		f := aos.Frame{Params: p}
		if err := f.DecodeFromBytes(octets, nil); err != nil {
			t.Fatal(err)
		}
		header := octets[:len(f.Contents)+len(f.InsertZone)]
		if f.Payload, err = r.Open(f.VCID, header, f.Payload); err != nil {
			t.Fatal(err)
		}
		lost, err := x.Frame(&f, func(q []byte) { got += len(q) })
		if lost != 0 || err != nil {
			t.Fatalf("%d lost, %v", lost, err)
		}
	}
	if got != 300 || !broke {
		t.Errorf("%d octets arrive", got)
	}
	f := aos.Frame{Params: p}
	if err := f.DecodeFromBytes(b.Idle(nil, [4]byte{}), nil); err != nil || !f.Idle() {
		t.Errorf("idle frame: %v", err)
	}
}

// Packets and units through USLP frames of both kinds with security.
func TestSecuredUSLP(t *testing.T) {
	for _, p := range []uslp.Params{
		{SCID: 42, FrameLength: 128, InsertZone: 3, FECF: uslp.CRC32},
		{SCID: 42, MaxLength: 128, FECF: uslp.CRC16},
	} {
		b, err := uslp.NewBuilder(p, 2, false)
		if err != nil {
			t.Fatal(err)
		}
		c, r := secured(t, sdls.MaskUSLP(9, p.InsertZone))
		ch := uslp.Channel{VC: 1, MAP: 2}
		b.Secure(c)
		x, got := uslp.NewReceiver(0, false), 0
		take := func(octets []byte) {
			f := uslp.Frame{Params: p}
			if err := f.DecodeFromBytes(octets, nil); err != nil {
				t.Fatal(err)
			}
			if f.Payload, err = r.Open(f.VCID, octets[:len(f.Contents)+len(f.InsertZone)], f.Payload); err != nil {
				t.Fatal(err)
			}
			if lost, err := x.Frame(&f, func(u uslp.Unit) { got += len(u.Data) }); lost != 0 || err != nil {
				t.Fatalf("%d lost, %v", lost, err)
			}
		}
		if err := b.Send(ch, uslp.MissionSDU, make([]byte, 500), &[4]byte{1}, take); err != nil {
			t.Fatal(err)
		}
		if p.Fixed() {
			if err := b.Append(ch, filled(t, 300)); err != nil {
				t.Fatal(err)
			}
			for octets, ok := b.Next(nil, ch, nil, true); ok; octets, ok = b.Next(nil, ch, nil, true) {
				take(octets)
			}
		} else if err := b.Send(ch, uslp.Packets, filled(t, 300), nil, take); err != nil {
			t.Fatal(err)
		}
		if got != 800 {
			t.Errorf("%d octets arrive, want 800", got)
		}
		octets, err := b.Idle(nil, nil, 128)
		f := uslp.Frame{Params: p}
		if err != nil || len(octets) != 128 || f.DecodeFromBytes(octets, nil) != nil || !f.Idle() {
			t.Errorf("idle frame of %d octets, %v", len(octets), err)
		}
	}
}

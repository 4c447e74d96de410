package sdls_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/aos"
	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/ccsds/spp"
	"github.com/perilune/perilune/ccsds/tm"
	"github.com/perilune/perilune/ccsds/uslp"
)

// downlink is a kind of frame with security in its data field: protect makes the n-th
// frame, which carries a packet, open takes one apart.
type downlink struct {
	name    string
	sa      sdls.SA
	protect func(t *testing.T, s *sdls.Sender, n uint64, packet []byte) []byte
	open    func(t *testing.T, r *sdls.Receiver, frame []byte) ([]byte, error)
}

const security = 1 // SPI of all

func filled(t *testing.T, n int) []byte {
	t.Helper()
	p, err := spp.Append(nil, &spp.Packet{APID: 5, SeqFlags: spp.Unsegmented}, bytes.Repeat([]byte{7}, n-spp.HeaderLength))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func tmLink() downlink {
	p := tm.Params{SCID: 42, FrameLength: 200, OCF: true, FECF: true}
	return downlink{
		"tm", sdls.SA{SPI: security, Key: testKey, VCs: []ccsds.VCID{1}, Window: 64, Mask: sdls.MaskTM(0)},
		func(t *testing.T, s *sdls.Sender, n uint64, packet []byte) []byte {
			f := tm.Frame{Params: p, SCID: 42, VCID: 1, MCFC: byte(n), VCFC: byte(n), SegLengthID: 3}
			blank, err := tm.Append(nil, &f, make([]byte, p.DataLength()))
			if err != nil {
				t.Fatal(err)
			}
			field, err := s.Apply(nil, security, 1, n, blank[:tm.HeaderLength], packet)
			if err != nil {
				t.Fatal(err)
			}
			frame, err := tm.Append(nil, &f, field)
			if err != nil {
				t.Fatal(err)
			}
			return frame
		},
		func(t *testing.T, r *sdls.Receiver, frame []byte) ([]byte, error) {
			f := tm.Frame{Params: p}
			if err := f.DecodeFromBytes(frame, nil); err != nil {
				t.Fatal(err)
			}
			return r.Open(f.VCID, f.Contents, f.Payload)
		},
	}
}

func aosLink() downlink {
	p := aos.Params{SCID: 42, FrameLength: 200, FHEC: true, InsertZone: 4, FECF: true}
	zone := []byte{1, 2, 3, 4}
	return downlink{
		"aos", sdls.SA{SPI: security, Key: testKey, VCs: []ccsds.VCID{1}, Window: 64, Mask: sdls.MaskAOS(true, 4), Service: sdls.Authentication, Algorithm: sdls.AESCMAC},
		func(t *testing.T, s *sdls.Sender, n uint64, packet []byte) []byte {
			f := aos.Frame{Params: p, SCID: 42, VCID: 1, VCFC: uint32(n), InsertZone: zone}
			blank, err := aos.Append(nil, &f, make([]byte, p.DataLength()))
			if err != nil {
				t.Fatal(err)
			}
			field, err := s.Apply(nil, security, 1, n, blank[:aos.HeaderLength+aos.FHECLength+len(zone)], packet)
			if err != nil {
				t.Fatal(err)
			}
			frame, err := aos.Append(nil, &f, field)
			if err != nil {
				t.Fatal(err)
			}
			return frame
		},
		func(t *testing.T, r *sdls.Receiver, frame []byte) ([]byte, error) {
			f := aos.Frame{Params: p}
			if err := f.DecodeFromBytes(frame, nil); err != nil {
				t.Fatal(err)
			}
			return r.Open(f.VCID, append(bytes.Clone(f.Contents), f.InsertZone...), f.Payload)
		},
	}
}

func uslpLink() downlink {
	p := uslp.Params{SCID: 42, MaxLength: 300, FECF: uslp.CRC32}
	return downlink{
		"uslp", sdls.SA{SPI: security, Key: testKey, VCs: []ccsds.VCID{1}, Window: 64, Mask: sdls.MaskUSLP(9, 0), Service: sdls.Authentication},
		func(t *testing.T, s *sdls.Sender, n uint64, packet []byte) []byte {
			f := uslp.Frame{Params: p, SCID: 42, VCID: 1, MAP: 3, CountLength: 2, Count: n}
			data, err := uslp.Field{Rule: uslp.NoSegmentation, UPID: uslp.Packets, Zone: packet}.Append(nil, false)
			if err != nil {
				t.Fatal(err)
			}
			header, err := uslp.AppendHeader(nil, &f, len(data)+sdls.Overhead)
			if err != nil {
				t.Fatal(err)
			}
			field, err := s.Apply(nil, security, 1, n, header, data)
			if err != nil {
				t.Fatal(err)
			}
			frame, err := uslp.Append(nil, &f, field)
			if err != nil {
				t.Fatal(err)
			}
			return frame
		},
		func(t *testing.T, r *sdls.Receiver, frame []byte) ([]byte, error) {
			f := uslp.Frame{Params: p}
			if err := f.DecodeFromBytes(frame, nil); err != nil {
				t.Fatal(err)
			}
			clear, err := r.Open(f.VCID, f.Contents, f.Payload)
			if err != nil {
				return nil, err
			}
			d, err := uslp.ParseField(clear, f.Truncated)
			return d.Zone, err
		},
	}
}

// Frames of each downlink pass, in any order within the window, once; lost frames hurt
// nobody.
func TestDownlinks(t *testing.T) {
	for _, link := range []downlink{tmLink(), aosLink(), uslpLink()} {
		t.Run(link.name, func(t *testing.T) {
			s, err := sdls.NewSender([]sdls.SA{link.sa})
			if err != nil {
				t.Fatal(err)
			}
			r, err := sdls.NewReceiver([]sdls.SA{link.sa})
			if err != nil {
				t.Fatal(err)
			}
			packet := filled(t, 158)
			if link.name == "aos" {
				packet = filled(t, 164)
			}
			for _, n := range []uint64{1, 2, 5, 4, 60, 30, 300} {
				frame := link.protect(t, s, n, packet)
				if got, err := link.open(t, r, frame); err != nil || !bytes.Equal(got, packet) {
					t.Fatalf("frame %d: %x, %v", n, got, err)
				}
				if _, err := link.open(t, r, frame); !errors.Is(err, sdls.ErrReplayed) {
					t.Errorf("frame %d again: %v", n, err)
				}
			}
			if _, err := link.open(t, r, link.protect(t, s, 200, packet)); !errors.Is(err, sdls.ErrReplayed) {
				t.Errorf("frame behind the window: %v", err)
			}
		})
	}
}

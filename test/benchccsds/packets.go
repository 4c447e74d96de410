package main

import (
	"fmt"

	"github.com/google/gopacket"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/spp"
	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/ccsds/tm"
)

// packets measures layers by themselves: decoding allocates nothing.
func (b *bench) packets() error {
	packet, err := pus.BuildTM(1, 5, 3, 25, 0, 0, 0, timecode.Free, random(1, 100))
	if err != nil {
		return err
	}
	frame, err := tmFrame(packet)
	if err != nil {
		return err
	}
	var p spp.Packet
	var m pus.TM
	f := tm.Frame{Params: tm.Params{SCID: 42, FrameLength: len(frame), OCF: true, FECF: true}}
	buffer := gopacket.NewSerializeBuffer()
	for _, l := range []struct {
		name string
		do   func() error
	}{
		{"packet/decode", func() error { return p.DecodeFromBytes(packet, nil) }},
		{"packet/encode", func() error {
			if err := buffer.Clear(); err != nil {
				return err
			}
			data, err := buffer.AppendBytes(len(packet) - 6)
			if err != nil {
				return err
			}
			copy(data, packet[6:])
			return p.SerializeTo(buffer, gopacket.SerializeOptions{FixLengths: true})
		}},
		{"PUS-TM/decode", func() error { return m.DecodeFromBytes(p.Payload, nil) }},
		{"TM-frame/decode", func() error { return f.DecodeFromBytes(frame, nil) }},
	} {
		if !b.wanted(l.name) {
			continue
		}
		if err := p.DecodeFromBytes(packet, nil); err != nil {
			return err
		}
		perSecond, allocs, err := rate(func() (int, error) {
			for range 500 {
				if err := l.do(); err != nil {
					return 0, err
				}
			}
			return 500, nil
		}, b.seconds)
		if err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		b.atLeast(l.name+"/time", 1e9/perSecond, "ns", 0)
		b.atMost(l.name+"/allocations", float64(int(allocs*100))/100, "each", 0)
	}
	return nil
}

// tmFrame is a frame with the packet in it.
func tmFrame(packet []byte) ([]byte, error) {
	b, err := tm.NewBuilder(tm.Params{SCID: 42, FrameLength: 1115, OCF: true, FECF: true})
	if err != nil {
		return nil, err
	}
	if err := b.Append(0, packet); err != nil {
		return nil, err
	}
	frame, ok := b.Next(nil, 0, [4]byte{}, true)
	if !ok {
		return nil, fmt.Errorf("no frame: %w", b.Err())
	}
	return frame, nil
}

package main

import (
	"fmt"

	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/spp"
)

// linkRow is a downlink whose ends are measured: packets to bits, bits to packets, one thread.
type linkRow struct {
	name string
	p    link.Profile
	db   float64 // Eb/N0 of the soft symbols; hard bits without noise if zero
}

var linkRows = []linkRow{
	{"link/tm+none", link.Profile{Code: link.Code{Kind: link.CodeNone}}, 0},
	{"link/tm+rs", link.Profile{}, 0},
	{"link/tm+concatenated", link.Profile{Code: link.Code{Kind: link.CodeConcatenated}}, 3},
	{"link/aos+ldpc", link.Profile{Down: link.FramingAOS, Code: link.Code{Kind: link.CodeLDPC}}, 2},
	{"link/uslp+turbo", link.Profile{Down: link.FramingUSLP, Code: link.Code{Kind: link.CodeTurbo}}, 2},
}

// links measures frames a second a core, for each end by itself.
func (b *bench) links() error {
	for _, r := range linkRows {
		if !b.wanted(r.name) {
			continue
		}
		send, err := r.sender()
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		receive, err := r.receiver()
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		for _, end := range []struct {
			name string
			do   step
		}{{"send", send}, {"receive", receive}} {
			frames, allocs, err := rate(end.do, b.seconds)
			if err != nil {
				return fmt.Errorf("%s/%s: %w", r.name, end.name, err)
			}
			name := r.name + "/" + end.name
			b.atLeast(name+"/speed", frames, "frames/s", 0)
			b.atLeast(name+"/data", frames*8*float64(r.p.WithDefaults().FrameLength)/1e6, "Mbit/s", 0)
			b.atLeast(name+"/allocations", allocs, "a-frame", 0)
		}
	}
	return nil
}

// batch is how many frames a step sends or receives.
const batch = 32

// sender makes full frames out of packets, and bits out of frames.
func (r linkRow) sender() (step, error) {
	_, next, err := r.frames()
	if err != nil {
		return nil, err
	}
	var bits []byte
	return func() (int, error) {
		bits, err = next(bits[:0])
		return batch, err
	}, nil
}

// frames returns the encoder, and what appends the bits of a batch to dst.
func (r linkRow) frames() (*link.DownEncoder, func(dst []byte) ([]byte, error), error) {
	p := r.p.WithDefaults()
	framer, err := link.NewFramer(p, nil)
	if err != nil {
		return nil, nil, err
	}
	encoder, err := link.NewDownEncoder(p.Code, p.FrameLength)
	if err != nil {
		return nil, nil, err
	}
	packet, err := spp.Append(nil, &spp.Packet{APID: 100, SeqFlags: spp.Unsegmented}, random(1, 400))
	if err != nil {
		return nil, nil, err
	}
	var frame []byte
	return encoder, func(dst []byte) ([]byte, error) {
		for range batch {
			for framer.Room(0) > p.Queue-8 {
				if err := framer.Send(0, packet); err != nil {
					return dst, err
				}
			}
			frame, _ = framer.Next(frame[:0], [4]byte{})
			if dst, err = encoder.Append(dst, frame); err != nil {
				return dst, err
			}
		}
		return dst, nil
	}, nil
}

// receiver finds frames and packets in the same noisy batch again and again.
func (r linkRow) receiver() (step, error) {
	p := r.p.WithDefaults()
	encoder, next, err := r.frames()
	if err != nil {
		return nil, err
	}
	decoder, err := link.NewDownDecoder(p.Code, p.FrameLength)
	if err != nil {
		return nil, err
	}
	deframer, err := link.NewDeframer(p, nil)
	if err != nil {
		return nil, err
	}
	bits, err := next(nil)
	if err != nil {
		return nil, err
	}
	bits = encoder.Flush(bits)
	noise, err := channel.NewAWGN(1, max(r.db, 1), p.Code.Ratio(p.FrameLength))
	if err != nil {
		return nil, err
	}
	soft := noise.AppendSoft(nil, bits)
	got := 0
	receive := func(u link.Coded) {
		if u.Frame == nil {
			return
		}
		if _, err := deframer.Decode(u.Frame); err == nil {
			if deframer.Packets(func([]byte) {}) == nil {
				got++
			}
		}
	}
	return func() (int, error) {
		got = 0
		if r.db == 0 {
			decoder.Push(bits, receive)
		} else {
			decoder.PushSoft(soft, receive)
		}
		if got < batch/2 {
			return 0, fmt.Errorf("%d frames of %d came out", got, batch)
		}
		return batch, nil
	}, nil
}

package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/coding/conv"
	"github.com/perilune/perilune/ccsds/coding/ldpc"
	"github.com/perilune/perilune/ccsds/coding/turbo"
)

// codewords is how many noisy codewords a decoder is measured with.
const codewords = 16

// codes tables the decoders that libfec has not, each at an Eb/N0 where about one frame in
// a hundred to a thousand is lost, and the encoders.
func (b *bench) codes() error {
	for _, r := range []struct {
		rate conv.Rate
		db   float64
	}{{conv.Rate23, 4.5}, {conv.Rate34, 4.9}, {conv.Rate56, 5.5}, {conv.Rate78, 6}} {
		if err := b.speed(fmt.Sprintf("Viterbi(7,%v)", r.rate), 0, func() (step, error) { return viterbi(r.rate, r.db) }); err != nil {
			return err
		}
	}
	for _, l := range []struct {
		name ldpc.Name
		db   float64
	}{{ldpc.TC64, 4}, {ldpc.TC256, 3}, {ldpc.TM1024R12, 2}, {ldpc.TM4096R12, 1.2}, {ldpc.TM4096R45, 3}, {ldpc.TM16384R12, 0.9}, {ldpc.TM7136R78, 4}} {
		if err := b.speed(fmt.Sprintf("LDPC(%v)", strings.ReplaceAll(l.name.String(), " ", "")), 0, func() (step, error) { return lowDensity(l.name, l.db) }); err != nil {
			return err
		}
	}
	for _, t := range []struct {
		k    int
		rate turbo.Rate
		db   float64
	}{{1784, turbo.Rate12, 1.2}, {1784, turbo.Rate13, 0.7}, {3568, turbo.Rate12, 1.1}, {8920, turbo.Rate16, 0}} {
		if err := b.speed(fmt.Sprintf("turbo(%d,%v)", t.k, t.rate), 0, func() (step, error) { return parallel(t.k, t.rate, t.db) }); err != nil {
			return err
		}
	}
	if err := b.speed("RS(255,223)/encode", 0, encodeRS); err != nil {
		return err
	}
	return b.speed("CLTU/decode", 0, decodeCLTU)
}

// speed prints Mbit/s of information.
func (b *bench) speed(name string, goal float64, start func() (step, error)) error {
	if !b.wanted(name) {
		return nil
	}
	do, err := start()
	if err != nil {
		return err
	}
	bits, _, err := rate(do, b.seconds)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	b.atLeast(name+"/speed", bits/1e6, "Mbit/s", goal)
	return nil
}

func lowDensity(name ldpc.Name, db float64) (step, error) {
	c, err := ldpc.New(name)
	if err != nil {
		return nil, err
	}
	d, err := ldpc.NewDecoder(c, ldpc.Options{})
	if err != nil {
		return nil, err
	}
	return noisy(db, c.Ratio(), c.DataBits(), c.Encode, d.Decode)
}

func parallel(k int, r turbo.Rate, db float64) (step, error) {
	c, err := turbo.New(k, r)
	if err != nil {
		return nil, err
	}
	d, err := turbo.NewDecoder(c, turbo.Options{})
	if err != nil {
		return nil, err
	}
	bits := c.Bits()
	return noisy(db, c.Ratio(), k, c.Encode, func(dst []byte, soft []int8) ([]byte, error) { return d.Decode(dst, soft[:bits]) })
}

// noisy decodes a few codewords in turn; one that the decoder gives up counts as work done.
func noisy(db, ratio float64, dataBits int, encode func(dst, data []byte) ([]byte, error),
	decode func(dst []byte, soft []int8) ([]byte, error)) (step, error) {
	noise, err := channel.NewAWGN(1, db, ratio)
	if err != nil {
		return nil, err
	}
	var words [][]int8
	for i := range codewords {
		word, err := encode(nil, random(uint64(i), dataBits/8))
		if err != nil {
			return nil, err
		}
		words = append(words, noise.AppendSoft(nil, word))
	}
	var got []byte
	i := 0
	return func() (int, error) {
		var err error
		got, err = decode(got[:0], words[i%codewords])
		i++
		if err != nil && !errors.Is(err, coding.ErrUncorrectable) {
			return 0, err
		}
		return dataBits, nil
	}, nil
}

func encodeRS() (step, error) {
	rs, err := coding.NewRS(16, 5, true)
	if err != nil {
		return nil, err
	}
	data, out := random(1, rs.DataLength()), []byte(nil)
	return func() (int, error) {
		out, err = rs.Encode(out[:0], data)
		return 8 * len(data), err
	}, nil
}

func decodeCLTU() (step, error) {
	frame := random(1, 256)
	bits := coding.EncodeCLTU([]byte{0x55, 0x55}, frame)
	var d coding.CLTUDecoder
	return func() (int, error) {
		found := 0
		d.Push(bits, func([]byte, coding.CLTUInfo) bool { found++; return true })
		if found != 1 {
			return 0, fmt.Errorf("%d frames of one", found)
		}
		return 8 * len(frame), nil
	}, nil
}

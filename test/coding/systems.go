package main

import (
	"bytes"
	"errors"
	"math/bits"
	"math/rand/v2"

	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/coding/conv"
	"github.com/perilune/perilune/ccsds/coding/ldpc"
	"github.com/perilune/perilune/ccsds/coding/turbo"
)

// fill puts random octets into b.
func fill(rnd *rand.Rand, b []byte) {
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
}

func source(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 77)) }

// one is a frame, wrong or not.
func one(wrong bool) (int, int, error) {
	if wrong {
		return 1, 1, nil
	}
	return 1, 0, nil
}

// reedSolomon is one codeword in the dual basis behind hard decisions.
type reedSolomon struct{ e int }

func (s reedSolomon) worker(seed uint64, db float64) (func() (int, int, error), error) {
	rs, err := coding.NewRS(s.e, 1, true)
	if err != nil {
		return nil, err
	}
	noise, err := channel.NewAWGN(seed, db, float64(rs.DataLength())/255)
	if err != nil {
		return nil, err
	}
	rnd, data, soft := source(seed), make([]byte, rs.DataLength()), []int8(nil)
	var sent, got []byte
	return func() (int, int, error) {
		fill(rnd, data)
		if sent, err = rs.Encode(sent[:0], data); err != nil {
			return 0, 0, err
		}
		soft = noise.AppendSoft(soft[:0], sent)
		got = coding.AppendHard(got[:0], soft)
		_, err := rs.Decode(got)
		if err != nil && !errors.Is(err, coding.ErrUncorrectable) {
			return 0, 0, err
		}
		return one(err != nil || !bytes.Equal(got, sent))
	}, nil
}

// lowDensity is an LDPC code by sum-product.
type lowDensity struct {
	name    ldpc.Name
	options ldpc.Options
}

func (s lowDensity) worker(seed uint64, db float64) (func() (int, int, error), error) {
	c, err := ldpc.New(s.name)
	if err != nil {
		return nil, err
	}
	d, err := ldpc.NewDecoder(c, s.options)
	if err != nil {
		return nil, err
	}
	noise, err := channel.NewAWGN(seed, db, c.Ratio())
	if err != nil {
		return nil, err
	}
	rnd, data, soft := source(seed), make([]byte, c.DataBits()/8), []int8(nil)
	var sent, got []byte
	return func() (int, int, error) {
		fill(rnd, data)
		if sent, err = c.Encode(sent[:0], data); err != nil {
			return 0, 0, err
		}
		soft = noise.AppendSoft(soft[:0], sent)
		got, err := d.Decode(got[:0], soft)
		if err != nil && !errors.Is(err, ldpc.ErrNotFound) {
			return 0, 0, err
		}
		return one(err != nil || !bytes.Equal(got, data))
	}, nil
}

// parallel is a turbo code by log-MAP in ten iterations.
type parallel struct {
	k    int
	rate turbo.Rate
}

func (s parallel) worker(seed uint64, db float64) (func() (int, int, error), error) {
	c, err := turbo.New(s.k, s.rate)
	if err != nil {
		return nil, err
	}
	d, err := turbo.NewDecoder(c, turbo.Options{})
	if err != nil {
		return nil, err
	}
	// Published curves count Eb over information bits only up to the nominal rate.
	noise, err := channel.NewAWGN(seed, db, c.Ratio())
	if err != nil {
		return nil, err
	}
	rnd, data, soft := source(seed), make([]byte, s.k/8), []int8(nil)
	var sent, got []byte
	return func() (int, int, error) {
		fill(rnd, data)
		if sent, err = c.Encode(sent[:0], data); err != nil {
			return 0, 0, err
		}
		soft = noise.AppendSoft(soft[:0], sent)
		if got, err = d.Decode(got[:0], soft[:c.Bits()]); err != nil {
			return 0, 0, err
		}
		return one(!bytes.Equal(got, data))
	}, nil
}

// convolutional is a block of 1115 octets, of which bits count.
type convolutional struct{ rate conv.Rate }

func (s convolutional) worker(seed uint64, db float64) (func() (int, int, error), error) {
	run, err := newInner(s.rate, seed, db, s.rate.Ratio())
	if err != nil {
		return nil, err
	}
	data := make([]byte, 1115)
	return func() (int, int, error) {
		fill(run.rnd, data)
		wrong := 0
		for i, v := range run.pass(data) {
			wrong += bits.OnesCount8(v ^ data[i])
		}
		return 8 * len(data), wrong, nil
	}, nil
}

// inner is a convolutional code with its noise.
type inner struct {
	rnd   *rand.Rand
	enc   *conv.Encoder
	dec   *conv.Decoder
	noise *channel.AWGN
	sent  []byte
	soft  []int8
	got   []byte
}

func newInner(r conv.Rate, seed uint64, db, ratio float64) (*inner, error) {
	e, err := conv.NewEncoder(r, conv.Options{})
	if err != nil {
		return nil, err
	}
	d, err := conv.NewDecoder(r, conv.Options{})
	if err != nil {
		return nil, err
	}
	noise, err := channel.NewAWGN(seed, db, ratio)
	return &inner{rnd: source(seed), enc: e, dec: d, noise: noise}, err
}

// pass sends a block, its register driven to zero before and behind it.
func (x *inner) pass(data []byte) []byte {
	x.enc.Reset()
	x.dec.Reset(true)
	x.sent = x.enc.Flush(x.enc.Terminate(x.enc.Encode(x.sent[:0], data)))
	x.soft = x.noise.AppendSoft(x.soft[:0], x.sent)[:x.dec.Rate().SymbolsFor(8*len(data)+6)]
	x.got = x.dec.Flush(x.dec.Decode(x.got[:0], x.soft), true)
	return x.got
}

// concatenated is a Reed–Solomon block inside a convolutional code.
type concatenated struct {
	rate  conv.Rate
	depth int
}

func (s concatenated) worker(seed uint64, db float64) (func() (int, int, error), error) {
	rs, err := coding.NewRS(16, s.depth, true)
	if err != nil {
		return nil, err
	}
	run, err := newInner(s.rate, seed, db, s.rate.Ratio()*223/255)
	if err != nil {
		return nil, err
	}
	data := make([]byte, rs.DataLength())
	var sent []byte
	return func() (int, int, error) {
		fill(run.rnd, data)
		if sent, err = rs.Encode(sent[:0], data); err != nil {
			return 0, 0, err
		}
		got := run.pass(sent)
		_, err := rs.Decode(got)
		if err != nil && !errors.Is(err, coding.ErrUncorrectable) {
			return 0, 0, err
		}
		return one(err != nil || !bytes.Equal(got, sent))
	}, nil
}

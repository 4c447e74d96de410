package link

import (
	"github.com/perilune/perilune/ccsds/coding/ldpc"
	"github.com/perilune/perilune/ccsds/coding/turbo"
)

// wordDecoder decodes the codewords of an LDPC or a turbo code.
type wordDecoder struct {
	ldpc  *ldpc.Decoder
	turbo *turbo.Decoder
	frame []byte
	again []byte // the frame coded once more, to see what was wrong
}

func newWordDecoder(c Code) (*wordDecoder, error) {
	w := &wordDecoder{}
	if c.Kind == CodeLDPC {
		l, err := c.ldpcCode()
		if err != nil {
			return nil, err
		}
		w.ldpc, err = ldpc.NewDecoder(l, ldpc.Options{Iterations: c.Iterations})
		return w, err
	}
	t, err := turbo.New(c.Block, turboRates[c.Rate])
	if err != nil {
		return nil, err
	}
	w.turbo, err = turbo.NewDecoder(t, turbo.Options{Iterations: c.Iterations})
	return w, err
}

// bits is the length of a codeword.
func (w *wordDecoder) bits() int {
	if w.ldpc != nil {
		return w.ldpc.Code().Bits()
	}
	return w.turbo.Code().Bits()
}

// decode gives the information of a codeword, and what was wrong with it.
func (w *wordDecoder) decode(word []int8) Coded {
	var c Coded
	var err error
	if w.ldpc != nil {
		w.frame, err = w.ldpc.Decode(w.frame[:0], word)
		c.Rounds = w.ldpc.Iterations()
		if err != nil {
			c.Refused = string(CodeLDPC)
			return c
		}
		w.again, err = w.ldpc.Code().Encode(w.again[:0], w.frame)
	} else {
		w.frame, err = w.turbo.Decode(w.frame[:0], word)
		c.Rounds = w.turbo.Iterations()
		if err != nil || !w.turbo.Agreed() {
			c.Refused = string(CodeTurbo)
			return c
		}
		w.again, err = w.turbo.Code().Encode(w.again[:0], w.frame)
	}
	c.Frame = w.frame
	if err == nil {
		for i, v := range word {
			c.Corrected += int(byte(v)>>7 ^ w.again[i/8]>>(7-i%8)&1)
		}
	}
	return c
}

// ldpcCode is the code of the book that c names.
func (c Code) ldpcCode() (*ldpc.Code, error) {
	name, err := c.ldpcName()
	if err != nil {
		return nil, err
	}
	return ldpc.New(name)
}

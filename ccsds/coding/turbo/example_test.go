package turbo_test

import (
	"bytes"
	"fmt"

	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/ccsds/coding/turbo"
)

// A block at rate 1/6 through noise in which more than one bit in four arrives wrong.
func ExampleDecoder() {
	code, err := turbo.New(1784, turbo.Rate16)
	if err != nil {
		panic(err)
	}
	decoder, err := turbo.NewDecoder(code, turbo.Options{})
	if err != nil {
		panic(err)
	}
	noise, err := channel.NewAWGN(1, 0.6, code.Ratio())
	if err != nil {
		panic(err)
	}
	data := bytes.Repeat([]byte{0xC5}, code.DataBits()/8)
	word, err := code.Encode(nil, data)
	if err != nil {
		panic(err)
	}
	got, err := decoder.Decode(nil, noise.AppendSoft(nil, word)[:code.Bits()])
	fmt.Println(bytes.Equal(got, data), decoder.Agreed(), err)
	// Output: true true <nil>
}

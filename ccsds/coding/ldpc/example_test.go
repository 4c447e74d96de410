package ldpc_test

import (
	"fmt"

	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/ccsds/coding/ldpc"
)

// A telecommand's codeword through white noise at Eb/N0 = 5 dB.
func ExampleDecoder() {
	code, err := ldpc.New(ldpc.TC64)
	if err != nil {
		panic(err)
	}
	decoder, err := ldpc.NewDecoder(code, ldpc.Options{})
	if err != nil {
		panic(err)
	}
	noise, err := channel.NewAWGN(1, 5, code.Ratio())
	if err != nil {
		panic(err)
	}
	word, err := code.Encode(nil, []byte("perilune"))
	if err != nil {
		panic(err)
	}
	data, err := decoder.Decode(nil, noise.AppendSoft(nil, word))
	fmt.Printf("%s %v\n", data, err)
	// Output: perilune <nil>
}

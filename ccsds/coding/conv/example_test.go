package conv_test

import (
	"fmt"

	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/ccsds/coding/conv"
)

// A block, closed by zeros, through white noise at Eb/N0 = 5 dB.
func ExampleDecoder() {
	encoder, err := conv.NewEncoder(conv.Rate12, conv.Options{})
	if err != nil {
		panic(err)
	}
	decoder, err := conv.NewDecoder(conv.Rate12, conv.Options{})
	if err != nil {
		panic(err)
	}
	noise, err := channel.NewAWGN(1, 5, conv.Rate12.Ratio())
	if err != nil {
		panic(err)
	}
	data := []byte("perilune in a low orbit")
	sent := encoder.Flush(encoder.Terminate(encoder.Encode(nil, data)))
	soft := noise.AppendSoft(nil, sent)[:conv.Rate12.SymbolsFor(8*len(data)+6)]

	decoder.Reset(true) // the register is known to begin at zero
	fmt.Printf("%s\n", decoder.Flush(decoder.Decode(nil, soft), true))
	// Output: perilune in a low orbit
}

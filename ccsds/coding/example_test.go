package coding_test

import (
	"fmt"

	"github.com/perilune/perilune/ccsds/coding"
)

// A telecommand frame goes up as a CLTU; five stray bits in front of it and one wrong bit
// do no harm.
func ExampleCLTUDecoder() {
	sent := coding.EncodeCLTU(nil, []byte("to the craft"))
	var air stream
	air.put([]byte{0}, 5)
	air.put(sent, 8*len(sent))
	flip(air.b, 5+16+3)

	coding.NewCLTUDecoder().Push(append(air.b, 0x55), func(frame []byte, info coding.CLTUInfo) bool {
		fmt.Printf("bit %d, corrected %d, ended by %v: %q\n", info.BitOffset, info.Corrected, info.Ended, frame)
		return true // a frame that its own checks refuse: false
	})
	// Output: bit 5, corrected 1, ended by tail: "to the craftUU"
}

// A telemetry frame comes down behind a sync marker, protected by Reed–Solomon.
func ExampleRS() {
	rs, err := coding.NewRS(16, 5, true)
	if err != nil {
		fmt.Println(err)
		return
	}
	block, err := rs.Encode(nil, make([]byte, rs.DataLength()))
	if err != nil {
		fmt.Println(err)
		return
	}
	clear := block[100:180] // a burst over 16 symbols of each codeword
	for i := range clear {
		clear[i] ^= 0xFF
	}
	fmt.Println(rs.Decode(block))
	// Output: 80 <nil>
}

package tm_test

import (
	"fmt"

	"github.com/perilune/perilune/ccsds/spp"
	"github.com/perilune/perilune/ccsds/tm"
)

// A packet longer than a frame goes through two of them.
func ExampleExtractor() {
	p := tm.Params{SCID: 42, FrameLength: 40, OCF: true, FECF: true}
	b, err := tm.NewBuilder(p)
	if err != nil {
		fmt.Println(err)
		return
	}
	packet, err := spp.Append(nil, &spp.Packet{APID: 100, SeqFlags: spp.Unsegmented}, []byte("forty octets of text for two frames here"))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := b.Append(1, packet); err != nil {
		fmt.Println(err)
		return
	}
	x := tm.NewExtractor(0)
	for {
		octets, ok := b.Next(nil, 1, [4]byte{}, true)
		if !ok {
			break
		}
		f := tm.Frame{Params: p}
		if err := f.DecodeFromBytes(octets, nil); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("frame %d, first header at %#x\n", f.VCFC, f.FirstHeaderPointer)
		x.Frame(&f, func(packet []byte) { fmt.Printf("packet: %s\n", packet[spp.HeaderLength:]) })
	}
	// Output:
	// frame 0, first header at 0x0
	// frame 1, first header at 0x12
	// packet: forty octets of text for two frames here
}

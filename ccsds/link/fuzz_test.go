package link_test

import (
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/tc"
)

// FuzzSpaceReceive: whatever bits arrive, raw or as the data field of a well-formed
// frame, nothing panics and nothing unauthenticated is delivered.
func FuzzSpaceReceive(f *testing.F) {
	f.Add(uint8(0), uint8(0), []byte{0xeb, 0x90, 0, 0, 0})
	f.Add(uint8(1), uint8(5), []byte{0xc0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9})
	f.Add(uint8(3), uint8(0), []byte{0x82, 0, 7})
	f.Add(uint8(2), uint8(0), []byte{0xc0})
	f.Fuzz(func(t *testing.T, kind, seq uint8, data []byte) {
		s, err := link.NewSpace(profile(), newDisk(), link.SpaceEvents{
			Packet: func(ccsds.VCID, []byte) { t.Fatal("delivered a packet nobody signed") },
		})
		if err != nil {
			t.Fatal(err)
		}
		frame := tc.Frame{Params: tc.Params{SCID: 42, FECF: true, MaxLength: 256}, SCID: 42, VCID: ccsds.VCID(kind >> 4 & 3),
			Seq: seq, Bypass: kind&3 >= 2, Control: kind&3 == 3}
		bits := data
		if kind&3 != 0 {
			if whole, err := tc.Append(nil, &frame, data); err == nil {
				bits = coding.EncodeCLTU([]byte{0x55}, whole)
			}
		}
		for range 2 {
			if err := s.Receive(bits); err != nil {
				t.Fatal(err)
			}
			s.NextCADU(nil)
		}
	})
}

// FuzzGroundReceive: whatever bits come down, raw or as a frame with a good code, nothing
// panics, and the ground can still make its next unit.
func FuzzGroundReceive(f *testing.F) {
	rs, err := coding.NewRS(16, 5, true)
	if err != nil {
		f.Fatal(err)
	}
	s, err := link.NewSpace(profile(), newDisk(), link.SpaceEvents{})
	if err != nil {
		f.Fatal(err)
	}
	_ = s.Send(1, packet(1, 900))
	f.Add(false, s.NextCADU(nil))
	f.Add(true, []byte{0x02, 0xa0, 0, 0, 0x18, 0, 0x07, 0xff})
	f.Add(true, []byte{0x02, 0xaf, 0, 0, 0x1f, 0xfe})
	f.Fuzz(func(t *testing.T, coded bool, data []byte) {
		g, err := link.NewGround(profile(), newDisk(), link.GroundEvents{
			Packet: func(_ ccsds.VCID, p []byte, _ link.Offset) {
				if n, err := ccsds.PacketLength(p); err != nil || n != len(p) {
					t.Fatalf("packet of %d octets says %d, %v", len(p), n, err)
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		bits := data
		if coded {
			frame := make([]byte, 1115)
			copy(frame[:1113], data)
			crc := ccsds.CRC16(frame[:1113])
			frame[1113], frame[1114] = byte(crc>>8), byte(crc)
			bits, err = rs.Encode(coding.AppendASM(nil), frame)
			if err != nil {
				t.Fatal(err)
			}
			coding.Randomise(bits[coding.ASMLength:])
		}
		now := time.Unix(0, 0)
		for i := range 4 {
			g.Receive(bits)
			g.NextCLTU(now.Add(time.Duration(i) * time.Second))
			g.NextTimer()
		}
	})
}

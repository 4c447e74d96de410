package link

import (
	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/uslp"
)

// uslpBuilder is a uslp.Builder with one access point on each virtual channel.
type uslpBuilder struct {
	*uslp.Builder
	maps map[ccsds.VCID]ccsds.MAPID
	ocf  bool
	idle int // octets of an idle frame, where frames vary
}

// maxIdle bounds idle frames of variable length: what comes meanwhile waits for their end.
const maxIdle = 256

// uslpDownCount is the frame count of USLP downlinks in octets: as long as that of AOS.
const uslpDownCount = 3

func newUSLPBuilder(p Profile) (uslpBuilder, error) {
	b, err := uslp.NewBuilder(p.uslp(), uslpDownCount, p.Encapsulation)
	return uslpBuilder{b, p.MAP, !p.NoOCF, min(p.FrameLength, maxIdle)}, err
}

func (b uslpBuilder) channel(vc ccsds.VCID) uslp.Channel {
	return uslp.Channel{VC: vc, MAP: b.maps[vc]}
}

func (b uslpBuilder) control(ocf *[4]byte) *[4]byte {
	if b.ocf {
		return ocf
	}
	return nil
}

func (b uslpBuilder) Append(vc ccsds.VCID, packet []byte) error {
	return b.Builder.Append(b.channel(vc), packet)
}

func (b uslpBuilder) Pending(vc ccsds.VCID) int { return b.Builder.Pending(b.channel(vc)) }

func (b uslpBuilder) Next(dst []byte, vc ccsds.VCID, ocf [4]byte, flush bool) ([]byte, bool) {
	return b.Builder.Next(dst, b.channel(vc), b.control(&ocf), flush)
}

func (b uslpBuilder) Idle(dst []byte, ocf [4]byte) []byte {
	out, err := b.Builder.Idle(dst, b.control(&ocf), b.idle)
	if err != nil { // Validate made sure that there is room
		return dst
	}
	return out
}

// packetBuilder has no frames: what it makes are packets, each by itself.
type packetBuilder struct {
	length int // octets of an idle packet
	queue  [ccsds.MaxVCID + 1][][]byte
}

func (b *packetBuilder) Secure(ccsds.Protector) {} // Validate refuses security without frames
func (b *packetBuilder) Err() error             { return nil }

func (b *packetBuilder) Append(vc ccsds.VCID, packet []byte) error {
	b.queue[vc] = append(b.queue[vc], packet)
	return nil
}

func (b *packetBuilder) Pending(vc ccsds.VCID) (n int) {
	for _, p := range b.queue[vc] {
		n += len(p)
	}
	return n
}

func (b *packetBuilder) Next(dst []byte, vc ccsds.VCID, _ [4]byte, _ bool) ([]byte, bool) {
	q := b.queue[vc]
	if len(q) == 0 {
		return dst, false
	}
	dst = append(dst, q[0]...)
	copy(q, q[1:])
	q[len(q)-1] = nil
	b.queue[vc] = q[:len(q)-1]
	return dst, true
}

func (b *packetBuilder) Idle(dst []byte, _ [4]byte) []byte {
	return ccsds.AppendIdlePacket(dst, b.length)
}

package link

import (
	"slices"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/aos"
	"github.com/perilune/perilune/ccsds/internal/packets"
	"github.com/perilune/perilune/ccsds/tm"
	"github.com/perilune/perilune/ccsds/uslp"
)

// serviceBuilder is a frameBuilder some of whose channels carry something else than packets.
type serviceBuilder struct {
	frameBuilder
	units [ccsds.MaxVCID + 1]*unitQueue // of those
	err   error
}

// unitQueue is what waits on one of them.
type unitQueue struct {
	send   sendUnit
	stream bool // there are no boundaries: what waits is one unit
	units  [][]byte
	gone   int // octets of the first one that have gone
	octets int // that wait
}

// sendUnit appends the frame with the next octets of a unit to dst and returns how many it
// took; first says that none has gone yet.
type sendUnit func(dst []byte, ocf [4]byte, rest []byte, first bool) (frame []byte, took int, err error)

// withServices gives b's channels the services that p asks for.
func withServices(p Profile, b frameBuilder) frameBuilder {
	out := &serviceBuilder{frameBuilder: b}
	for vc := range p.Services {
		s := p.Service(vc)
		if s != ServicePackets {
			out.units[vc] = &unitQueue{send: unitSender(b, vc, s), stream: s != ServiceAccess}
		}
	}
	return out
}

// unitSender is how the frames of vc are made. Validate made sure that b's protocol has s.
func unitSender(b frameBuilder, vc ccsds.VCID, s Service) sendUnit {
	switch b := b.(type) {
	case *tm.Builder:
		return func(dst []byte, ocf [4]byte, rest []byte, _ bool) ([]byte, int, error) {
			frame, err := b.Access(dst, vc, ocf, rest)
			return frame, len(rest), err
		}
	case *aos.Builder:
		return func(dst []byte, ocf [4]byte, rest []byte, _ bool) ([]byte, int, error) {
			if s == ServiceBitstream {
				frame, bits, err := b.Bits(dst, vc, ocf, rest, 8*len(rest))
				return frame, bits / 8, err
			}
			frame, err := b.Access(dst, vc, ocf, rest)
			return frame, len(rest), err
		}
	case uslpBuilder:
		return func(dst []byte, ocf [4]byte, rest []byte, first bool) ([]byte, int, error) {
			if s == ServiceOctets {
				return b.Octets(dst, b.channel(vc), rest, b.control(&ocf))
			}
			return b.Piece(dst, b.channel(vc), uslp.MissionSDU, rest, first, b.control(&ocf))
		}
	}
	return nil
}

func (b *serviceBuilder) Append(vc ccsds.VCID, unit []byte) error {
	q := b.units[vc]
	if q == nil {
		return b.frameBuilder.Append(vc, unit)
	}
	if q.octets+len(unit) > packets.MaxPending {
		return packets.ErrFull
	}
	q.octets += len(unit)
	if !q.stream || len(q.units) == 0 {
		q.units = append(q.units, slices.Clone(unit))
		return nil
	}
	rest := q.units[0]
	q.units[0], q.gone = append(append(rest[:0], rest[q.gone:]...), unit...), 0
	return nil
}

func (b *serviceBuilder) Pending(vc ccsds.VCID) int {
	if q := b.units[vc]; q != nil {
		return q.octets
	}
	return b.frameBuilder.Pending(vc)
}

func (b *serviceBuilder) Next(dst []byte, vc ccsds.VCID, ocf [4]byte, flush bool) ([]byte, bool) {
	q := b.units[vc]
	if b.err = nil; q == nil {
		return b.frameBuilder.Next(dst, vc, ocf, flush)
	}
	if q.octets == 0 {
		return dst, false
	}
	frame, took, err := q.send(dst, ocf, q.units[0][q.gone:], q.gone == 0)
	if err != nil {
		b.err = err
		return dst, false
	}
	q.gone, q.octets = q.gone+took, q.octets-took
	if q.gone == len(q.units[0]) {
		q.units, q.gone = slices.Delete(q.units, 0, 1), 0
	}
	return frame, true
}

func (b *serviceBuilder) Err() error {
	if b.err != nil {
		return b.err
	}
	return b.frameBuilder.Err()
}

package link

import (
	"fmt"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/aos"
	"github.com/perilune/perilune/ccsds/internal/packets"
	"github.com/perilune/perilune/ccsds/uslp"
)

// Service is what the data fields of a downlink virtual channel carry.
type Service string

// The services.
const (
	// ServicePackets are packets, the service of a channel that is not told otherwise.
	ServicePackets Service = "packets"
	// ServiceBitstream is a stream of bits without boundaries, by the B_PDUs of AOS frames
	// (732.0-B-5 §4.1.4.3).
	ServiceBitstream Service = "bitstream"
	// ServiceOctets is a stream of octets without boundaries, by construction rule 011 of USLP
	// frames of variable length (732.1-B-3 §4.1.4.2.2).
	ServiceOctets Service = "octets"
	// ServiceAccess are data units of the user's. In TM and AOS frames each is as long as the
	// data field (VCA, 132.0-B-3 §3.4 and 732.0-B-5 §3.5), in USLP frames of any length
	// (MAPA, construction rules 001 and 010, or 100 to 111).
	ServiceAccess Service = "vca"
)

// MaxUnit is the most octets that are sent at once: a packet, a data unit of the user's, or the
// next of a stream.
const MaxUnit = ccsds.MaxPacketLength

// Service is what downlink virtual channel vc carries.
func (p Profile) Service(vc ccsds.VCID) Service {
	if s, ok := p.Services[vc]; ok && s != "" {
		return s
	}
	return ServicePackets
}

// checkUnit reports what Send does not take on vc.
func (p Profile) checkUnit(vc ccsds.VCID, unit []byte) error {
	switch s := p.Service(vc); {
	case len(unit) > MaxUnit: // no queue would ever have room for it, or no receiver take it
		return fmt.Errorf("%d octets at once, want at most %d: %w", len(unit), MaxUnit, ccsds.ErrLength)
	case s == ServicePackets:
		return packets.Check(unit, p.Encapsulation)
	case len(unit) == 0:
		return fmt.Errorf("no octets: %w", ccsds.ErrLength)
	case s == ServiceAccess && p.Down != FramingUSLP && len(unit) != p.downData(vc):
		return fmt.Errorf("data unit of %d octets, frames carry exactly %d: %w", len(unit), p.downData(vc), ccsds.ErrLength)
	}
	return nil
}

// validateServices checks that the frames of the downlink have what channels ask for.
func (p Profile) validateServices() error {
	for vc, s := range p.Services {
		why := ""
		switch {
		case s == ServicePackets || s == "":
			continue
		case p.Down == FramingPackets:
			why = "there are packets and no frames"
		case vc > p.Down.MaxVC():
			why = fmt.Sprintf("%s has channels 0 to %d", p.Down, p.Down.MaxVC())
		case s == ServiceBitstream && p.Down != FramingAOS:
			why = "only aos frames carry bits"
		case s == ServiceOctets && !p.Variable:
			why = "only uslp frames of variable length carry octets without boundaries"
		case s != ServiceAccess && s != ServiceBitstream && s != ServiceOctets:
			why = "want packets, bitstream, octets or vca"
		}
		if why != "" {
			return fmt.Errorf("%w: down channel %d: service %q: %s", ErrProfile, vc, s, why)
		}
	}
	for vc, m := range p.MAP {
		if p.Down != FramingUSLP || m > uslp.MaxMAP {
			return fmt.Errorf("%w: down channel %d: map %d: only uslp frames have access points, 0 to %d", ErrProfile, vc, m, uslp.MaxMAP)
		}
	}
	return nil
}

// Data is what a frame brought on a channel whose service is not packets.
type Data struct {
	Octets []byte // valid only during the call
	Bits   int    // of them, from the first: a bit stream need not end with an octet
	Lost   bool   // something is missing before these
}

// Data calls emit for what the frame decoded last brought on a channel whose service is not
// packets: a data unit once it is complete, or the next piece of a stream. An error says that
// the data field made no sense, or was that of another service.
func (d *Deframer) Data(emit func(Data)) error {
	s := d.p.Service(d.head.VC)
	if d.head.Idle || s == ServicePackets {
		return nil
	}
	c := d.channel(d.head.VC)
	lost := d.missed(c) || c.broken
	give := func(octets []byte, bits int) {
		emit(Data{Octets: octets, Bits: bits, Lost: lost})
		lost = false
	}
	var err error
	switch {
	case d.p.Down == FramingUSLP:
		err = d.uslpData(c, s, func() { lost = true }, give)
	case d.p.Down == FramingTM && !d.tm.Sync:
		err = ccsds.Errorf("tm frame", 4, ccsds.ErrReserved, "its data are packets, on a channel of access data")
	case d.p.Down == FramingTM:
		give(d.tm.Payload, 8*len(d.tm.Payload))
	case s == ServiceAccess:
		give(d.aos.Payload, 8*len(d.aos.Payload))
	default:
		err = bitstream(d.aos.Payload, give)
	}
	c.broken = err != nil || lost // nothing told so far
	return err
}

// missed reports whether frames of the channel are missing before the one decoded last. Those
// of TM have a count of the channel beside the one that Lost is about.
func (d *Deframer) missed(c *downPackets) bool {
	if d.p.Down != FramingTM {
		return d.gap // also where the counts began anew
	}
	missed := c.seen && uint8(d.head.Count-c.count) != 1
	c.count, c.seen = d.head.Count, true
	return missed
}

// bitstream gives what a B_PDU holds, up to its last octet.
func bitstream(field []byte, give func(octets []byte, bits int)) error {
	b, err := aos.ParseBPDU(field)
	if err == nil && b.Bits > 0 {
		give(b.Zone[:(b.Bits+7)/8], b.Bits)
	}
	return err
}

// uslpData gives the units or octets of the channel's access point, and calls dropped where one
// was begun and is not given: too long, or without an end.
func (d *Deframer) uslpData(c *downPackets, s Service, dropped func(), give func(octets []byte, bits int)) error {
	wrong, before := false, c.uslp.Stats().Dropped
	look := func() {
		if n := c.uslp.Stats().Dropped; n != before {
			before = n
			dropped()
		}
	}
	defer look()
	_, err := c.uslp.Frame(&d.uslp, func(u uslp.Unit) {
		look()
		switch {
		case u.MAP != d.p.MAP[d.head.VC]: // another's
		case u.Stream != (s == ServiceOctets) || u.UPID == uslp.Packets:
			wrong = true
		default:
			give(u.Data, 8*len(u.Data))
		}
	})
	if err == nil && wrong {
		err = ccsds.Errorf("uslp data field", 0, ccsds.ErrReserved, "rule %d and protocol %d on a channel of %s", d.uslp.Payload[0]>>5, d.uslp.Payload[0]&31, s)
	}
	return err
}

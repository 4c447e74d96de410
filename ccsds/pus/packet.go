package pus

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/gopacket"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/timecode"
)

// primaryLength is the space packet primary header (CCSDS 133.0-B-2 §4.1.3).
const primaryLength = ccsds.PacketHeaderLength

// maxPacketData is the largest packet data field, 133.0-B-2 §4.1.3.5.3.
const maxPacketData = ccsds.MaxPacketLength - ccsds.PacketHeaderLength

// Telecommand is a whole telecommand packet, taken apart. Its Payload is the
// message.
type Telecommand struct {
	APID    ccsds.APID
	Seq     uint16
	Request RequestID
	TC
}

// Telemetry is a whole telemetry packet, taken apart. Its Payload is the
// message.
type Telemetry struct {
	APID ccsds.APID
	Seq  uint16
	TM
}

// BuildTC makes a telecommand space packet, unsegmented, with its checksum.
func BuildTC(apid ccsds.APID, seq uint16, ack Ack, service, subtype uint8, source uint16, data []byte) ([]byte, error) {
	t := TC{Ack: ack, Service: service, Subtype: subtype, Source: source}
	p, err := appendPrimary(nil, 1, apid, seq, tcHeaderLength+len(data)+pecLength)
	if err != nil {
		return nil, fmt.Errorf("build TC[%d,%d]: %w", service, subtype, err)
	}
	p = append(p, make([]byte, tcHeaderLength)...)
	t.putHeader(p[primaryLength:])
	return appendPEC(append(p, data...)), nil
}

// BuildTM makes a telemetry space packet, unsegmented, with its checksum.
func BuildTM(apid ccsds.APID, seq uint16, service, subtype uint8, count, dest uint16,
	at timecode.Instant, quality timecode.Quality, data []byte) ([]byte, error) {
	t := TM{Quality: quality, Service: service, Subtype: subtype, Count: count, Destination: dest, Time: at}
	p, err := appendPrimary(nil, 0, apid, seq, tmHeaderLength+len(data)+pecLength)
	if err == nil {
		p, err = t.appendHeader(p)
	}
	if err != nil {
		return nil, fmt.Errorf("build TM[%d,%d]: %w", service, subtype, err)
	}
	return appendPEC(append(p, data...)), nil
}

// ParseTC takes a telecommand packet apart and checks length, checksum and
// header. The error is always a *Refusal. The result refers to packet.
func ParseTC(packet []byte) (Telecommand, error) {
	t := Telecommand{}
	refuse := &Refusal{}
	if t.Request, refuse.Known = RequestIDOf(packet); refuse.Known {
		refuse.Request = t.Request
	}
	if err := checkPacket(packet, 1); err != nil {
		refuse.explain(err)
		return Telecommand{}, refuse
	}
	if err := t.DecodeFromBytes(packet[primaryLength:], gopacket.NilDecodeFeedback); err != nil {
		refuse.Code, refuse.Text, refuse.Err = FailureBadHeader, err.Error(), err
		return Telecommand{}, refuse
	}
	t.APID, t.Seq = t.Request.APID(), t.Request.Seq()
	return t, nil
}

// ParseTM takes a telemetry packet apart and checks length, checksum and
// header. The error is always a *Refusal. The result refers to packet.
func ParseTM(packet []byte) (Telemetry, error) {
	t := Telemetry{}
	refuse := &Refusal{}
	if refuse.Request, refuse.Known = RequestIDOf(packet); refuse.Known {
		t.APID, t.Seq = refuse.Request.APID(), refuse.Request.Seq()
	}
	if err := checkPacket(packet, 0); err != nil {
		refuse.explain(err)
		return Telemetry{}, refuse
	}
	if err := t.DecodeFromBytes(packet[primaryLength:], gopacket.NilDecodeFeedback); err != nil {
		refuse.Code, refuse.Text, refuse.Err = FailureBadHeader, err.Error(), err
		return Telemetry{}, refuse
	}
	return t, nil
}

// Refuse makes a refusal that names this telecommand.
func (t *Telecommand) Refuse(code Failure, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Text: fmt.Sprintf(format, args...), Request: t.Request, Known: true}
}

// Check refuses a telecommand whose service and subtype are none of the
// craft's, or whose message does not decode. A nil error is a nil error: the
// result can be compared.
func (t *Telecommand) Check(f Form) error {
	var err error
	switch [2]uint8{t.Service, t.Subtype} {
	case [2]uint8{ServiceFunction, PerformFunction}:
		_, err = DecodeFunction(t.Payload)
	case [2]uint8{ServiceTime, SetTime}:
		_, err = DecodeTimeSetting(t.Payload)
	case [2]uint8{ServiceSchedule, ScheduleInsert}:
		_, err = f.DecodeInsertion(t.Payload)
	case [2]uint8{ServiceTenant, TenantCommand}:
		_, err = DecodeTenantData(t.Payload)
	case [2]uint8{ServiceSchedule, ScheduleEnable}, [2]uint8{ServiceSchedule, ScheduleDisable},
		[2]uint8{ServiceSchedule, ScheduleReset}, [2]uint8{ServiceTest, AreYouAlive}:
		err = newReader(fmt.Sprintf("TC[%d,%d]", t.Service, t.Subtype), t.Payload).end()
	case [2]uint8{ServiceSecurity, SecurityCommand}: // package sdls reads it
	default:
		k := tcKind(t.Service, t.Subtype)
		if BodyType(k) == nil {
			return t.Refuse(FailureIllegalType, "%s", k)
		}
		_, err = f.Decode(k, t.Payload)
	}
	if err != nil {
		r := t.Refuse(FailureBadData, "%v", err)
		r.Err = err
		return r
	}
	return nil
}

func (r *Refusal) explain(err error) {
	r.Text, r.Err = err.Error(), err
	switch {
	case errors.Is(err, ccsds.ErrLength), errors.Is(err, ccsds.ErrTruncated):
		r.Code = FailureBadLength
	case errors.Is(err, ccsds.ErrChecksum):
		r.Code = FailureBadChecksum
	default:
		r.Code = FailureBadHeader
	}
}

// checkPacket looks at what surrounds the secondary header: the primary header
// says the packet's real length, its type and that a secondary header follows,
// and the checksum holds.
func checkPacket(packet []byte, kind byte) error {
	n, err := ccsds.PacketLength(packet)
	switch {
	case err != nil:
		return err
	case n != len(packet):
		return ccsds.Errorf("pus packet", 4, ccsds.ErrLength, "header says %d octets, packet has %d", n, len(packet))
	case n <= primaryLength+pecLength:
		return ccsds.Errorf("pus packet", 4, ccsds.ErrLength, "%d octets hold no message", n)
	case ccsds.CRC16(packet) != 0:
		// The remainder over data and its own checksum is zero (annex B.1.5).
		return ccsds.Errorf("pus packet", n-pecLength, ccsds.ErrChecksum, "packet error control does not match")
	case packet[0]>>4&1 != kind:
		return ccsds.Errorf("pus packet", 0, nil, "packet type %d, want %d", packet[0]>>4&1, kind)
	case packet[0]>>3&1 == 0:
		return ccsds.Errorf("pus packet", 0, nil, "no secondary header")
	case packet[2]>>6 != 3:
		return ccsds.Errorf("pus packet", 2, nil, "segmented packet")
	}
	return nil
}

func appendPrimary(dst []byte, kind uint16, apid ccsds.APID, seq uint16, length int) ([]byte, error) {
	if !apid.Valid() {
		return nil, fmt.Errorf("APID %d has more than 11 bits", apid)
	}
	if length > maxPacketData {
		return nil, fmt.Errorf("packet data field of %d octets, at most %d", length, maxPacketData)
	}
	dst = binary.BigEndian.AppendUint16(dst, kind<<12|1<<11|uint16(apid))
	dst = binary.BigEndian.AppendUint16(dst, 3<<14|seq&0x3FFF)
	return binary.BigEndian.AppendUint16(dst, uint16(length-1)), nil
}

func appendPEC(packet []byte) []byte {
	return binary.BigEndian.AppendUint16(packet, ccsds.CRC16(packet))
}

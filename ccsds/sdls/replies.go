package sdls

import (
	"encoding/binary"

	"github.com/perilune/perilune/ccsds"
)

// Status is what the recipient says of an association: Last is the tag of the procedure that
// changed it last, 0 if none has.
type Status struct {
	SPI  uint16
	Last byte
}

// State is the state that the last procedure leaves an association in; first is the state of
// one that no procedure has changed.
func (s Status) State(first State) State {
	p := Procedure{Group(s.Last >> 4 & 3), s.Last & 15}
	switch p {
	case SAStart:
		return Operational
	case SARekey, SAStop:
		return Keyed
	case SACreate, SAExpire:
		return Unkeyed
	}
	return first
}

// ParseStatus reads the reply to SAStatus.
func ParseStatus(reply PDU) (Status, error) {
	if !reply.Reply || reply.Procedure != SAStatus || len(reply.Data) != 3 {
		return Status{}, ccsds.Errorf("sdls procedure", 0, ccsds.ErrLength, "tag %02x with %d octets is no status", reply.Tag(), len(reply.Data))
	}
	return Status{binary.BigEndian.Uint16(reply.Data), reply.Data[2]}, nil
}

// ParseARSN reads the reply to SAReadARSN.
func ParseARSN(reply PDU) (spi uint16, n uint64, err error) {
	if !reply.Reply || reply.Procedure != SAReadARSN || len(reply.Data) < 3 {
		return 0, 0, ccsds.Errorf("sdls procedure", 0, ccsds.ErrLength, "tag %02x with %d octets is no anti-replay number", reply.Tag(), len(reply.Data))
	}
	n, ok := number(reply.Data[2:])
	if !ok {
		return 0, 0, ccsds.Errorf("sdls procedure", pduHeaderLength+2, ccsds.ErrReserved, "anti-replay number %x", reply.Data[2:])
	}
	return binary.BigEndian.Uint16(reply.Data), n, nil
}

// ParseInventory reads the reply to KeyInventory: key numbers and states.
func ParseInventory(reply PDU) ([]Key, error) {
	const each = 3
	if !reply.Reply || reply.Procedure != KeyInventory || len(reply.Data) < 2 {
		return nil, ccsds.Errorf("sdls procedure", 0, ccsds.ErrLength, "tag %02x with %d octets is no inventory", reply.Tag(), len(reply.Data))
	}
	n := int(binary.BigEndian.Uint16(reply.Data))
	if len(reply.Data) != 2+each*n {
		return nil, ccsds.Errorf("sdls procedure", pduHeaderLength, ccsds.ErrLength, "inventory of %d keys in %d octets", n, len(reply.Data))
	}
	var out []Key
	for b := reply.Data[2:]; len(b) > 0; b = b[each:] {
		if b[2] > byte(Deactivated) {
			return nil, ccsds.Errorf("sdls procedure", pduHeaderLength+len(reply.Data)-len(b)+2, ccsds.ErrReserved, "%s", KeyState(b[2]))
		}
		out = append(out, Key{ID: binary.BigEndian.Uint16(b), State: KeyState(b[2])})
	}
	return out, nil
}

// ParseSelfTest reads the reply to SelfTesting.
func ParseSelfTest(reply PDU) (good bool, err error) {
	if !reply.Reply || reply.Procedure != SelfTesting || len(reply.Data) != 1 {
		return false, ccsds.Errorf("sdls procedure", 0, ccsds.ErrLength, "tag %02x with %d octets is no result of a self-test", reply.Tag(), len(reply.Data))
	}
	return reply.Data[0] == selfTestGood, nil
}

// ParseLogStatus reads the reply to LogStatus or EraseLog.
func ParseLogStatus(reply PDU) (events, room uint16, err error) {
	if !reply.Reply || reply.Procedure != LogStatus && reply.Procedure != EraseLog || len(reply.Data) != 4 {
		return 0, 0, ccsds.Errorf("sdls procedure", 0, ccsds.ErrLength, "tag %02x with %d octets tells nothing of a log", reply.Tag(), len(reply.Data))
	}
	return binary.BigEndian.Uint16(reply.Data), binary.BigEndian.Uint16(reply.Data[2:]), nil
}

// ParseLog reads the reply to DumpLog.
func ParseLog(reply PDU) ([]LogEvent, error) {
	if !reply.Reply || reply.Procedure != DumpLog {
		return nil, ccsds.Errorf("sdls procedure", 0, ccsds.ErrReserved, "tag %02x is no log", reply.Tag())
	}
	var out []LogEvent
	for b := reply.Data; len(b) > 0; b = b[eventHeader+eventValue:] {
		if len(b) < eventHeader+eventValue || binary.BigEndian.Uint16(b[1:]) != eventValue {
			return nil, ccsds.Errorf("sdls procedure", pduHeaderLength+len(reply.Data)-len(b), ccsds.ErrLength, "event of the log is not of %d octets", eventHeader+eventValue)
		}
		out = append(out, LogEvent{b[0], LogCode(b[3]), binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint64(b[6:])})
	}
	return out, nil
}

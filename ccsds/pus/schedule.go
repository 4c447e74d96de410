package pus

import (
	"encoding/binary"
	"fmt"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/timecode"
)

// maxActivities bounds one TC[11,4]; a space packet holds fewer anyway.
const maxActivities = 4096

// Activity is a telecommand to be released at an instant. Request is a whole
// space packet.
type Activity struct {
	Release timecode.Instant
	Request []byte
}

// EncodeInsert returns the message of TC[11,4]: a count (u16), and for each
// activity its release time and request (ECSS-E-ST-70-41C §8.11.2.4, without
// sub-schedules and groups).
func EncodeInsert(activities []Activity) ([]byte, error) {
	if len(activities) == 0 || len(activities) > maxActivities {
		return nil, fmt.Errorf("encode TC[11,4]: %d activities, 1 to %d", len(activities), maxActivities)
	}
	b := binary.BigEndian.AppendUint16(nil, uint16(len(activities)))
	for i, a := range activities {
		n, err := ccsds.PacketLength(a.Request)
		if err == nil && n != len(a.Request) {
			err = fmt.Errorf("request says %d octets, has %d", n, len(a.Request))
		}
		if err == nil {
			b, err = appendTime(b, a.Release)
		}
		if err != nil {
			return nil, fmt.Errorf("encode TC[11,4] activity %d: %w", i, err)
		}
		b = append(b, a.Request...)
	}
	return b, nil
}

// DecodeInsert reads the message of TC[11,4]. The requests refer to data and
// are checked for length only; the caller parses them.
func DecodeInsert(data []byte) ([]Activity, error) {
	r := newReader("TC[11,4]", data)
	n := int(r.u16())
	if r.err == nil && (n == 0 || n > maxActivities) {
		return nil, dataError(r.what, 0, fmt.Sprintf("%d activities, 1 to %d", n, maxActivities))
	}
	activities := make([]Activity, 0, min(n, len(data)/(timeLength+primaryLength+1)))
	for range n {
		a := Activity{Release: r.time()}
		if r.err != nil {
			return nil, r.err
		}
		length, err := ccsds.PacketLength(data[r.at:])
		if err != nil {
			return nil, dataError(r.what, r.at, err.Error())
		}
		if a.Request = r.take(length); r.err != nil {
			return nil, r.err
		}
		activities = append(activities, a)
	}
	return activities, r.end()
}

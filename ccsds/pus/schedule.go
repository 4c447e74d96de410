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
	Group   uint16 // 0: none
	Release timecode.Instant
	Request []byte
}

// Insertion is TC[11,4]: activities for one sub-schedule.
type Insertion struct {
	SubSchedule uint16
	Activities  []Activity
}

// EncodeInsert is EncodeInsertion of the zero Form.
func EncodeInsert(activities []Activity) ([]byte, error) {
	return Form{}.EncodeInsertion(Insertion{Activities: activities})
}

// EncodeInsertion returns the message of TC[11,4]: the sub-schedule (u16, if the form has
// it), a count (u16), and for each activity its group (u16, if the form has it), release
// time and request (ECSS-E-ST-70-41C §8.11.2.4).
func (f Form) EncodeInsertion(in Insertion) ([]byte, error) {
	activities := in.Activities
	if len(activities) == 0 || len(activities) > maxActivities {
		return nil, fmt.Errorf("encode TC[11,4]: %d activities, 1 to %d", len(activities), maxActivities)
	}
	var b []byte
	if f.SubSchedules {
		b = binary.BigEndian.AppendUint16(b, in.SubSchedule)
	} else if in.SubSchedule != 0 {
		return nil, fmt.Errorf("encode TC[11,4]: sub-schedule %d, but this craft's messages have none", in.SubSchedule)
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(activities)))
	for i, a := range activities {
		n, err := ccsds.PacketLength(a.Request)
		if err == nil && n != len(a.Request) {
			err = fmt.Errorf("request says %d octets, has %d", n, len(a.Request))
		}
		if err == nil && a.Group != 0 && !f.Groups {
			err = fmt.Errorf("group %d, but this craft's messages have none", a.Group)
		}
		if f.Groups {
			b = binary.BigEndian.AppendUint16(b, a.Group)
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

// DecodeInsert is DecodeInsertion of the zero Form.
func DecodeInsert(data []byte) ([]Activity, error) {
	in, err := Form{}.DecodeInsertion(data)
	return in.Activities, err
}

// DecodeInsertion reads the message of TC[11,4]. The requests refer to data and
// are checked for length only; the caller parses them.
func (f Form) DecodeInsertion(data []byte) (in Insertion, err error) {
	r := newReader("TC[11,4]", data)
	if f.SubSchedules {
		in.SubSchedule = r.u16()
	}
	n := int(r.u16())
	if r.err == nil && (n == 0 || n > maxActivities) {
		return Insertion{}, dataError(r.what, r.at-2, fmt.Sprintf("%d activities, 1 to %d", n, maxActivities))
	}
	activities := make([]Activity, 0, min(n, len(data)/(timeLength+primaryLength+1)))
	for range n {
		var a Activity
		if f.Groups {
			a.Group = r.u16()
		}
		if a.Release = r.time(); r.err != nil {
			return Insertion{}, r.err
		}
		length, err := ccsds.PacketLength(data[r.at:])
		if err != nil {
			return Insertion{}, dataError(r.what, r.at, err.Error())
		}
		if a.Request = r.take(length); r.err != nil {
			return Insertion{}, r.err
		}
		activities = append(activities, a)
	}
	if err := r.end(); err != nil {
		return Insertion{}, err
	}
	in.Activities = activities
	return in, nil
}

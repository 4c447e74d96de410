package pus_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
)

// again makes a message and what its decoder makes of one.
type again struct {
	make func(t *rapid.T) ([]byte, error)
	read func(octets []byte) ([]byte, error)
}

// verification is a report of service 1 with all that its subtype carries.
func verification(subtype uint8) again {
	return again{
		func(t *rapid.T) ([]byte, error) {
			v := pus.Verification{Subtype: subtype, Request: pus.RequestID(rapid.Uint32().Draw(t, "request"))}
			if v.Failed() {
				v.Code, v.Text = pus.Failure(rapid.Uint16().Draw(t, "code")), rapid.StringN(0, 10, 30).Draw(t, "text")
			}
			if subtype == pus.ProgressSuccess || subtype == pus.ProgressFailure {
				v.Step = rapid.Uint16().Draw(t, "step")
			}
			return v.Encode()
		},
		func(octets []byte) ([]byte, error) {
			v, err := pus.DecodeVerification(subtype, octets)
			if err != nil {
				return nil, err
			}
			return v.Encode()
		},
	}
}

func event(severity uint8) again {
	return again{
		func(t *rapid.T) ([]byte, error) {
			return pus.Event{Severity: severity, ID: pus.EventID(rapid.Uint16().Draw(t, "id")), Text: rapid.StringN(0, 10, 30).Draw(t, "text")}.Encode()
		},
		func(octets []byte) ([]byte, error) {
			e, err := pus.DecodeEvent(severity, octets)
			if err != nil {
				return nil, err
			}
			return e.Encode()
		},
	}
}

var report = again{
	func(t *rapid.T) ([]byte, error) {
		return pus.EncodeReport(rapid.Uint16().Draw(t, "structure"), rapid.SliceOfN(rapid.Byte(), 0, 12).Draw(t, "octets")), nil
	},
	func(octets []byte) ([]byte, error) {
		sid, parameters, err := pus.DecodeReport(octets)
		return pus.EncodeReport(sid, parameters), err
	},
}

var function = again{
	func(t *rapid.T) ([]byte, error) {
		return pus.Function{Name: "mission.start", Arguments: rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "arguments")}.Encode()
	},
	func(octets []byte) ([]byte, error) {
		f, err := pus.DecodeFunction(octets)
		if err != nil {
			return nil, err
		}
		return f.Encode()
	},
}

var setting = again{
	func(t *rapid.T) ([]byte, error) {
		seconds := rapid.Int64Range(0, 1<<31).Draw(t, "time")
		return pus.TimeSetting{Time: timecode.Instant(seconds * 1e9), Quality: timecode.Set}.Encode()
	},
	func(octets []byte) ([]byte, error) {
		s, err := pus.DecodeTimeSetting(octets)
		if err != nil {
			return nil, err
		}
		return s.Encode()
	},
}

var insert = again{
	func(t *rapid.T) ([]byte, error) {
		ping, err := pus.BuildTC(1, rapid.Uint16Range(0, 16383).Draw(t, "sequence"), pus.AckAll, 17, 1, 0, nil)
		if err != nil {
			return nil, err
		}
		return pus.EncodeInsert([]pus.Activity{{Release: timecode.Instant(rapid.Int64Range(0, 1<<31).Draw(t, "time") * 1e9), Request: ping}})
	},
	func(octets []byte) ([]byte, error) {
		a, err := pus.DecodeInsert(octets)
		if err != nil {
			return nil, err
		}
		return pus.EncodeInsert(a)
	},
}

// written are the messages with a codec of their own. A nil one carries no data.
var written = map[pus.Kind]*again{
	{Service: 8, Subtype: 1}: &function, {TM: true, Service: 9, Subtype: 2}: &setting, {Service: 11, Subtype: 4}: &insert,
	{TM: true, Service: 3, Subtype: 25}: &report, {TM: true, Service: 3, Subtype: 26}: &report,
	{Service: 11, Subtype: 1}: nil, {Service: 11, Subtype: 2}: nil, {Service: 11, Subtype: 3}: nil,
	{Service: 17, Subtype: 1}: nil, {TM: true, Service: 17, Subtype: 2}: nil,
}

func init() {
	for _, subtype := range []uint8{1, 2, 3, 4, 5, 6, 7, 8, 10} {
		v := verification(subtype)
		written[pus.Kind{TM: true, Service: 1, Subtype: subtype}] = &v
	}
	for severity := uint8(1); severity <= 4; severity++ {
		e := event(severity)
		written[pus.Kind{TM: true, Service: 5, Subtype: severity}] = &e
	}
}

// Every message of the standard has one codec: its own, or that of EncodeMessage.
func TestCatalogue(t *testing.T) {
	named := map[pus.Kind]bool{}
	for i, m := range pus.Catalogue() {
		_, own := written[m.Kind]
		if known := pus.BodyType(m.Kind) != nil; known == own || m.Name == "" {
			t.Errorf("%s %q: codec of its own %v, of EncodeMessage %v", m.Kind, m.Name, own, known)
		}
		if before := pus.Catalogue()[max(i-1, 0)]; i > 0 && int(before.Service)<<8+int(before.Subtype) >= int(m.Service)<<8+int(m.Subtype) {
			t.Errorf("%s stands after %s", m.Kind, before.Kind)
		}
		named[m.Kind] = true
	}
	for _, k := range pus.Kinds() {
		if !named[k] {
			t.Errorf("%s has a codec and no name", k)
		}
	}
	if len(named) != len(pus.Kinds())+len(written) {
		t.Errorf("%d names, %d and %d codecs", len(named), len(pus.Kinds()), len(written))
	}
}

// Messages with codecs of their own come back as they were, and refuse what is cut or too
// long. TestKindsRoundTrip does the same for the others.
func TestWrittenRoundTrip(t *testing.T) {
	for k, m := range written {
		if m == nil {
			continue
		}
		t.Run(k.String(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				octets, err := m.make(t)
				if err != nil {
					t.Fatal(err)
				}
				if got, err := m.read(octets); err != nil || !bytes.Equal(got, octets) {
					t.Fatalf("%x becomes %x (%v)", octets, got, err)
				}
				n := rapid.IntRange(0, len(octets)-1).Draw(t, "cut")
				if got, err := m.read(octets[:n]); err == nil && !bytes.Equal(got, octets[:n]) {
					t.Fatalf("%x cut to %d octets becomes %x", octets, n, got)
				}
				if got, err := m.read(append(octets, 0)); err == nil && m != &report && k.Service != pus.ServiceEvent {
					t.Fatalf("an octet too many is taken: %x", got)
				}
			})
		})
	}
}

// TM[9,3] is what the day segmented code of timecode says.
func TestDayTime(t *testing.T) {
	octets, err := pus.EncodeMessage(pus.Kind{TM: true, Service: 9, Subtype: 3}, pus.DayTime{Day: 2, Millisecond: 3, Quality: 1})
	if err != nil {
		t.Fatal(err)
	}
	cds := timecode.CDS{Day: 2}
	at, err := cds.Decode(octets[:6])
	if err != nil {
		t.Fatal(err)
	}
	if again, err := cds.Encode(at); err != nil || fmt.Sprintf("%x", again) != "000200000003" || octets[6] != 1 {
		t.Errorf("%x, and as a time %x (%v)", octets, again, err)
	}
}

// A window carries the ends that its type says, and none of another type is taken.
func TestWindows(t *testing.T) {
	remove := pus.Kind{Service: 11, Subtype: 6}
	at := timecode.Instant(5e9)
	for want, w := range map[string]pus.TimeWindow{
		"00" + "0000" + "0000": {},
		"01" + "00000005000000" + "00000005000000" + "0000" + "0000": {Type: pus.WindowWithin, From: at, To: at},
		"02" + "00000005000000" + "0000" + "0000":                    {Type: pus.WindowFrom, From: at},
		"03" + "00000005000000" + "0000" + "0000":                    {Type: pus.WindowUpTo, To: at},
	} {
		if got, err := pus.EncodeMessage(remove, pus.ActivityFilter{Window: w}); err != nil || fmt.Sprintf("%x", got) != want {
			t.Errorf("%+v: %x, want %s (%v)", w, got, want, err)
		}
	}
	for _, w := range []pus.TimeWindow{{Type: 4}, {Type: pus.WindowAll, From: at}, {Type: pus.WindowFrom, To: at}} {
		if _, err := pus.EncodeMessage(remove, pus.ActivityFilter{Window: w}); err == nil {
			t.Errorf("%+v is taken", w)
		}
	}
	var d *ccsds.DecodeError
	if _, err := pus.DecodeMessage(remove, []byte{4, 0, 0, 0, 0}); err == nil || !errors.As(err, &d) || d.Offset != 0 {
		t.Errorf("window of type 4: %v", err)
	}
}

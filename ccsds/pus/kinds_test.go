package pus_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
)

// Every message of every service comes back as it was, in a whole packet.
func TestKindsRoundTrip(t *testing.T) {
	for _, k := range pus.Kinds() {
		t.Run(k.String(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				body := reflect.New(pus.BodyType(k)).Elem()
				draw(t, body)
				octets, err := full.Encode(k, body.Interface())
				if err != nil {
					t.Fatal(err)
				}
				if octets, err = throughPacket(k, octets); err != nil {
					t.Fatal(err)
				}
				got, err := full.Decode(k, octets)
				if err != nil || !sameBody(body, reflect.ValueOf(got)) {
					t.Fatalf("%+v comes back as %+v (%v)", body, got, err)
				}
				if again, err := full.Encode(k, got); err != nil || !bytes.Equal(again, octets) {
					t.Fatalf("%x becomes %x (%v)", octets, again, err)
				}
				if n := len(octets); n > 0 {
					n = rapid.IntRange(0, n-1).Draw(t, "cut")
					if _, err := full.Decode(k, octets[:n]); err == nil && !strings.Contains(body.Type().Name(), "LargePart") {
						t.Fatalf("%x cut to %d octets is taken", octets, n)
					}
				}
				if _, err := full.Decode(k, append(octets, 0)); err == nil && !strings.Contains(body.Type().Name(), "LargePart") {
					t.Fatal("an octet too many is taken")
				}
			})
		})
	}
}

func throughPacket(k pus.Kind, octets []byte) ([]byte, error) {
	if k.TM {
		p, err := pus.BuildTM(1, 0, k.Service, k.Subtype, 0, 0, 0, timecode.Set, octets)
		if err != nil {
			return nil, err
		}
		tm, err := pus.ParseTM(p)
		return tm.Payload, err
	}
	p, err := pus.BuildTC(1, 0, pus.AckAll, k.Service, k.Subtype, 0, octets)
	if err != nil {
		return nil, err
	}
	tc, err := pus.ParseTC(p)
	return tc.Payload, err
}

// All services are there, with the numbers of messages that the package promises.
func TestKinds(t *testing.T) {
	got := map[uint8]int{}
	for _, k := range pus.Kinds() {
		got[k.Service]++
	}
	want := map[uint8]int{3: 30, 5: 4, 9: 2, 11: 23, 17: 2, 4: 9, 6: 22, 12: 28, 13: 7, 14: 16, 15: 37, 19: 11, 20: 7, 21: 14, 22: 28, 23: 24}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("messages by service: %v, want %v", got, want)
	}
	if s := (pus.Kind{Service: 4, Subtype: 1}).String() + (pus.Kind{TM: true, Service: 4, Subtype: 2}).String(); s != "TC[4,1]TM[4,2]" {
		t.Errorf("kinds print as %s", s)
	}
}

// Messages worked out by hand, field by field.
func TestMessagesByHand(t *testing.T) {
	ping, err := pus.BuildTC(1, 5, pus.AckAll, 17, 1, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	for want, m := range map[string]struct {
		kind pus.Kind
		body any
	}{
		"01":           {pus.Kind{Service: 4, Subtype: 1}, pus.StatisticsRequest{Reset: true}},
		"000200070009": {pus.Kind{Service: 12, Subtype: 1}, pus.IDs{IDs: []uint16{7, 9}}},
		"":             {pus.Kind{Service: 22, Subtype: 1}, pus.None{}},
		"0003" + "0001" + "0000000000001000" + "0002beef" + "1234": {pus.Kind{Service: 6, Subtype: 2}, pus.RawLoad{
			Memory: 3, Areas: []pus.RawData{{Start: 0x1000, Data: pus.Octets{0xBE, 0xEF}, Checksum: 0x1234}}}},
		"0004" + "0002" + "aabbcc": {pus.Kind{TM: true, Service: 13, Subtype: 2}, pus.LargePart{Transaction: 4, Number: 2, Data: pus.Part{0xAA, 0xBB, 0xCC}}},
		"0001" + "0064" + "0002" + "03" + "0001" + "19" + "05" + "0000": {pus.Kind{Service: 14, Subtype: 1}, pus.ReportTypes{Processes: []pus.ProcessReports{
			{APID: 100, Services: []pus.ServiceReports{{Service: 3, Subtypes: []uint8{25}}, {Service: 5}}}}}},
		"0001" + "0001" + "001e" + hex.EncodeToString(ping): {pus.Kind{Service: 19, Subtype: 1}, pus.EventActions{Actions: []pus.EventAction{
			{APID: 1, Event: 30, Request: ping}}}},
		"0001" + "0007" + "41200000": {pus.Kind{Service: 20, Subtype: 3}, pus.ParameterValues{Values: []pus.ParameterValue{
			{Parameter: 7, Value: pus.Value{0x41, 0x20, 0, 0}}}}},
		"ffffffff" + "00000001" + "0001" + "0002" + "0003" + "0004": {pus.Kind{Service: 22, Subtype: 7}, pus.PositionShift{
			Orbits: -1, Angle: 1, Requests: []pus.RequestName{{Source: 2, APID: 3, Seq: 4}}}},
		"0005" + "0001" + "000a" + "0002" + "00006401000003e8" + "0100c800000007d0": {pus.Kind{Service: 3, Subtype: 38}, pus.FunctionalReporting{
			Definition: 5, Processes: []pus.ReportingProcess{{APID: 10, Structures: []pus.ReportingStructure{
				{SID: 100, Enabled: true, Period: 1000}, {Diagnostic: true, SID: 200, Period: 2000}}}}}},
		"00042f746d70" + "0001" + "61" + "0000000000000400" + "00": {pus.Kind{Service: 23, Subtype: 1}, pus.FileCreate{Repository: "/tmp", Name: "a", Size: 1024}},
	} {
		got, err := pus.Form{Widths: &widths}.Encode(m.kind, m.body)
		if err != nil || hex.EncodeToString(got) != want {
			t.Errorf("%s: %x, want %s (%v)", m.kind, got, want, err)
		}
	}
}

func TestMessagesRefused(t *testing.T) {
	enable := pus.Kind{Service: 12, Subtype: 1}
	for name, err := range map[string]error{
		"unknown":      encode(pus.Kind{Service: 99}, pus.None{}),
		"other body":   encode(enable, pus.None{}),
		"no body":      encode(enable, nil),
		"many":         encode(enable, pus.IDs{IDs: make([]uint16, 65536)}),
		"too long":     encode(enable, pus.IDs{IDs: make([]uint16, 40000)}),
		"no packet":    encode(pus.Kind{Service: 21, Subtype: 1}, pus.SequenceLoad{Steps: []pus.SequenceStep{{Request: pus.Packet{1}}}}),
		"long value":   encode(pus.Kind{Service: 20, Subtype: 3}, pus.ParameterValues{Values: []pus.ParameterValue{{Value: make(pus.Value, 70000)}}}),
		"whose value":  encode(pus.Kind{Service: 20, Subtype: 3}, pus.ParameterValues{Values: []pus.ParameterValue{{Parameter: 7, Value: pus.Value{1}}}}),
		"value of":     decode(pus.Kind{Service: 20, Subtype: 3}, "0001000741200000"),
		"wrong check":  encode(pus.Kind{Service: 12, Subtype: 5}, pus.MonitoringDefinitions{Definitions: []pus.MonitoringDefinition{{Criteria: pus.Criteria{Check: 1, Unexpected: 3}}}}),
		"long text":    encode(pus.Kind{Service: 23, Subtype: 2}, pus.FileName{Name: strings.Repeat("x", 70000)}),
		"early time":   encode(pus.Kind{Service: 15, Subtype: 11}, pus.StoreTimes{At: -1}),
		"cut":          decode(enable, "000200070"[:8]),
		"no such":      decode(pus.Kind{TM: true, Service: 12, Subtype: 1}, ""),
		"left over":    decode(enable, "000000"),
		"truth of 2":   decode(pus.Kind{Service: 4, Subtype: 1}, "02"),
		"packet cut":   decode(pus.Kind{Service: 19, Subtype: 1}, "00010001001e1801c0000009ff"),
		"packet shape": decode(pus.Kind{Service: 19, Subtype: 1}, "00010001001eff01c0000000ff"),
	} {
		if err == nil {
			t.Errorf("%s: is taken", name)
		}
	}
	var d *ccsds.DecodeError
	if err := decode(enable, "0002000700"); !errors.As(err, &d) || d.Offset != 4 {
		t.Errorf("cut message: %v", err)
	}
}

func encode(k pus.Kind, body any) error { _, err := pus.EncodeMessage(k, body); return err }

func decode(k pus.Kind, octets string) error {
	b, err := hex.DecodeString(octets)
	if err != nil {
		panic(err)
	}
	_, err = pus.DecodeMessage(k, b)
	return err
}

// FuzzKinds: no message panics its decoder, and what decodes encodes to the same, except
// times and figures that have more than one form.
func FuzzKinds(f *testing.F) {
	kinds := pus.Kinds()
	for i := range kinds {
		f.Add(uint8(i), []byte{0, 1, 0, 2, 0, 3, 0, 4, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	}
	f.Fuzz(func(t *testing.T, n uint8, octets []byte) {
		k := kinds[int(n)%len(kinds)]
		body, err := full.Decode(k, octets)
		if err != nil {
			return
		}
		again, err := full.Encode(k, body)
		if err != nil {
			return // a time may round up past the last that fits
		}
		if len(again) != len(octets) {
			t.Fatalf("%s: %x becomes %x", k, octets, again)
		}
		if k.Service != 4 && k.Service != 11 && k.Service != 12 && k.Service != 15 && !bytes.Equal(again, octets) {
			t.Fatalf("%s: %x becomes %x", k, octets, again)
		}
	})
}

// The fields that a mission may leave out stand where ECSS-E-ST-70-41C has them: in TC[11,4]
// the sub-schedule in front of the count and the group in front of the time, in TM[11,13] both
// in front of the time, in TC[3,1] the arrays behind the parameters. Octets written out by hand.
func TestForm(t *testing.T) {
	name := pus.RequestName{Source: 7, APID: 1, Seq: 3}
	for _, c := range []struct {
		form pus.Form
		kind pus.Kind
		body any
		want string
	}{
		{full, pus.Kind{TM: true, Service: 11, Subtype: 13}, pus.ActivitySummary{Activities: []pus.ActivityName{{SubSchedule: 2, Group: 5, Request: name}}},
			"0001" + "0002" + "0005" + "00000000000000" + "000700010003"},
		{pus.Form{Groups: true}, pus.Kind{TM: true, Service: 11, Subtype: 13}, pus.ActivitySummary{Activities: []pus.ActivityName{{Group: 5, Request: name}}},
			"0001" + "0005" + "00000000000000" + "000700010003"},
		{pus.Form{}, pus.Kind{TM: true, Service: 11, Subtype: 13}, pus.ActivitySummary{Activities: []pus.ActivityName{{Request: name}}},
			"0001" + "00000000000000" + "000700010003"},
		{full, pus.Kind{Service: 3, Subtype: 1}, pus.StructureDefinition{SID: 20, Period: 1000, Parameters: []uint16{3},
			Arrays: []pus.SampleArray{{Samples: 4, Parameters: []uint16{1, 2}}}}, "0014" + "000003e8" + "0001" + "0003" + "0001" + "0004" + "0002" + "0001" + "0002"},
		{pus.Form{}, pus.Kind{Service: 3, Subtype: 1}, pus.StructureDefinition{SID: 20, Period: 1000, Parameters: []uint16{3}}, "0014" + "000003e8" + "0001" + "0003"},
	} {
		got, err := c.form.Encode(c.kind, c.body)
		if err != nil || hex.EncodeToString(got) != c.want {
			t.Errorf("%s in %+v: %x, want %s (%v)", c.kind, c.form, got, c.want, err)
		}
	}
	if _, err := pus.EncodeMessage(pus.Kind{TM: true, Service: 11, Subtype: 13}, pus.ActivitySummary{Activities: []pus.ActivityName{{Group: 5}}}); err == nil {
		t.Error("a group is lost silently")
	}
	ping, err := pus.BuildTC(1, 3, pus.AckAll, 17, 1, 7, nil)
	if err != nil {
		t.Fatal(err)
	}
	in := pus.Insertion{SubSchedule: 2, Activities: []pus.Activity{{Group: 5, Request: ping}}}
	got, err := full.EncodeInsertion(in)
	if want := "0002" + "0001" + "0005" + "00000000000000" + hex.EncodeToString(ping); err != nil || hex.EncodeToString(got) != want {
		t.Errorf("TC[11,4]: %x, want %s (%v)", got, want, err)
	}
	back, err := full.DecodeInsertion(got)
	if err != nil || !reflect.DeepEqual(back, in) {
		t.Errorf("comes back as %+v (%v)", back, err)
	}
	if _, err := (pus.Form{SubSchedules: true}).EncodeInsertion(in); err == nil {
		t.Error("the group of an activity is lost silently")
	}
}

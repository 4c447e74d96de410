package database_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/missions/database"
)

const addition = `
name = "lab"
[[apid]]
id = 64
name = "acme"
[[parameter]]
id = 1000
name = "beacon_count"
type = "uint32"
[[parameter]]
id = 1001
name = "beacon_temperature"
type = "int16"
unit = "degC"
polynomial = [0, 0.1]
[[telemetry]]
tenant = "acme"
mission = "beacon"
parameters = ["beacon_count", "beacon_temperature"]
[[event]]
id = 1000
name = "beacon hot"
severity = "low"
[[command]]
name = "beacon.period"
tenant = "acme"
mission = "beacon"
arguments = [{ name = "seconds", type = "uint16", range = [1, 600] }]
`

func extended(t *testing.T) *database.Database {
	t.Helper()
	d, err := database.ParseExtension(database.Default(), []byte(addition), "lab.toml")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A craft's own database adds to the built-in one, which stays as it is; it goes through JSON,
// by which the command line gets it, and out as XTCE.
func TestExtend(t *testing.T) {
	before := len(database.Default().Parameters)
	d := extended(t)
	if len(database.Default().Parameters) != before || d.Name != "lab" {
		t.Error("the built-in database has changed")
	}
	of := d.TelemetryOf(64, "beacon")
	if of == nil || d.TelemetryOf(65, "beacon") != nil || d.TelemetryOf(64, "other") != nil {
		t.Fatal("whose telemetry it is")
	}
	values, err := d.DecodeTelemetry(of, []byte{0, 0, 0, 7, 0xFF, 0x38})
	if got := database.Format(values); err != nil || got != "beacon_count=7, beacon_temperature=-20 degC" {
		t.Errorf("%s (%v)", got, err)
	}
	if _, err := d.DecodeTelemetry(of, []byte{0, 0}); !errors.Is(err, database.ErrShort) {
		t.Errorf("a cut report: %v", err)
	}
	packet, err := d.Request("beacon.period seconds=30", 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	tc, err := pus.ParseTC(packet)
	if err != nil || tc.APID != 64 || tc.Service != 128 || tc.Subtype != 1 || string(tc.Payload) != "\x06beacon\x00\x1e" {
		t.Errorf("%+v (%v)", tc, err)
	}
	data, err := json.Marshal(d)
	back := &database.Database{}
	if err == nil {
		err = json.Unmarshal(data, back)
	}
	form := d.Form
	form.Widths = nil // of the packets that somebody who has it codes, not of JSON
	if err != nil || !reflect.DeepEqual(back.Commands, d.Commands) || !reflect.DeepEqual(back.Telemetry, d.Telemetry) || back.Form != form {
		t.Errorf("it does not go through JSON (%v)", err)
	}
	x := xml.NewDecoder(strings.NewReader(string(d.XTCE())))
	for err == nil {
		_, err = x.Token()
	}
	if !errors.Is(err, io.EOF) || !strings.Contains(string(d.XTCE()), `name="acme_beacon"`) || !strings.Contains(string(d.XTCE()), `name="event_41"`) {
		t.Errorf("XTCE: %v", err)
	}
	if page := string(d.Markdown()); !strings.Contains(page, "acme/beacon") || !strings.Contains(page, "TC[128,1] to acme/beacon") {
		t.Error("the page does not have it")
	}
}

// What is wrong in an addition is said with its line.
func TestExtensionWrong(t *testing.T) {
	for change, want := range map[string][2]string{
		"id taken":       {"id = 1001\n", "id = 1000\n"},
		"low id":         {"id = 1001\n", "id = 2\n"},
		"a name is used": {`"beacon_temperature"`, `"uptime"`},
		"no tenant":      {`tenant = "acme"`, `tenant = "other"`},
		"flight's":       {`["beacon_count", "beacon_temperature"]`, `["uptime"]`},
		"event's id":     {"id = 1000\nname = \"beacon hot\"", "id = 1\nname = \"beacon hot\""},
		"unknown key":    {"severity", "severty"},
		"a structure":    {"[[telemetry]]", "[[structure]]\nsid=9\nname=\"x\"\nparameters=[\"mode\"]\n[[telemetry]]"},
		"form":           {"[[apid]]", "[form]\ngroups = true\n[[apid]]"},
		"service too":    {`name = "beacon.period"`, "name = \"beacon.period\"\nservice = 17"},
		"apid taken":     {"id = 64", "id = 1"},
	} {
		text := strings.Replace(addition, want[0], want[1], 1)
		if text == addition {
			t.Fatalf("%s: nothing changed", change)
		}
		_, err := database.ParseExtension(database.Default(), []byte(text), "lab.toml")
		if err == nil || !strings.HasPrefix(err.Error(), "lab.toml:") || strings.HasPrefix(err.Error(), "lab.toml:1:") {
			t.Errorf("%s: %v", change, err)
		}
	}
}

// The fields of an event stand behind its text, and come back by name.
func TestEventFields(t *testing.T) {
	d := database.Default()
	of := d.EventByID(uint16(pus.EventPlanReleased))
	data, err := of.Encode(uint16(7), uint16(1), uint16(300), timecode.Instant(0))
	if err != nil {
		t.Fatal(err)
	}
	message, err := pus.Event{Severity: pus.EventInfo, ID: pus.EventPlanReleased, Text: "x", Data: data}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	ev, err := pus.DecodeEvent(pus.EventInfo, message)
	if err != nil {
		t.Fatal(err)
	}
	values, err := of.Decode(ev.Data)
	if got := database.Format(values); err != nil || !strings.HasPrefix(got, "source=7, apid=1, packet=300, release=1958-01-01T") && !strings.HasPrefix(got, "source=7, apid=1, packet=300, release=1957-12-31T") {
		t.Errorf("%s (%v)", got, err)
	}
	if _, err := of.Decode(ev.Data[:3]); !errors.Is(err, database.ErrShort) {
		t.Errorf("cut: %v", err)
	}
	if _, err := of.Encode(1); err == nil {
		t.Error("too few values are taken")
	}
	if values, err := of.Decode(nil); err != nil || values != nil {
		t.Errorf("without fields: %v (%v)", values, err)
	}
}

// FuzzExtension: whatever is in the file, the parser says yes or no, and what it takes can be
// shown.
func FuzzExtension(f *testing.F) {
	f.Add([]byte(addition))
	f.Fuzz(func(t *testing.T, data []byte) {
		if d, err := database.ParseExtension(database.Default(), data, "x.toml"); err == nil {
			_, _ = d.XTCE(), d.Markdown()
		}
	})
}

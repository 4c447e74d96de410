package database_test

import (
	"bytes"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/config"
	"github.com/perilune/perilune/missions/database"
)

// The numbers of events that Go programs use are those of the database.
func TestEventsUpToDate(t *testing.T) {
	want, err := database.Default().EventsGo()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../ccsds/pus/eventids.go")
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("eventids.go is not what flatsat.toml says: go generate ./missions/database (%v)", err)
	}
}

// What flight's own structure has in Go comes out under its names.
func TestDecodeFlight(t *testing.T) {
	d := database.Default()
	h := pus.Housekeeping{UptimeS: 77, Quality: 1, Mode: pus.ModeSafe, Boots: 3, FlightRestarts: 5, FramesUp: 9, RefusedUp: 8,
		SDLSFloor: 1 << 40, ScheduleEnabled: 1, Pending: 250, Guests: 2}
	values, err := d.Decode(d.Structure(pus.SIDFlight), h.Encode())
	if err != nil {
		t.Fatal(err)
	}
	want := "uptime=77 s, time_quality=set, mode=safe, boots=3, flight_restarts=5 (warning), frames_up=9, refused_up=8, " +
		"sdls_floor=1099511627776, schedule_enabled=true, pending=250 (warning), guests=2"
	if got := database.Format(values); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if _, err := d.Decode(d.Structure(pus.SIDFlight), h.Encode()[:31]); !errors.Is(err, database.ErrShort) {
		t.Errorf("a cut report: %v", err)
	}
}

func TestDecodeRows(t *testing.T) {
	d := database.Default()
	rows, err := pus.EncodeGuests([]pus.Guest{{State: pus.GuestRunning, Exit: -1, Tenant: "acme", Mission: "beacon", MemoryMiB: 64}})
	if err != nil {
		t.Fatal(err)
	}
	values, err := d.Decode(d.Structure(pus.SIDGuests), rows)
	want := "0.state=running, 0.exit=-1, 0.tenant=acme, 0.mission=beacon, 0.digest=0000000000000000, 0.memory=64 MiB"
	if got := database.Format(values); err != nil || got != want {
		t.Errorf("got %s (%v)", got, err)
	}
}

// Calibrations worked out by hand.
func TestEngineering(t *testing.T) {
	for _, tt := range []struct {
		field, octets, want string
	}{
		{`type="int8"`, "fe", "x=-2"},
		{`type="uint16"` + "\nunit=\"%\"\npolynomial=[0,0.5]", "0007", "x=3.5 %"},
		{`type="uint8"` + "\npolynomial=[1,2,3]\ncritical=[0,16]", "02", "x=17 (critical)"},
		{`type="uint8"` + "\npoints=[[0,0],[10,100],[20,110]]", "0f", "x=105"},
		{`type="uint8"` + "\npoints=[[0,0],[10,100]]", "14", "x=200"},
		{`type="float32"` + "\nwarning=[0,1]", "7fc00000", "x=NaN (warning)"},
		{`type="float64"`, "3ff8000000000000", "x=1.5"},
		{`type="octets16"`, "0002beef", "x=beef"},
		{`type="text16"`, "00026869", "x=hi"},
		{`type="time"`, "00000000000000", "x=1957-12-31T23:59:50Z"},
	} {
		d, err := database.Parse([]byte("[[parameter]]\nid=1\nname=\"x\"\n"+tt.field+"\n"), "t")
		if err != nil {
			t.Errorf("%s: %v", tt.field, err)
			continue
		}
		b, _ := hex.DecodeString(tt.octets)
		v, rest, err := d.Parameters[0].Decode(b)
		if tt.field == `type="time"` {
			tt.want = v.String() // the epoch is timecode's business
		}
		if err != nil || len(rest) != 0 || v.String() != tt.want {
			t.Errorf("%s: %v, want %s (%v)", tt.field, v, tt.want, err)
		}
		if _, _, err := d.Parameters[0].Decode(b[:len(b)-1]); err == nil {
			t.Errorf("%s: one octet less is taken", tt.field)
		}
	}
}

func TestBuild(t *testing.T) {
	d := database.Default()
	for _, tt := range []struct {
		command, arguments, want string
	}{
		{"ping", "", ""},
		{"housekeeping.now", "sids=1,2", "000200010002"},
		{"parameter.get", "parameters=uptime,guests", "00020001000b"},
		{"housekeeping.period", "sid=1 period_ms=1000", "00010001000003e8"},
		{"parameter.set", "parameter=time_period value=2000", "0001001e000007d0"},
		{"parameter.set", "parameter=time_period value=1", "error: want 1000 to 3.6e+06"},
		{"parameter.set", "parameter=nope value=1", "error: neither a number"},
		{"parameter.get", "", "error: parameters is missing"},
		{"parameter.get", "parameters=1 more=2", `error: no argument "more"`},
		{"housekeeping.create", "sid=3 period_ms=0 parameters=1", "error: want 16 to 65535"},
		{"store.retrieve", "start=now end=never", "error: is no time"},
		{"position.shift", "orbits=-1 angle=-90", "ffffffffc0000000"},
		{"position.shift", "angle=179.9999999999", "000000007fffffff"},
		{"position.shift", "angle=180", "error: want degrees from -180"},
		{"position.orbit_number", "orbit=2147483648", "error: want 0 to"},
	} {
		arguments := map[string]string{}
		for _, w := range strings.Fields(tt.arguments) {
			k, v, _ := strings.Cut(w, "=")
			arguments[k] = v
		}
		got, err := d.Build(d.Command(tt.command), arguments)
		if want, bad := strings.CutPrefix(tt.want, "error: "); bad {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s %s: %v, want %s", tt.command, tt.arguments, err, want)
			}
		} else if err != nil || hex.EncodeToString(got) != tt.want {
			t.Errorf("%s %s: %x, want %s (%v)", tt.command, tt.arguments, got, tt.want, err)
		}
	}
}

func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		"[[parameter]]\nid=1\nname=\"a\"\ntype=\"uint8\"\nuint=\"s\"":                            "t:5: unknown key",
		"\n[[parameter]]\nid=1\nname=\"a\"\ntype=\"uint9\"":                                      `t:2: parameter 1: a: no type "uint9"`,
		"[[apid]]\nid=1\nname=\"a\"\n[[apid]]\nid=1\nname=\"b\"":                                 "t:4: apid 2: id 1 is there twice",
		"[[apid]]\nid=2047\nname=\"a\"":                                                          "want at most 2039",
		"[[structure]]\nsid=1\nname=\"a\"\nparameters=[\"b\"]":                                   `no parameter "b"`,
		"[[event]]\nid=1\nname=\"a\"\nseverity=\"bad\"":                                          "severity",
		"[[command]]\nname=\"a\"\nservice=1\nsubtype=1\narguments=[{name=\"v\",type=\"value\"}]": "follows a parameter",
		"[[parameter]]\nid=1\nname=\"a\"\ntype=\"uint8\"\npoints=[[1,1]]":                        "one point",
		"[[parameter]]\nid=1\nname=\"a\"\ntype=\"text8\"\nwarning=[0,1]":                         "no limits",
		"[[parameter]]\nid=1\nname=\"a\"\ntype=\"uint8\"\nwarning=[2,1]":                         "want [low, high]",
		"[[function]]\nname=\"Bad Name\"\narguments=[]":                                          "name",
		"[[parameter]]\nid=0\nname=\"a\"\ntype=\"uint8\"":                                        "id 0",
		"[[parameter]]\nid=1\nname=\"a\"\ntype=\"octets\"":                                       "size 0",
	} {
		_, err := database.Parse([]byte(text), "t")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	if _, err := database.Parse([]byte("colour=1"), "t"); !errors.Is(err, config.ErrUnknownKey) {
		t.Errorf("unknown key: %v", err)
	}
}

// The export is XML; that it means what it should is seen in YAMCS, test/interop.
func TestXTCEWellFormed(t *testing.T) {
	dec := xml.NewDecoder(bytes.NewReader(database.Default().XTCE()))
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestMarkdown(t *testing.T) {
	page := string(database.Default().Markdown())
	for _, want := range []string{"| 1 | `uptime` | uint32 | s |", "| TC[17,1] | `ping` |", "| 60 | packet refused | low |"} {
		if !strings.Contains(page, want) {
			t.Errorf("page lacks %s", want)
		}
	}
}

// FuzzDecode: no report of a craft panics the decoder.
func FuzzDecode(f *testing.F) {
	d := database.Default()
	f.Add(uint8(0), pus.Housekeeping{}.Encode())
	f.Add(uint8(1), []byte{1, 2, 0, 0, 4, 'a', 'c', 'm', 'e'})
	f.Fuzz(func(t *testing.T, n uint8, data []byte) {
		values, err := d.Decode(&d.Structures[int(n)%len(d.Structures)], data)
		if err == nil {
			_ = database.Format(values)
		}
	})
}

// FuzzParse: no database panics its reader, nor its exports.
func FuzzParse(f *testing.F) {
	f.Add([]byte("name=\"a\"\n[[parameter]]\nid=1\nname=\"a\"\ntype=\"uint8\"\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if d, err := database.Parse(text, "t"); err == nil {
			_, _ = d.XTCE(), d.Markdown()
		}
	})
}

// Telecommands inside others are written in words; the octets are those of the parts.
func TestRequestsInWords(t *testing.T) {
	d := database.Default()
	ping, err := pus.BuildTC(1, 0, pus.AckAll, 17, 1, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	stop, err := pus.Function{Name: "mission.stop", Arguments: []string{"acme", "beacon"}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if stop, err = pus.BuildTC(1, 1, pus.AckAll, 8, 1, 0, stop); err != nil {
		t.Fatal(err)
	}
	load, err := d.Build(d.Command("sequence.load"), map[string]string{"sequence": "3", "steps": "ping @1500ms; mission.stop acme beacon"})
	if err != nil {
		t.Fatal(err)
	}
	body, err := pus.DecodeMessage(pus.Kind{Service: 21, Subtype: 1}, load)
	want := pus.SequenceLoad{Sequence: 3, Steps: []pus.SequenceStep{{Request: ping, Delay: 1500}, {Request: stop}}}
	if err != nil || !reflect.DeepEqual(body, want) {
		t.Errorf("%+v, want %+v (%v)", body, want, err)
	}
	arrays, err := d.Build(d.Command("housekeeping.create"), map[string]string{"sid": "20", "period_ms": "1000", "parameters": "mode", "arrays": "4:uptime,pending;2:3"})
	if got := hex.EncodeToString(arrays); err != nil || got != "0014000003e800010003"+"0002"+"0004"+"0002"+"0001"+"000a"+"0002"+"0001"+"0003" {
		t.Errorf("arrays %s (%v)", got, err)
	}
	for _, bad := range []string{"", "nothing", "ping @soon", "ping x", "mission.list @-1s", "ping;"} {
		if _, err := d.Build(d.Command("sequence.load"), map[string]string{"sequence": "1", "steps": bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// FuzzRequest: whatever is written in words, the parser says yes or no.
func FuzzRequest(f *testing.F) {
	f.Add("ping @5s; mission.list")
	f.Add("parameter.set parameter=time_period value=5000")
	f.Fuzz(func(t *testing.T, text string) {
		d := database.Default()
		if packet, err := d.Request(text, 1, 2); err == nil {
			if tc, err := pus.ParseTC(packet); err != nil || tc.Source != 2 {
				t.Fatalf("%q makes %x: %v", text, packet, err)
			}
		}
		_, _ = d.Build(d.Command("sequence.load"), map[string]string{"sequence": "1", "steps": text})
		_, _ = d.Build(d.Command("housekeeping.append"), map[string]string{"sid": "20", "parameters": "1", "arrays": text})
	})
}

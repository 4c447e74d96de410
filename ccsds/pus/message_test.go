package pus_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
)

// same fails the test unless decoding what was encoded gives the value back,
// and nothing shorter or longer decodes.
func same[T any](t *rapid.T, v T, data []byte, err error, decode func([]byte) (T, error)) {
	if err != nil {
		t.Fatalf("encode %+v: %v", v, err)
	}
	got, err := decode(data)
	if err != nil || !reflect.DeepEqual(got, v) {
		t.Fatalf("%+v came back as %+v, %v", v, got, err)
	}
	if _, err := decode(append(bytes.Clone(data), 0)); err == nil {
		t.Fatalf("%+v: an octet too many was taken", v)
	}
	if _, err := decode(data[:len(data)-1]); err == nil {
		t.Fatalf("%+v: an octet too few was taken", v)
	}
}

func TestMessagesRoundTrip(t *testing.T) {
	text := rapid.StringN(0, 40, 60)
	rapid.Check(t, func(t *rapid.T) {
		v := pus.Verification{Subtype: rapid.SampledFrom([]uint8{1, 2, 3, 4, 7, 8}).Draw(t, "subtype"), Request: pus.RequestID(rapid.Uint32().Draw(t, "id"))}
		if v.Failed() {
			v.Code, v.Text = pus.Failure(rapid.Uint16().Draw(t, "code")), text.Draw(t, "text")
		}
		b, err := v.Encode()
		same(t, v, b, err, func(b []byte) (pus.Verification, error) { return pus.DecodeVerification(v.Subtype, b) })

		e := pus.Event{Severity: rapid.Uint8Range(1, 4).Draw(t, "severity"), ID: pus.EventID(rapid.Uint16().Draw(t, "event")), Text: text.Draw(t, "text")}
		if b, err = e.Encode(); err != nil {
			t.Fatal(err)
		}
		fields := rapid.SliceOfN(rapid.Byte(), 0, 8).Draw(t, "fields") // behind the text; what they are the database says
		got, err := pus.DecodeEvent(e.Severity, append(bytes.Clone(b), fields...))
		if err != nil || got.Severity != e.Severity || got.ID != e.ID || got.Text != e.Text || !bytes.Equal(got.Data, fields) {
			t.Fatalf("%+v with %x came back as %+v, %v", e, fields, got, err)
		}
		if _, err := pus.DecodeEvent(e.Severity, b[:len(b)-1]); err == nil {
			t.Fatalf("%+v: an octet too few was taken", e)
		}

		at, err := timecode.Default.Decode(rapid.SliceOfN(rapid.Byte(), 7, 7).Draw(t, "time"))
		if err != nil {
			t.Fatal(err)
		}
		s := pus.TimeSetting{Time: at, Quality: timecode.Quality(rapid.Uint8Range(0, 2).Draw(t, "quality"))}
		b, err = s.Encode()
		same(t, s, b, err, pus.DecodeTimeSetting)

		guests := make([]pus.Guest, rapid.IntRange(0, 5).Draw(t, "guests"))
		for i := range guests {
			guests[i] = pus.Guest{State: rapid.Uint8().Draw(t, "state"), Exit: rapid.Int16().Draw(t, "exit"), Tenant: text.Draw(t, "tenant"),
				Mission: text.Draw(t, "mission"), Digest: [8]byte{1, 2, 3}, MemoryMiB: rapid.Uint16().Draw(t, "memory")}
		}
		b, err = pus.EncodeGuests(guests)
		same(t, guests, b, err, pus.DecodeGuests)

		ping, err := pus.BuildTC(1, 2, 0, 17, 1, 0, rapid.SliceOfN(rapid.Byte(), 0, 30).Draw(t, "data"))
		if err != nil {
			t.Fatal(err)
		}
		plan := []pus.Activity{{Release: at, Request: ping}, {Release: at, Request: ping}}
		b, err = pus.EncodeInsert(plan)
		same(t, plan, b, err, pus.DecodeInsert)
	})
}

func TestFunctionRoundTrip(t *testing.T) {
	for _, f := range []pus.Function{
		{Name: pus.FunctionMissionList},
		{Name: pus.FunctionMissionStart, Arguments: []string{"acme", "detector"}},
		{Name: strings.Repeat("x", 24), Arguments: []string{"", strings.Repeat("y", 999)}},
	} {
		b, err := f.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := pus.DecodeFunction(b)
		if err != nil || !reflect.DeepEqual(got, f) {
			t.Errorf("%+v came back as %+v, %v", f, got, err)
		}
	}
	for _, f := range []pus.Function{{}, {Name: strings.Repeat("x", 25)}, {Name: "a b"}, {Name: "a\x00b"}, {Name: "a", Arguments: make([]string, 65)}} {
		if b, err := f.Encode(); err == nil {
			t.Errorf("%+v was encoded as %x", f, b)
		}
	}
	for _, b := range [][]byte{nil, make([]byte, 23), make([]byte, 24), append([]byte("a\x00b"), make([]byte, 21)...),
		append(append([]byte("a"), make([]byte, 23)...), 0, 2, 'x'), append(append([]byte("a"), make([]byte, 23)...), make([]byte, 2*65)...)} {
		if f, err := pus.DecodeFunction(b); err == nil {
			t.Errorf("%x was read as %+v", b, f)
		}
	}
}

func TestHousekeeping(t *testing.T) {
	h := pus.Housekeeping{UptimeS: 1, Quality: 2, Mode: 1, Boots: 3, FlightRestarts: 4, FramesUp: 5, RefusedUp: 6, SDLSFloor: 7, ScheduleEnabled: 1, Pending: 8, Guests: 9}
	b := h.Encode()
	if len(b) != 32 {
		t.Errorf("%d octets", len(b))
	}
	if got, err := pus.DecodeHousekeeping(append(b, 1, 2, 3)); err != nil || got != h {
		t.Errorf("with parameters of a newer craft: %+v, %v", got, err)
	}
	if _, err := pus.DecodeHousekeeping(b[:31]); err == nil {
		t.Error("a short structure was taken")
	}
	sid, rest, err := pus.DecodeReport(pus.EncodeReport(pus.SIDFlight, b))
	if sid != pus.SIDFlight || !bytes.Equal(rest, b) || err != nil {
		t.Errorf("report: %d %x %v", sid, rest, err)
	}
}

func TestTenantData(t *testing.T) {
	d := pus.TenantData{Mission: "detector", Data: []byte{1, 2}}
	b, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := pus.DecodeTenantData(b); err != nil || !reflect.DeepEqual(got, d) {
		t.Errorf("%+v came back as %+v, %v", d, got, err)
	}
	if _, err := pus.DecodeTenantData([]byte{5, 'a'}); err == nil {
		t.Error("a cut name was taken")
	}
}

func TestConsoleText(t *testing.T) {
	c := pus.ConsoleText{Mission: "earth", Answer: true, Run: 7, Start: 1, Offset: 0x0102030405060708, End: 0x010203040506070A, Text: []byte("hi")}
	b, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	want := "\x05earth\x01\x00\x00\x00\x07" + "\x00\x00\x00\x00\x00\x00\x00\x01" + "\x01\x02\x03\x04\x05\x06\x07\x08" + "\x01\x02\x03\x04\x05\x06\x07\x0a" + "hi"
	if string(b) != want {
		t.Errorf("%x, want %x", b, want)
	}
	if got, err := pus.DecodeConsoleText(b); err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("%+v came back as %+v, %v", c, got, err)
	}
	for n := range len(b) - 2 {
		if _, err := pus.DecodeConsoleText(b[:n]); err == nil {
			t.Errorf("%d octets were taken", n)
		}
	}
	for name, c := range map[string]pus.ConsoleText{
		"before the oldest": {Start: 2, Offset: 1, End: 2},
		"behind the end":    {Offset: 3, End: 2},
		"over the end":      {Offset: 1, End: 2, Text: []byte("xy")},
	} {
		if _, err := c.Encode(); err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
	if _, err := pus.DecodeConsoleText(append(b, '!')); err == nil {
		t.Error("text over the end was taken")
	}
}

func TestInsertRefuses(t *testing.T) {
	for _, b := range [][]byte{nil, {0}, {0, 0}, {0xFF, 0xFF}, {0, 1, 0, 0, 0, 0, 0, 0, 0}, {0, 1, 0, 0, 0, 0, 0, 0, 0, 0x18, 1, 0xC0, 0, 0xFF, 0xFF, 1}} {
		if a, err := pus.DecodeInsert(b); err == nil {
			t.Errorf("%x was read as %+v", b, a)
		}
	}
}

// The layers give and take the packet data field as gopacket does.
func TestLayers(t *testing.T) {
	p, err := pus.BuildTM(1, 0, 17, 2, 3, 4, 5_000_000_000, timecode.Free, []byte("message"))
	if err != nil {
		t.Fatal(err)
	}
	packet := gopacket.NewPacket(p[6:], pus.LayerTypeTM, gopacket.Default)
	tm, ok := packet.Layer(pus.LayerTypeTM).(*pus.TM)
	if !ok || string(packet.ApplicationLayer().Payload()) != "message" {
		t.Fatalf("layers: %v", packet)
	}
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{}, tm, gopacket.Payload("message")); err != nil || !bytes.Equal(buf.Bytes(), p[6:]) {
		t.Errorf("TM serialised as %x, %v, want %x", buf.Bytes(), err, p[6:])
	}
	c, err := pus.BuildTC(1, 0, pus.AckAll, 17, 1, 9, []byte("message"))
	if err != nil {
		t.Fatal(err)
	}
	packet = gopacket.NewPacket(c[6:], pus.LayerTypeTC, gopacket.Default)
	tc, ok := packet.Layer(pus.LayerTypeTC).(*pus.TC)
	if !ok {
		t.Fatalf("layers: %v", packet)
	}
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{}, tc, gopacket.Payload("message")); err != nil || !bytes.Equal(buf.Bytes(), c[6:]) {
		t.Errorf("TC serialised as %x, %v, want %x", buf.Bytes(), err, c[6:])
	}
}

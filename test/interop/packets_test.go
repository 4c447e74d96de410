//go:build interop

package interop

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/spp"
	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/missions/database"
)

// same asks the peer and compares the words of its answer.
func (p *peer) same(t *testing.T, want []any, words ...any) {
	t.Helper()
	ask := strings.Fields(fmt.Sprintln(words...))
	if got, want := strings.Join(p.one(ask...), " "), strings.TrimSpace(fmt.Sprintln(want...)); got != want {
		t.Errorf("%s\ngot  %s\nwant %s", ask[0], got, want)
	}
}

func orNone(b []byte) string {
	if len(b) == 0 {
		return "-"
	}
	return hex.EncodeToString(b)
}

// TestSpacePackets makes packets at each end and takes them apart at the other.
func TestSpacePackets(t *testing.T) {
	p := startPeer(t, "peers/packets.py")
	rng := rand.New(rand.NewPCG(133, 2))
	for i := range 200 {
		data := octets(rng, 1+rng.IntN(300))
		want := spp.Packet{Type: spp.Type(rng.IntN(2)), SecondaryHeader: i%3 == 0, APID: ccsds.APID(rng.IntN(2047)),
			SeqFlags: spp.SeqFlags(rng.IntN(4)), SeqCount: uint16(rng.IntN(spp.SeqModulo))}
		raw, err := spp.Append(nil, &want, data)
		if err != nil {
			t.Fatal(err)
		}
		secondary := 0
		if want.SecondaryHeader {
			secondary = 1
		}
		fields := []any{uint8(want.Type), uint16(want.APID), want.SeqCount, uint8(want.SeqFlags), secondary}
		p.same(t, []any{hex.EncodeToString(raw)}, append(append([]any{"space-make"}, fields...), hex.EncodeToString(data))...)
		p.same(t, append(fields, len(raw)), "space-take", hex.EncodeToString(raw))
	}
}

// telecommands and telemetry are messages of the services that the craft knows, with the
// bodies that our encoders make. spacepackets has no bodies but those of service 1 and
// 17: it carries the others as octets.
func messages(t *testing.T) (tcs, tms map[[2]uint8][]byte) {
	must := func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	ping, err := pus.BuildTC(1, 9, pus.AckAll, pus.ServiceTest, pus.AreYouAlive, 3, nil)
	at := timecode.Instant(2e18)
	tcs = map[[2]uint8][]byte{
		{8, 1}:   must(pus.Function{Name: pus.FunctionMissionStart, Arguments: []string{"acme", "echo"}}.Encode()),
		{9, 128}: must(pus.TimeSetting{Time: at, Quality: timecode.Set}.Encode()),
		{11, 1}:  nil, {11, 2}: nil, {11, 3}: nil,
		{11, 4}: must(database.Default().Form.EncodeInsertion(pus.Insertion{Activities: []pus.Activity{{Release: at, Request: must(ping, err)}}})),
		{17, 1}: nil,
	}
	tms = map[[2]uint8][]byte{
		{3, 25}: pus.EncodeReport(pus.SIDFlight, []byte{1, 2, 3}),
		{5, 1}:  must(pus.Event{Severity: 1, ID: pus.EventBoot, Text: "boot"}.Encode()),
		{5, 4}:  must(pus.Event{Severity: 4, ID: pus.EventSafeEntered, Text: "safe"}.Encode()),
		{9, 2}:  {1, 2, 3, 4, 5, 6, 7}, {17, 2}: nil,
	}
	return tcs, tms
}

// TestTelecommands compares telecommand packets of each service both ways.
func TestTelecommands(t *testing.T) {
	p := startPeer(t, "peers/packets.py")
	rng := rand.New(rand.NewPCG(70, 41))
	tcs, _ := messages(t)
	for kind, body := range tcs {
		apid, seq, ack, source := ccsds.APID(rng.IntN(2047)), uint16(rng.IntN(16384)), pus.Ack(rng.IntN(16)), uint16(rng.Uint32())
		raw, err := pus.BuildTC(apid, seq, ack, kind[0], kind[1], source, body)
		if err != nil {
			t.Fatal(err)
		}
		fields := []any{uint16(apid), seq, uint8(ack), kind[0], kind[1], source, orNone(body)}
		p.same(t, fields, "tc-take", hex.EncodeToString(raw))
		theirs := unhex(t, p.one(strings.Fields(fmt.Sprintln(append([]any{"tc-make"}, fields...)...))...)[0])
		got, err := pus.ParseTC(theirs)
		if err != nil || hex.EncodeToString(theirs) != hex.EncodeToString(raw) {
			t.Errorf("TC[%d,%d]: %v\ntheirs %x\nours   %x", kind[0], kind[1], err, theirs, raw)
			continue
		}
		if err := got.Check(database.Default().Form); err != nil {
			t.Errorf("TC[%d,%d] of theirs: %v", kind[0], kind[1], err)
		}
	}
}

// TestTelemetry compares telemetry packets of each service both ways.
func TestTelemetry(t *testing.T) {
	p := startPeer(t, "peers/packets.py")
	rng := rand.New(rand.NewPCG(41, 70))
	_, tms := messages(t)
	for kind, body := range tms {
		apid, seq := ccsds.APID(rng.IntN(2047)), uint16(rng.IntN(16384))
		count, dest, quality := uint16(rng.Uint32()), uint16(rng.Uint32()), timecode.Quality(rng.IntN(3))
		at := timecode.Instant(1 + rng.Int64N(2e18))
		raw, err := pus.BuildTM(apid, seq, kind[0], kind[1], count, dest, at, quality, body)
		if err != nil {
			t.Fatal(err)
		}
		stamp, err := timecode.Default.Append(nil, at)
		if err != nil {
			t.Fatal(err)
		}
		fields := []any{uint16(apid), seq, kind[0], kind[1], count, dest, uint8(quality), hex.EncodeToString(stamp), orNone(body)}
		p.same(t, fields, "tm-take", hex.EncodeToString(raw))
		theirs := unhex(t, p.one(strings.Fields(fmt.Sprintln(append([]any{"tm-make"}, fields...)...))...)[0])
		if _, err := pus.ParseTM(theirs); err != nil || hex.EncodeToString(theirs) != hex.EncodeToString(raw) {
			t.Errorf("TM[%d,%d]: %v\ntheirs %x\nours   %x", kind[0], kind[1], err, theirs, raw)
		}
	}
}

// TestVerification exchanges the reports of service 1 on a telecommand.
func TestVerification(t *testing.T) {
	p := startPeer(t, "peers/packets.py")
	tc, err := pus.BuildTC(1, 77, pus.AckAll, pus.ServiceTest, pus.AreYouAlive, 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	id, _ := pus.RequestIDOf(tc)
	for _, subtype := range []uint8{1, 2, 3, 4, 7, 8} {
		v := pus.Verification{Subtype: subtype, Request: id}
		if v.Failed() {
			v.Code, v.Text = pus.FailureRefused, "no"
		}
		body, err := v.Encode()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := pus.BuildTM(1, 5, pus.ServiceVerification, subtype, 0, 0, 0, timecode.Free, body)
		if err != nil {
			t.Fatal(err)
		}
		p.same(t, []any{subtype, fmt.Sprintf("%08x", uint32(id)), uint16(v.Code)}, "verify-take", hex.EncodeToString(raw))
		// A failure notice is the craft's own: the code and, with its length, a text.
		theirs := unhex(t, p.one("verify-make", fmt.Sprint(subtype), hex.EncodeToString(tc), fmt.Sprint(uint16(v.Code)),
			orNone(notice(body)))[0])
		m, err := pus.ParseTM(theirs)
		if err != nil {
			t.Errorf("TM[1,%d]: %v", subtype, err)
			continue
		}
		if got, err := pus.DecodeVerification(subtype, m.Payload); err != nil || got != v {
			t.Errorf("TM[1,%d]: %+v, %v; want %+v", subtype, got, err, v)
		}
	}
}

// notice is what follows request and code in a report of failure.
func notice(body []byte) []byte {
	if len(body) <= 6 {
		return nil
	}
	return body[6:]
}

package station

import (
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/internal/clock"
)

// A report that came in parts, one of them twice and one late, is read as if it had come whole.
func TestReportInParts(t *testing.T) {
	s, n := quiet(t, clock.NewFake(time.Unix(1e9, 0)))
	data, err := pus.Event{Severity: pus.EventInfo, ID: pus.EventPlanReleased, Text: strings.Repeat("long ", 100)}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	parts, kinds := pus.SplitLarge(true, 3, tm(t, 7, pus.ServiceEvent, pus.EventInfo, data), 200)
	for seq, i := range []int{0, 2, 2, 1} {
		part, err := pus.EncodeMessage(kinds[i], parts[i])
		if err != nil {
			t.Fatal(err)
		}
		s.packet(0, tm(t, uint16(100+seq), pus.ServiceLarge, kinds[i].Subtype, part), 0)
	}
	last := n.events[len(n.events)-1]
	if last.Kind != client.KindEvent || last.Fields["name"] != "plan released" || len(n.events) != 5 {
		t.Errorf("%d events, the last %+v", len(n.events), last)
	}
}

// A telecommand in parts is one command to who sent it; a part that fails ends it.
func TestTelecommandInParts(t *testing.T) {
	s, _ := quiet(t, clock.NewFake(time.Unix(1e9, 0)))
	s.link.State = "lock"
	c, err := s.Send(client.Request{Service: 17, Subtype: 1, Large: true, Data: make([]byte, 2000)})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.commands) != 4 {
		t.Fatalf("%d commands, want the whole and three parts", len(s.commands))
	}
	part := s.commands[2]
	s.packet(0, report(t, 1, pus.Verification{Subtype: pus.CompletionFailure, Request: pus.RequestID(part.request), Code: pus.FailureBadData, Text: "why"}), 0)
	if whole := s.find(c.ID); whole.Stage != client.StageFailed || !strings.Contains(whole.Reason, "why") {
		t.Errorf("the whole is %s: %s", whole.Stage, whole.Reason)
	}
}

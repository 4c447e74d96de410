package services_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
)

// A telecommand that comes in parts is carried out once it is complete, with reports of its
// own; one that stops coming is given up, with TM[13,16].
func TestLargeRequest(t *testing.T) {
	onBoard(t, func(g *ground) {
		var q pus.SequenceLoad
		q.Sequence = 9
		for i := range 150 {
			q.Steps = append(q.Steps, pus.SequenceStep{Request: tc(g.t, uint16(i), pus.AckAll, 17, 1, nil)})
		}
		data, err := pus.EncodeMessage(pus.Kind{Service: 21, Subtype: 1}, q)
		if err != nil {
			g.t.Fatal(err)
		}
		parts, kinds := pus.SplitLarge(false, 1, tc(g.t, 9000, pus.AckAll, 21, 1, data), 500)
		if len(parts) < 4 {
			g.t.Fatalf("%d parts", len(parts))
		}
		for i := range parts {
			g.ok(13, kinds[i].Subtype, parts[i])
		}
		g.ok(13, kinds[1].Subtype, parts[1]) // once more: nothing happens
		g.ok(21, 11, pus.SequenceID{Sequence: 9})
		if got := g.last(21, 12).(pus.SequenceLoad); !reflect.DeepEqual(got, q) {
			g.t.Errorf("%d steps came together", len(got.Steps))
		}
		done := false
		for _, r := range g.find(1, 7) {
			v, err := pus.DecodeVerification(7, r.data)
			done = done || err == nil && v.Request == pus.NewRequestID(1, 9000)
		}
		if !done {
			g.t.Error("the whole has no report of completion")
		}
		g.ok(13, 9, pus.LargePart{Transaction: 2, Number: 1, Data: []byte("x")})
		time.Sleep(9 * time.Minute)
		if n := len(g.find(13, 16)); n != 0 {
			g.t.Errorf("given up after 9 minutes")
		}
		time.Sleep(2 * time.Minute)
		if got := g.last(13, 16).(pus.LargeAbort); got.Transaction != 2 {
			g.t.Errorf("given up: %+v", got)
		}
		if code := g.send(13, 10, pus.LargePart{Transaction: 3, Number: 1}); code != pus.FailureBadData {
			g.t.Errorf("a first part in between: %v", code)
		}
	})
}

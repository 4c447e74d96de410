package ground_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/perilune/perilune/ccsds/channel"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/internal/ids"
)

// What the craft keeps of a console comes down whole and in order, over a link that
// loses frames, and then what is printed, even where all that tells of it is lost.
func TestConsoleText(t *testing.T) {
	w, ctx := world(t)
	g := ids.Guest{Tenant: "acme", Mission: "beacon"}
	var refused *client.RefusedError
	nothing := func(client.ConsoleText) error { return errors.New("there is text") }
	if err := w.Client.Console(ctx, g.Tenant, "silent", false, nothing); !errors.As(err, &refused) {
		t.Fatalf("console of a mission that never ran: %v", err)
	}
	var want strings.Builder
	for i := range 4000 { // more than is kept
		line := fmt.Sprintf("line %d of the beacon\n", i)
		want.WriteString(line)
		w.Craft.Keep(g, line)
	}
	all := want.String()
	for _, follow := range []bool{false, true} {
		ctx, cancel := context.WithCancel(ctx)
		at, dropped := uint64(0), uint64(0)
		var got strings.Builder
		err := w.Client.Console(ctx, g.Tenant, g.Mission, follow, func(c client.ConsoleText) error {
			dropped += c.Dropped
			if at += c.Dropped; c.Offset != at {
				t.Errorf("text at %d, want %d", c.Offset, at)
			}
			at += uint64(len(c.Text))
			got.Write(c.Text)
			switch {
			case strings.HasSuffix(got.String(), "last\n"):
				cancel()
			case follow && at == uint64(len(all)) && strings.HasSuffix(all, "more\n"):
				w.Craft.Keep(g, "last\n") // as if the link had lost it
				all += "last\n"
			case follow && at == uint64(len(all)):
				w.Craft.Print(g, "more\n")
				all += "more\n"
			}
			return nil
		})
		if !follow && err != nil || follow && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		cancel()
		if kept := len(all) - int(dropped); kept < 64<<10 || kept > 64<<10+10 || got.String() != all[dropped:] {
			t.Fatalf("%d octets after %d dropped ones are not the last of %d", got.Len(), dropped, len(all))
		}
	}
	status, err := w.Client.Status(ctx)
	if err != nil || status.Link.Bad == 0 {
		t.Errorf("%d bad frames, %v: the link was too good to show anything", status.Link.Bad, err)
	}
	t.Logf("%d bad frames of %d", status.Link.Bad, status.Link.Bad+status.Link.Frames)
}

func TestConsoleAndTenantData(t *testing.T) {
	w, ctx := world(t)
	// Text is said once: let RS repair all of the noise on the way down, once there is a link.
	w.Craft.With(func(_, down *channel.Channel) { down.SetBER(1e-3) })
	if _, err := w.Client.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	w.Craft.Print(ids.Guest{Tenant: "acme", Mission: "beacon"}, "one\ntwo\n")
	e, err := w.Client.Wait(ctx, 0, func(client.Event) bool { return true }, client.KindConsole)
	if err != nil {
		t.Fatal(err)
	}
	if e.Text != "one\ntwo\n" || e.Field("tenant") != "acme" || e.Field("mission") != "beacon" || e.APID != 100 || e.VC != 1 {
		t.Errorf("console %+v", e)
	}
	if _, err := w.Client.Do(ctx, client.Request{Tenant: "acme", Mission: "beacon", Data: []byte("faster")}); err != nil {
		t.Fatal(err)
	}
	for _, tc := range w.Craft.Received() {
		if tc.APID == 100 && tc.Service == 128 && bytes.Contains(tc.Payload, []byte("faster")) {
			return
		}
	}
	t.Error("the data did not arrive under the tenant's APID")
}

package slot_test

import (
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/console"
	"github.com/perilune/perilune/tender/tendertest"
	"github.com/perilune/perilune/tender/wire"
)

// talker is a guest that says "early", and "late" once it is told.
func talker(t *testing.T) *pool {
	t.Helper()
	p := start(t)
	p.claim(t, wire.Claim{Guest: "acme/late", MemMiB: 2, Cmdline: "late",
		Devices: []wire.Device{{Name: "radio", Type: uint8(hvt.Net), Source: wire.SlotPacket}}}, tendertest.Guest(t, "packet"))
	p.running(t)
	return p
}

func (p *pool) tell(t *testing.T) {
	t.Helper()
	if _, err := p.Data.Write([]byte{hvt.PacketTelecommand}); err != nil {
		t.Fatal(err)
	}
}

// What a guest printed before anybody asked is there, by offset, and asking
// beyond the end is answered too.
func TestRecall(t *testing.T) {
	p := talker(t)
	if m, ok := p.next(t).(wire.Console); !ok || string(m.Data) != "early\n" || m.Offset != 0 {
		t.Fatalf("%#v", m)
	}
	for _, c := range []struct {
		ask  uint64
		want string
		at   uint64
	}{{0, "early\n", 0}, {2, "rly\n", 2}, {6, "", 6}, {1 << 60, "", 6}} {
		if err := p.conn.Send(wire.Recall{Offset: c.ask}); err != nil {
			t.Fatal(err)
		}
		if m, ok := p.next(t).(wire.Recalled); !ok || string(m.Data) != c.want || m.Offset != c.at || m.Start != 0 || m.End != 6 || m.Last {
			t.Errorf("%d: %#v", c.ask, m)
		}
	}
	p.tell(t)
	if text, _, e := p.finish(t); text != "late\n" || e.Status != 0 {
		t.Errorf("%q, %+v", text, e)
	}
	if len(p.kept) != 1 || string(p.kept[0].Data) != "early\nlate\n" || !p.kept[0].Last {
		t.Errorf("handed over %+v", p.kept)
	}
}

// After a flood the last 64 KiB are there.
func TestRecallAfterFlood(t *testing.T) {
	p := start(t)
	p.claim(t, wire.Claim{Guest: "acme/flood", MemMiB: 2, Cmdline: "flood"}, tendertest.Guest(t, "hostile"))
	p.running(t)
	p.conn.SetReadDeadline(time.Now().Add(3 * time.Minute))
	_, _, e := p.finish(t)
	const end = 2000 * 4096
	at := uint64(end - console.Size)
	for _, m := range p.kept {
		if m.Offset != at || m.Start != end-console.Size || m.End != end {
			t.Fatalf("%d to %d of %d at %d, want %d", m.Start, m.End, len(m.Data), m.Offset, at)
		}
		at += uint64(len(m.Data))
	}
	if at != end || e.Kind != wire.Halt {
		t.Errorf("text up to %d, %+v", at, e)
	}
}

// Asking without end for what is kept does not hold up the guest; what the answers leave no room
// for is handed over at its end.
func TestRecallFlood(t *testing.T) {
	p := talker(t)
	for range 20000 {
		if p.conn.TrySend(wire.Recall{}) != nil {
			break
		}
	}
	p.tell(t)
	_, _, e := p.finish(t)
	var kept strings.Builder
	for _, m := range p.kept {
		if m.Last {
			kept.Write(m.Data)
		}
	}
	if kept.String() != "early\nlate\n" || e.Status != 0 {
		t.Errorf("%q, %+v", kept.String(), e)
	}
}

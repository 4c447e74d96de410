package station

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/client"
)

var guestStates = map[uint8]string{
	pus.GuestStopped: "stopped", pus.GuestStarting: "starting", pus.GuestRunning: "running",
	pus.GuestExited: "exited", pus.GuestRefused: "refused", pus.GuestSuspended: "suspended",
}

func guest(g pus.Guest, at time.Time) client.Guest {
	state, ok := guestStates[g.State]
	if !ok {
		state = fmt.Sprintf("state %d", g.State)
	}
	return client.Guest{
		Tenant: g.Tenant, Mission: g.Mission, State: state, Exit: g.Exit,
		Digest: hex.EncodeToString(g.Digest[:]), MemoryMiB: g.MemoryMiB, At: at.UTC(),
	}
}

// installed notes a mission that is ready to start. The craft's own table, which comes
// now and then, overrules it.
func (s *Station) installed(e *client.Event) {
	name := e.Field("tenant") + "/" + e.Field("mission")
	_, digits, ok := strings.Cut(e.Field("digest"), ":")
	if _, known := s.guests[name]; known || !ok {
		return
	}
	s.guests[name] = client.Guest{
		Tenant: e.Field("tenant"), Mission: e.Field("mission"), State: "installed",
		Digest: digits[:min(16, len(digits))], At: s.now().UTC(),
	}
}

// guestTable lists the guests by name. The caller holds the lock.
func (s *Station) guestTable() []client.Guest {
	names := slices.Sorted(maps.Keys(s.guests))
	out := make([]client.Guest, 0, len(names))
	for _, n := range names {
		out = append(out, s.guests[n])
	}
	return out
}

// noGuests marks as stopped what ran when the craft last said so: a report of the craft
// names all that runs, and in safe mode nothing does.
func (s *Station) noGuests() {
	for name, g := range s.guests {
		if g.State == "running" || g.State == "starting" {
			g.State = "stopped"
			s.guests[name] = g
		}
	}
}

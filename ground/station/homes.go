package station

import (
	"fmt"
	"slices"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/missions/craft"
)

// Who forges a packet chooses the channel that it comes on. So where the channel that a craft
// uses for such packets is authenticated, they count from authenticated channels alone: it is
// their home, or one that brings what the craft has stored.

// home is the downlink virtual channel of packets of a service, as the craft's router has it.
func home(service uint8) ccsds.VCID {
	if service == pus.ServiceTenant {
		return vcTenants
	}
	return vcAnswers
}

// trust is how far the station goes by a packet.
type trust int

const (
	refused trust = iota // anybody could have sent it, though nobody on its home
	shown                // as above, but the craft is known to send such packets in clear
	taken
)

// trusts says how far a packet counts, and tells what is refused.
func (s *Station) trusts(e client.Event, home ccsds.VCID) trust {
	p, vc := &s.cfg.Profile, ccsds.VCID(e.VC)
	if p.DownAuthenticated(vc) || !p.DownAuthenticated(home) {
		return taken
	}
	if slices.Contains(s.cfg.Clear[vc], e.APID) {
		return shown
	}
	if s.seldom(fmt.Sprint("forgeable", e.VC, home)) {
		e.Kind, e.Text = client.KindBad, fmt.Sprintf("packet of APID %d refused: channel %d is not authenticated, its own channel %d is", e.APID, e.VC, home)
		if craft.MayBeClear(e.APID) {
			e.Text += fmt.Sprintf("; clear = [%d] for down_channel %d in the craft's file has it shown", e.APID, e.VC)
		}
		s.record(e)
	}
	return refused
}

// show reads a packet that proves nothing: what tenants send, and of all else the words, which change
// nothing here.
func (s *Station) show(e *client.Event, tm pus.Telemetry) error {
	e.Fields["in_clear"] = true
	if tm.Service == pus.ServiceTenant {
		return s.decode(e, tm)
	}
	return named(s.cfg.Database, e, tm)
}

package station

import (
	"fmt"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/client"
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

// forgeable reports a packet for which anybody could have put another, though nobody can on its
// home, and says so.
func (s *Station) forgeable(e client.Event, home ccsds.VCID) bool {
	p := &s.cfg.Profile
	if p.DownAuthenticated(ccsds.VCID(e.VC)) || !p.DownAuthenticated(home) {
		return false
	}
	if s.seldom(fmt.Sprint("forgeable", e.VC, home)) {
		e.Kind, e.Text = client.KindBad, fmt.Sprintf("packet of APID %d refused: channel %d is not authenticated, its own channel %d is", e.APID, e.VC, home)
		s.record(e)
	}
	return true
}

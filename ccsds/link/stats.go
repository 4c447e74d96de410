package link

import (
	"maps"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/coding"
)

// SpaceStats are the counters on board since NewSpace.
type SpaceStats struct {
	Bits       uint64                   `json:"bits"`        // received
	Starts     uint64                   `json:"cltu_starts"` // start sequences, false ones too
	CLTUs      uint64                   `json:"cltus"`       // units with at least one codeblock
	Frames     uint64                   `json:"frames"`      // TC or USLP frames for this craft with a good FECF
	Corrected  uint64                   `json:"corrected"`   // bits corrected in them
	AD         uint64                   `json:"ad"`          // accepted by FARM-1, by type
	BD         uint64                   `json:"bd"`
	BC         uint64                   `json:"bc"`
	Packets    uint64                   `json:"packets"`     // delivered
	Refused    map[string]uint64        `json:"refused"`     // "layer: reason" → count
	FramesDown uint64                   `json:"frames_down"` // sent, or packets where there are no frames
	FramesIdle uint64                   `json:"frames_idle"` // of those, idle ones
	Locked     bool                     `json:"locked"`      // frames are being heard
	FARM       map[ccsds.VCID]FARMStats `json:"farm"`
	Floors     map[uint16]uint64        `json:"floors"` // SPI → highest anti-replay number
	Code       UpStats                  `json:"code"`

	// Unprotected counts frames that were not made since there was no anti-replay number.
	Unprotected uint64 `json:"unprotected"`
}

// FARMStats is the state of one FARM-1.
type FARMStats struct {
	State string `json:"state"`
	VR    uint8  `json:"vr"`
}

// RefusedTotal is the number of all refusals.
func (s SpaceStats) RefusedTotal() (n uint64) {
	for _, v := range s.Refused {
		n += v
	}
	return n
}

// Stats returns a copy of the counters.
func (s *Space) Stats() SpaceStats {
	out := s.stats
	out.Code = s.up.Stats()
	out.Bits, out.Starts, out.CLTUs, out.Locked = out.Code.Bits, out.Code.Starts, out.Code.Units, s.locked
	out.Refused = maps.Clone(s.stats.Refused)
	out.FARM, out.Floors = map[ccsds.VCID]FARMStats{}, map[uint16]uint64{}
	for id, vc := range s.vcs {
		out.FARM[id] = FARMStats{State: vc.farm.State().String(), VR: vc.farm.VR()}
	}
	for _, spi := range s.p.SPI {
		out.Floors[spi] = s.sdls.Floor(spi)
		if n := s.sdls.Floor(Spare(spi)); n > 0 {
			out.Floors[Spare(spi)] = n
		}
	}
	return out
}

// GroundStats are the counters on the ground since NewGround.
type GroundStats struct {
	Bits       uint64                  `json:"bits"`      // received
	State      string                  `json:"state"`     // search, verify or lock
	Up         bool                    `json:"up"`        // lock and good frames: the uplink loop is closed
	Frames     uint64                  `json:"frames"`    // good ones
	Corrected  uint64                  `json:"corrected"` // of those, frames with corrected symbols
	Symbols    uint64                  `json:"symbols"`   // corrected: RS symbols; bits of the channel with LDPC and turbo
	Bad        uint64                  `json:"bad"`       // frames refused by code, FECF, header or security
	Lost       uint64                  `json:"lost"`      // frames missing by the master channel count while in lock
	Gaps       uint64                  `json:"gaps"`      // times frames came again after a loss of lock
	Idle       uint64                  `json:"idle"`      // good frames that were idle
	Packets    uint64                  `json:"packets"`
	Data       map[ccsds.VCID]uint64   `json:"data"` // octets of channels whose service is not packets
	LockLosses uint64                  `json:"lock_losses"`
	CLTUs      uint64                  `json:"cltus"`       // radiated
	Counter    uint64                  `json:"counter_err"` // anti-replay numbers that could not be had
	FOP        map[ccsds.VCID]FOPStats `json:"fop"`
	Code       DownStats               `json:"code"`
	Senseless  uint64                  `json:"senseless"` // good frames whose data field was not what it should be
}

// FOPStats is the state of one uplink virtual channel on the ground.
type FOPStats struct {
	State       string `json:"state"`
	Held        bool   `json:"held"` // suspended for want of a return link
	VS          uint8  `json:"vs"`
	NNR         uint8  `json:"nnr"`
	Waiting     int    `json:"waiting"`     // packets in the queue
	Outstanding int    `json:"outstanding"` // frames not yet acknowledged
	Radiated    uint64 `json:"radiated"`    // frames, first transmissions
	Again       uint64 `json:"again"`       // frames radiated once more
	Accepted    uint64 `json:"accepted"`    // packets acknowledged
	Alerts      uint64 `json:"alerts"`
	T1Millis    int64  `json:"t1_ms"`
}

// Stats returns a copy of the counters.
func (g *Ground) Stats() GroundStats {
	out := g.stats
	out.Bits, out.State, out.Up = g.bits, g.state.String(), g.up
	if g.decoder != nil {
		out.Code = g.decoder.Stats()
		out.Bits, out.LockLosses = out.Code.Bits, out.Code.Losses
	}
	out.FOP, out.Data = map[ccsds.VCID]FOPStats{}, maps.Clone(g.stats.Data)
	for id, vc := range g.vcs {
		s := vc.stats
		s.Waiting = len(vc.queue)
		if f := vc.fop; f != nil {
			s.State, s.Held, s.VS, s.NNR = f.State().String(), f.Held(), f.VS(), f.NNR()
			s.Outstanding, s.T1Millis = f.Outstanding(), f.T1().Milliseconds()
		}
		out.FOP[id] = s
	}
	return out
}

// SyncState is the state of the frame synchroniser.
type SyncState = coding.State

// The states of the frame synchroniser.
const (
	Search = coding.Search
	Verify = coding.Verify
	Lock   = coding.Lock
)

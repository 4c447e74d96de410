package linktool

import (
	"fmt"
	"maps"
	"slices"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
)

// Report counts what a decoder saw, layer by layer.
type Report struct {
	Link    string          `json:"link"`
	Down    *link.DownStats `json:"code_down,omitempty"`
	UpCode  *link.UpStats   `json:"code_up,omitempty"`
	Frames  FrameReport     `json:"frames"`
	Packets PacketReport    `json:"packets"`
}

// FrameReport counts frames.
type FrameReport struct {
	Good    uint64                `json:"good"`
	Idle    uint64                `json:"idle"`
	Lost    uint64                `json:"lost"` // by their counts
	OCF     uint64                `json:"ocf"`
	VC      map[ccsds.VCID]uint64 `json:"vc"`
	Refused map[string]uint64     `json:"refused"` // "layer: reason" → count
}

// PacketReport counts packets.
type PacketReport struct {
	Good         uint64                `json:"good"`
	Octets       uint64                `json:"octets"`
	Encapsulated uint64                `json:"encapsulated,omitempty"`
	APID         map[ccsds.APID]uint64 `json:"apid"`
	Refused      map[string]uint64     `json:"refused"`
}

func newReport(c *Config) Report {
	name := fmt.Sprintf("down: %s, %s, frames of %d octets", c.Profile.Down, c.Profile.Code.Kind, c.Profile.FrameLength)
	if c.Up {
		name = fmt.Sprintf("up: %s, CLTU %s", c.Profile.Up, c.Profile.CLTU)
	}
	return Report{
		Link:    name,
		Frames:  FrameReport{VC: map[ccsds.VCID]uint64{}, Refused: map[string]uint64{}},
		Packets: PacketReport{APID: map[ccsds.APID]uint64{}, Refused: map[string]uint64{}},
	}
}

func (f *FrameReport) good(vc ccsds.VCID, idle bool) {
	f.Good++
	f.VC[vc]++
	if idle {
		f.Idle++
	}
}

func (f *FrameReport) refuse(err error)  { f.Refused[reason(err)]++ }
func (p *PacketReport) refuse(err error) { p.Refused[reason(err)]++ }

// Rows is the report as a table: layer, what, how many.
func (r Report) Rows() [][]string {
	rows := [][]string{{"LAYER", "WHAT", "COUNT"}}
	add := func(layer, what string, n any) { rows = append(rows, []string{layer, what, fmt.Sprint(n)}) }
	add("link", "profile", r.Link)
	if s := r.Down; s != nil {
		add("sync", "bits or symbols", s.Bits)
		add("sync", "units behind a marker", s.Units)
		add("sync", "markers missed", s.Missed)
		add("sync", "bit slips", s.Slips)
		add("sync", "losses of lock", s.Losses)
		add("sync", "wrong bits in markers", s.MarkerErr)
		add("code", "decoded", s.Good)
		add("code", "uncorrectable", s.Bad)
		add("code", "with corrections", s.Repaired)
		add("code", "corrected", s.Corrected)
		if s.Rounds > 0 {
			add("code", "iterations", s.Rounds)
		}
	}
	if s := r.UpCode; s != nil {
		add("sync", "bits or symbols", s.Bits)
		add("sync", "start sequences", s.Starts)
		add("code", "CLTUs", s.Units)
		add("code", "with a tail", s.Tails)
		add("code", "codeblocks", s.Blocks)
		add("code", "corrected bits", s.Corrected)
	}
	add("frame", "good", r.Frames.Good)
	add("frame", "idle", r.Frames.Idle)
	add("frame", "missing by their counts", r.Frames.Lost)
	for _, vc := range slices.Sorted(maps.Keys(r.Frames.VC)) {
		add("frame", fmt.Sprintf("virtual channel %d", vc), r.Frames.VC[vc])
	}
	for _, why := range slices.Sorted(maps.Keys(r.Frames.Refused)) {
		add("frame", "refused, "+why, r.Frames.Refused[why])
	}
	add("packet", "good", r.Packets.Good)
	add("packet", "octets", r.Packets.Octets)
	for _, apid := range slices.Sorted(maps.Keys(r.Packets.APID)) {
		add("packet", fmt.Sprintf("APID %d", apid), r.Packets.APID[apid])
	}
	for _, why := range slices.Sorted(maps.Keys(r.Packets.Refused)) {
		add("packet", "refused, "+why, r.Packets.Refused[why])
	}
	return rows
}

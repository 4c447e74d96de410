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

	Data map[ccsds.VCID]*DataReport `json:"data,omitempty"` // by channel, of those with another service

	CLCW map[ccsds.VCID]*CLCWReport `json:"clcw,omitempty"` // by the channel that they speak of
}

// FrameReport counts frames.
type FrameReport struct {
	Good    uint64                `json:"good"`
	Idle    uint64                `json:"idle"`
	Lost    uint64                `json:"lost"` // by their counts, while in lock
	Gaps    uint64                `json:"gaps"` // times frames came again after lock was lost; how many are missing nobody knows
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
	most := ""
	if c.Profile.Variable {
		most = "up to "
	}
	name := fmt.Sprintf("down: %s, %s, frames of %s%d octets", c.Profile.Down, c.Profile.Code, most, c.Profile.FrameLength)
	if c.Profile.Down == link.FramingPackets {
		name = "down: packets without frames"
	}
	if c.Up {
		name = fmt.Sprintf("up: %s, CLTU %s", c.Profile.Up, c.Profile.CLTU)
	}
	return Report{
		Link:    name,
		Frames:  FrameReport{VC: map[ccsds.VCID]uint64{}, Refused: map[string]uint64{}},
		Data:    map[ccsds.VCID]*DataReport{},
		Packets: PacketReport{APID: map[ccsds.APID]uint64{}, Refused: map[string]uint64{}},
	}
}

// Empty reports whether there was input and nothing good in it.
func (r *Report) Empty() bool {
	received := r.Down != nil && r.Down.Bits > 0 || r.UpCode != nil && r.UpCode.Bits > 0
	return received && r.Frames.Good == 0
}

func (f *FrameReport) good(vc ccsds.VCID, idle bool) {
	f.Good++
	f.VC[vc]++
	if idle {
		f.Idle++
	}
}

// arrived counts a good frame of the downlink; fresh says that its marker was searched.
func (f *FrameReport) arrived(h link.FrameHeader, fresh bool) {
	switch {
	case !fresh:
		f.Lost += uint64(h.Lost)
	case f.Good > 0:
		f.Gaps++
	}
	f.good(h.VC, h.Idle)
}

func (f *FrameReport) refuse(err error)  { f.Refused[link.Refusal(err)]++ }
func (p *PacketReport) refuse(err error) { p.Refused[link.Refusal(err)]++ }

// Rows is the report as a table: layer, what, how many.
func (r Report) Rows() [][]string {
	rows := [][]string{{"LAYER", "WHAT", "COUNT"}}
	add := func(layer, what string, n any) { rows = append(rows, []string{layer, what, fmt.Sprint(n)}) }
	add("link", "profile", r.Link)
	r.codeRows(add)
	r.Frames.rows(add)
	for _, vc := range slices.Sorted(maps.Keys(r.CLCW)) {
		add("CLCW", fmt.Sprintf("uplink channel %d", vc), r.CLCW[vc])
	}
	r.Packets.rows(add)
	for _, vc := range slices.Sorted(maps.Keys(r.Data)) {
		d := r.Data[vc]
		add("data", fmt.Sprintf("channel %d, %s", vc, d.Service), fmt.Sprintf("%d units or pieces, %d bits, %d gaps", d.Units, d.Bits, d.Gaps))
	}
	return rows
}

// codeRows are synchronisation and channel coding.
func (r *Report) codeRows(add func(layer, what string, n any)) {
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
		if x := s.Slices; x != nil {
			add("slices", "frames in them", x.Frames)
			add("slices", "touched by lost codewords", x.Lost)
			add("slices", "markers missed", x.Missed)
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
}

func (f *FrameReport) rows(add func(layer, what string, n any)) {
	add("frame", "good", f.Good)
	add("frame", "idle", f.Idle)
	add("frame", "missing by their counts", f.Lost)
	add("frame", "times found again", f.Gaps)
	for _, vc := range slices.Sorted(maps.Keys(f.VC)) {
		add("frame", fmt.Sprintf("virtual channel %d", vc), f.VC[vc])
	}
	for _, why := range slices.Sorted(maps.Keys(f.Refused)) {
		add("frame", "refused, "+why, f.Refused[why])
	}
}

func (p *PacketReport) rows(add func(layer, what string, n any)) {
	add("packet", "good", p.Good)
	add("packet", "octets", p.Octets)
	for _, apid := range slices.Sorted(maps.Keys(p.APID)) {
		add("packet", fmt.Sprintf("APID %d", apid), p.APID[apid])
	}
	for _, why := range slices.Sorted(maps.Keys(p.Refused)) {
		add("packet", "refused, "+why, p.Refused[why])
	}
}

package station

import (
	"maps"
	"slices"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/cop1"
	"github.com/perilune/perilune/internal/client"
)

// recent is how many telecommands a status shows.
const recent = 16

// channel is what the CLCWs of an uplink channel last said.
type channel struct {
	clcw  cop1.CLCW
	heard bool
}

// Status is the station at a glance.
func (s *Station) Status() client.Status {
	transfers := s.cfg.Files.Transfers()
	last := s.cfg.Archive.Last()
	keys := s.troubledKeys()
	s.mu.Lock()
	defer s.mu.Unlock()
	out := client.Status{
		Craft: s.cfg.Craft, Time: s.now().UTC(), Started: s.started.UTC(), Radio: s.radio,
		Link: s.linkStatus(), Guests: s.guestTable(), Transfers: transfers, Commands: []client.Command{}, Sequence: last, Keys: keys,
	}
	if s.health != nil {
		h := *s.health
		out.Health = &h
	}
	for _, c := range s.commands[max(0, len(s.commands)-recent):] {
		out.Commands = append(out.Commands, c.Command)
	}
	return out
}

// linkStatus needs the lock.
func (s *Station) linkStatus() client.Link {
	l, st := s.link, s.ground.Stats()
	l.State = st.State
	l.Frames, l.Symbols, l.Bad, l.Lost = st.Frames, st.Symbols, st.Bad, st.Lost
	l.Corrected, l.Packets, l.BitsReceived, l.CLTUs = st.Corrected, st.Packets, st.Bits, st.CLTUs
	l.BitsSent = s.sent * 8
	l.Channels = []client.Channel{}
	for _, layer := range s.ground.Layers() {
		l.Layers = append(l.Layers, client.Layer(layer))
	}
	for _, vc := range slices.Sorted(maps.Keys(st.FOP)) {
		l.Channels = append(l.Channels, s.channelStatus(vc))
		l.Retransmissions += st.FOP[vc].Again
	}
	return l
}

func (s *Station) channelStatus(vc ccsds.VCID) client.Channel {
	f := s.ground.Stats().FOP[vc]
	c := client.Channel{VC: uint8(vc), State: f.State, Queued: f.Waiting + f.Outstanding}
	if f.Held {
		c.State = "suspended"
	}
	if c.State == "" {
		c.State = "bypass"
	}
	if known := s.channels[vc]; known != nil {
		c.Report, c.Lockout, c.Wait = known.clcw.ReportValue, known.clcw.Lockout, known.clcw.Wait
	}
	return c
}

func (s *Station) missions() []client.Guest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.guestTable()
}

// list is the telecommands that are remembered, oldest first.
func (s *Station) list() []client.Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]client.Command, len(s.commands))
	for i, c := range s.commands {
		out[i] = c.Command
	}
	return out
}

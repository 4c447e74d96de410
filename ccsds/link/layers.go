package link

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Layer says in words what one layer of the profile in use has done.
type Layer struct {
	Name string `json:"name"` // way and layer, such as "down code"
	Text string `json:"text"`
}

// String names the code with its parameters.
func (c Code) String() string {
	c = c.WithDefaults()
	rs := fmt.Sprintf("RS(255,%d) I=%d", 255-2*c.E, c.Interleave)
	switch c.Kind {
	case CodeRS:
		return rs
	case CodeConv:
		return "convolutional " + c.Rate
	case CodeConcatenated:
		return rs + " + convolutional " + c.Rate
	case CodeLDPC, CodeTurbo:
		name := fmt.Sprintf("%s %s k=%d", strings.ToUpper(string(c.Kind)), c.Rate, c.Block)
		if c.sliced() {
			name += fmt.Sprintf(", sliced m=%d", c.Codeblock)
		}
		return name
	}
	return "uncoded"
}

// Layers lists the layers of the ground's end, from the channel up and down again.
func (g *Ground) Layers() []Layer {
	s, p := g.Stats(), g.p
	var out []Layer
	add := func(name, format string, args ...any) {
		out = append(out, Layer{name, fmt.Sprintf(format, args...)})
	}
	if g.decoder != nil {
		c := s.Code
		add("down sync", "%d units behind markers, %d markers missed, %d slips, %d losses of lock", c.Units, c.Missed, c.Slips, c.Losses)
		if p.Code.hasConv() {
			add("down Viterbi", "rate %s, best path %.3f of the worst, aligned anew %d times", p.Code.Rate, c.Quality, c.Phases)
		}
		switch {
		case p.Code.hasRS():
			add("down code", "RS(255,%d) I=%d: %d blocks, %d repaired (%d symbols), %d refused", 255-2*p.Code.E, p.Code.Interleave, c.Good, c.Repaired, c.Corrected, c.Bad)
		case p.Code.Kind == CodeLDPC || p.Code.Kind == CodeTurbo:
			add("down code", "%v: %d codewords, %d repaired (%d bits), %d refused, %.1f iterations each", p.Code, c.Good, c.Repaired, c.Corrected, c.Bad, float64(c.Rounds)/float64(max(c.Good+c.Bad, 1)))
		}
		if x := c.Slices; x != nil {
			add("down slices", "%d frames in them, %d touched by lost codewords, %d markers missed, %d breaks", x.Frames, x.Lost, x.Missed, x.Breaks)
		}
		most := ""
		if p.Variable {
			most = "up to "
		}
		add("down frames", "%s of %s%d octets: %d good, %d idle, %d bad, %d lost", p.Down, most, p.FrameLength, s.Frames, s.Idle, s.Bad, s.Lost)
	} else {
		add("down stream", "packets without frames: %d, %d octets passed over", g.stream.packets, g.stream.skipped)
	}
	for _, a := range p.downAssociations() {
		add("down SDLS", "VC %d: %s, SPI %d, anti-replay number %d", a.VCs[0], modeName(p.DownMode[a.VCs[0]]), a.SPI, g.frames.sec.receiver.Floor(a.SPI))
	}
	add("down packets", "%d", s.Packets)
	for _, vc := range slices.Sorted(maps.Keys(p.Services)) {
		if service := p.Service(vc); service != ServicePackets {
			add("down data", "VC %d: %s, %d octets", vc, service, s.Data[vc])
		}
	}
	return append(out, g.upLayers(s)...)
}

func (g *Ground) upLayers(s GroundStats) (out []Layer) {
	if g.p.Up == FramingPackets {
		return []Layer{{"up stream", fmt.Sprintf("packets without frames: %d", s.CLTUs)}}
	}
	var first, again uint64
	for _, f := range s.FOP {
		first, again = first+f.Radiated, again+f.Again
	}
	out = append(out, Layer{"up frames", fmt.Sprintf("%s of up to %d octets: %d radiated, %d again", g.p.Up, g.p.MaxTCFrame, first, again)})
	for _, vc := range slices.Sorted(slices.Values(g.order)) {
		if spi, ok := g.p.SPI[vc]; ok {
			out = append(out, Layer{"up SDLS", fmt.Sprintf("VC %d: %s, SPI %d", vc, modeName(g.p.UpMode[vc]), spi)})
		}
	}
	return append(out, Layer{"up code", fmt.Sprintf("CLTU %s: %d", g.p.CLTU, s.CLTUs)})
}

func modeName(m Mode) Mode {
	if m == "" {
		return ModeBoth
	}
	return m
}

// Lead is how many octets of acquisition pattern stand in front of each unit of the uplink.
func (g *Ground) Lead() int { return g.coder.Lead() }

// UpIdle is what to radiate behind the last unit, nil where nothing is needed.
func (g *Ground) UpIdle() []byte { return g.coder.Idle() }

package craft

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/uslp"
)

// Link is the space link's profile. Where it is silent: TM frames with RS(255,223) down, TC
// frames with COP-1 and authenticated encryption up.
type Link struct {
	Down     string `toml:"down"`      // tm, aos, uslp, packets
	Coding   string `toml:"coding"`    // none, rs, conv, concatenated, ldpc, turbo
	Up       string `toml:"up"`        // tc, uslp, packets
	CLTU     string `toml:"cltu"`      // bch, ldpc128, ldpc512
	Security string `toml:"security"`  // of all uplink channels: both, authenticate, none
	DownRate int    `toml:"down_rate"` // bit/s on the channel
	UpRate   int    `toml:"up_rate"`   // bit/s on the channel

	FrameLength int    `toml:"frame_length"`         // octets of a frame down; 0: what fills the code
	Variable    bool   `toml:"variable"`             // uslp frames of at most that length, in sliced ldpc
	Truncated   int    `toml:"truncated"`            // octets of truncated uslp frames; 0: none
	Interleave  int    `toml:"interleave"`           // depth of the Reed-Solomon code
	Correct     int    `toml:"rs_e"`                 // symbols that it corrects in a codeword: 16 or 8
	Basis       string `toml:"rs_basis"`             // dual or conventional
	Rate        string `toml:"rate"`                 // of conv, concatenated, ldpc, turbo
	Block       int    `toml:"block"`                // information bits of a codeword of ldpc, turbo
	Codeblock   int    `toml:"codeblock"`            // ldpc: codewords behind a marker, frames sliced over them; 0: a frame is a codeword
	Iterations  int    `toml:"iterations"`           // of their decoders at most
	Randomiser  string `toml:"randomiser"`           // 255, 131071, none
	Soft        bool   `toml:"soft"`                 // the station's receiver gives soft symbols
	OCF         bool   `toml:"ocf"`                  // frames down carry the CLCW
	FSR         bool   `toml:"fsr"`                  // and frame security reports in turn with it
	FECF        int    `toml:"fecf"`                 // bits: 16, 32, 0
	FHEC        bool   `toml:"header_error_control"` // AOS
	InsertZone  int    `toml:"insert_zone"`          // octets; AOS, USLP
	Encap       bool   `toml:"encapsulation"`        // encapsulation packets too
	MaxTCFrame  int    `toml:"max_tc_frame"`         // octets of a TC or USLP frame up, at most 1024

	DownChannels []DownChannel `toml:"down_channel"`
	UpChannels   []UpChannel   `toml:"up_channel"`
}

// DownChannel is a virtual channel of the downlink that is not as it is by default.
type DownChannel struct {
	VC       int    `toml:"vc"`
	Priority int    `toml:"priority"` // lower goes first
	Weight   int    `toml:"weight"`   // share among those of one priority: 1
	Rate     int    `toml:"rate"`     // bit/s at most; 0: no limit
	Service  string `toml:"service"`  // packets, bitstream, octets, vca: packets
	MAP      int    `toml:"map"`      // uslp: access point
	Security string `toml:"security"` // none, authenticate, encrypt, both: none
	SPI      int    `toml:"spi"`      // of its association: 16 + vc

	// APIDs whose packets the station shows from this channel though anybody could have sent them and
	// nobody on the channel where ours come: of craft that lay out their channels otherwise.
	Clear []int `toml:"clear"`
}

// UpChannel is a virtual channel of the uplink that is not as it is by default.
type UpChannel struct {
	VC       int    `toml:"vc"`       // 0 commands, 1 files, 2 recovery
	Service  string `toml:"service"`  // ad: in sequence, sent again; bd: once
	Security string `toml:"security"` // authenticate, both
	SPI      int    `toml:"spi"`      // of its association: 1 + vc
}

// KeySize is the length of a link key in octets (AES-256).
const KeySize = 32

// The uplink's virtual channels: commands and files in sequence, recovery not. Each has
// an association of its own, so that each has its own anti-replay counter.
var upServices = map[int]string{0: "ad", 1: "ad", 2: "bd"}

const (
	serviceAD = "ad"
	serviceBD = "bd"

	lastOwnVC    = 3  // downlink channels up to this one have their use on board
	lastOwnAPID  = 2  // 1 flight software, 2 files
	firstUpSPI   = 1  // of virtual channel 0
	firstDownSPI = 16 // of virtual channel 0
)

// DefaultLink is the profile of design §9.
func DefaultLink() Link {
	return Link{
		Down: "tm", Coding: "", Up: "tc", CLTU: "bch", Security: "both", OCF: true, FECF: 16,
		DownRate: 512_000, UpRate: 256_000, MaxTCFrame: 256,
	}
}

// fill derives what the file leaves open.
func (l *Link) fill() {
	p := l.profile(nil).WithDefaults()
	l.Coding, l.FrameLength, l.Interleave = string(p.Code.Kind), p.FrameLength, p.Code.Interleave
}

func (l *Link) validate() error {
	for _, v := range []struct {
		key         string
		value       int
		least, most int
	}{
		{"frame_length", l.FrameLength, 64, 2048},
		{"down_rate", l.DownRate, 1000, 100_000_000},
		{"up_rate", l.UpRate, 1000, 10_000_000},
		{"max_tc_frame", l.MaxTCFrame, 64, 1024},
		{"rs_e", l.Correct, 0, 16},
		{"fecf", l.FECF, 0, 32},
	} {
		if v.value < v.least || v.value > v.most {
			return fmt.Errorf("%s %d: want %d to %d", v.key, v.value, v.least, v.most)
		}
	}
	for _, v := range []struct {
		key, value string
		want       []string
	}{
		{"rs_basis", l.Basis, []string{"", "dual", "conventional"}},
		{"security", l.Security, []string{"both", "authenticate", "none"}},
	} {
		if !slices.Contains(v.want, v.value) {
			return fmt.Errorf("%s %q: want one of %q", v.key, v.value, v.want)
		}
	}
	if l.FECF != 0 && l.FECF != 16 && l.FECF != 32 {
		return fmt.Errorf("fecf %d: want 16 bits, 32 with uslp, or 0", l.FECF)
	}
	if l.Up == string(link.FramingPackets) && l.Security != "none" {
		return fmt.Errorf(`security %q: packets without frames have none; say security = "none" if nobody else can reach this link`, l.Security)
	}
	if err := l.validateChannels(); err != nil {
		return err
	}
	keys := map[uint16][KeySize]byte{}
	for _, spi := range l.spis() {
		keys[spi] = [KeySize]byte{1} // any key will do to look at the rest
	}
	return l.profile(keys).Validate()
}

func (l *Link) validateChannels() error {
	seen := map[int]bool{}
	for _, c := range l.DownChannels {
		if c.VC < 0 || c.VC > int(ccsds.MaxVCID) || seen[c.VC] {
			return fmt.Errorf("down_channel %d is no virtual channel, or there twice", c.VC)
		}
		if !slices.Contains([]string{"", "none", "authenticate", "encrypt", "both"}, c.Security) {
			return fmt.Errorf("down_channel %d: security %q: want none, authenticate, encrypt or both", c.VC, c.Security)
		}
		if c.MAP < 0 || c.MAP > int(uslp.MaxMAP) {
			return fmt.Errorf("down_channel %d: map %d: want 0 to %d", c.VC, c.MAP, uslp.MaxMAP)
		}
		if c.SPI < 0 || c.SPI > 65534 {
			return fmt.Errorf("down_channel %d: spi %d: want 1 to 65534", c.VC, c.SPI)
		}
		if err := c.validateClear(); err != nil {
			return fmt.Errorf("down_channel %d: clear: %w", c.VC, err)
		}
		seen[c.VC] = true
	}
	clear(seen)
	for _, c := range l.UpChannels {
		if _, ok := upServices[c.VC]; !ok || seen[c.VC] {
			return fmt.Errorf("up_channel %d: want 0 (commands), 1 (files) or 2 (recovery), each once", c.VC)
		}
		if !slices.Contains([]string{"", serviceAD, serviceBD}, c.Service) {
			return fmt.Errorf("up_channel %d: service %q: want ad or bd", c.VC, c.Service)
		}
		if !slices.Contains([]string{"", "authenticate", "both"}, c.Security) {
			return fmt.Errorf("up_channel %d: security %q: want authenticate or both; none is for the whole uplink", c.VC, c.Security)
		}
		if c.SPI < 0 || c.SPI > 65534 {
			return fmt.Errorf("up_channel %d: spi %d: want 1 to 65534", c.VC, c.SPI)
		}
		seen[c.VC] = true
	}
	return nil
}

// MayBeClear says whether packets of an APID may be shown in clear where others come authenticated:
// not those of flight software and of files, on whose word the station acts.
func MayBeClear(apid uint16) bool { return apid > lastOwnAPID && apid < uint16(ccsds.IdleAPID) }

func (c *DownChannel) validateClear() error {
	for _, apid := range c.Clear {
		if apid < 0 || apid > math.MaxUint16 || !MayBeClear(uint16(apid)) {
			return fmt.Errorf("APID %d: want %d to %d; on the word of the others the station acts", apid, lastOwnAPID+1, ccsds.IdleAPID-1)
		}
	}
	if len(c.Clear) > 0 && (c.Security == string(link.ModeAuthenticate) || c.Security == string(link.ModeBoth)) {
		return errors.New("the channel is authenticated")
	}
	return nil
}

// Clear lists the APIDs whose packets are shown in clear, by downlink virtual channel.
func (l *Link) Clear() map[ccsds.VCID][]uint16 {
	out := map[ccsds.VCID][]uint16{}
	for _, c := range l.DownChannels {
		for _, apid := range c.Clear {
			out[ccsds.VCID(c.VC)] = append(out[ccsds.VCID(c.VC)], uint16(apid))
		}
	}
	return out
}

// spis lists the security associations of the link in order.
func (l *Link) spis() []uint16 {
	p := l.profile(nil)
	return slices.Sorted(func(yield func(uint16) bool) {
		for _, m := range []map[ccsds.VCID]uint16{p.SPI, p.DownSPI} {
			for spi := range maps.Values(m) {
				if !yield(spi) {
					return
				}
			}
		}
	})
}

// profile is the link engines' view.
func (l *Link) profile(keys map[uint16][KeySize]byte) link.Profile {
	p := link.Profile{
		DownRate: l.DownRate, UpRate: l.UpRate, Down: link.Framing(l.Down), FrameLength: l.FrameLength, Variable: l.Variable, Truncated: l.Truncated,
		Code: link.Code{
			Kind: link.CodeKind(l.Coding), E: l.Correct, Interleave: l.Interleave, Conventional: l.Basis == "conventional",
			Rate: l.Rate, Block: l.Block, Codeblock: l.Codeblock, Randomiser: link.Randomiser(l.Randomiser), Iterations: l.Iterations,
		},
		NoOCF: !l.OCF, FSR: l.FSR, NoFECF: l.FECF == 0, LongFECF: l.FECF == 32, HeaderControl: l.FHEC, InsertZone: l.InsertZone, Encapsulation: l.Encap,
		Up: link.Framing(l.Up), CLTU: link.CLTU(l.CLTU), MaxTCFrame: l.MaxTCFrame, Keys: keys,
	}
	l.downChannels(&p)
	l.upChannels(&p)
	return p
}

func (l *Link) downChannels(p *link.Profile) {
	if len(l.DownChannels) == 0 {
		return
	}
	p.Shares = maps.Clone(p.WithDefaults().Shares)
	p.DownSPI, p.DownMode = map[ccsds.VCID]uint16{}, map[ccsds.VCID]link.Mode{}
	p.Services, p.MAP = map[ccsds.VCID]link.Service{}, map[ccsds.VCID]ccsds.MAPID{}
	for _, c := range l.DownChannels {
		vc := ccsds.VCID(c.VC)
		s := p.Shares[vc]
		p.Shares[vc] = link.Share{Priority: c.Priority, Rate: c.Rate, Weight: firstOf(c.Weight, s.Weight, 1), Whole: s.Whole}
		if c.Service != "" && c.Service != string(link.ServicePackets) {
			p.Services[vc] = link.Service(c.Service)
		}
		if c.MAP != 0 {
			p.MAP[vc] = ccsds.MAPID(c.MAP)
		}
		if c.Security != "" && c.Security != "none" {
			p.DownSPI[vc], p.DownMode[vc] = uint16(firstOf(c.SPI, firstDownSPI+c.VC)), link.Mode(c.Security)
		}
	}
}

func (l *Link) upChannels(p *link.Profile) {
	p.AD, p.BD = []ccsds.VCID{}, []ccsds.VCID{}
	p.SPI, p.UpMode = map[ccsds.VCID]uint16{}, map[ccsds.VCID]link.Mode{}
	for _, n := range slices.Sorted(maps.Keys(upServices)) {
		c := UpChannel{VC: n}
		if i := slices.IndexFunc(l.UpChannels, func(c UpChannel) bool { return c.VC == n }); i >= 0 {
			c = l.UpChannels[i]
		}
		vc := ccsds.VCID(n)
		if c.Service == serviceBD || c.Service == "" && upServices[n] == serviceBD {
			p.BD = append(p.BD, vc)
		} else {
			p.AD = append(p.AD, vc)
		}
		if l.Security == "none" {
			continue
		}
		p.SPI[vc], p.UpMode[vc] = uint16(firstOf(c.SPI, firstUpSPI+n)), link.Mode(l.Security)
		if c.Security != "" {
			p.UpMode[vc] = link.Mode(c.Security)
		}
	}
}

// firstOf is the first number that is not zero.
func firstOf(n ...int) int {
	for _, v := range n {
		if v != 0 {
			return v
		}
	}
	return 0
}

// Ratio is how many bits of frames there are for each bit of the downlink's channel, markers
// not counted: the rate by which Eb/N0 is told.
func (l *Link) Ratio() float64 {
	p := l.profile(nil).WithDefaults()
	return p.Code.Ratio(p.FrameLength)
}

// Flies reports what no craft that runs our flight software can have, though the tools of the
// link can: its own packets need channels that carry packets.
func (c *Craft) Flies() error {
	for _, d := range c.Link.DownChannels {
		if d.VC <= lastOwnVC && d.Service != "" && d.Service != string(link.ServicePackets) {
			return fmt.Errorf("link: down_channel %d: service %q: channels 0 to %d carry the craft's own packets; take another", d.VC, d.Service, lastOwnVC)
		}
	}
	return nil
}

// SPIs lists the security associations of the link in order.
func (c *Craft) SPIs() []uint16 { return c.Link.spis() }

// Profile is the link engines' view of the craft, with the key of each association.
func (c *Craft) Profile(keys map[uint16][KeySize]byte) (link.Profile, error) {
	p := c.Link.profile(keys)
	p.SCID = ccsds.SCID(c.SCID)
	return p, p.Validate()
}

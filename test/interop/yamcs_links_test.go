//go:build interop

package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
)

// yamcsLink is a link as both ends have it.
type yamcsLink struct {
	name    string
	profile link.Profile
	down    string    // YAMCS' words for the downlink
	up      string    // and for the uplink
	idle    int       // virtual channel of idle frames down
	masks   [2]string // of authentication, of headers down and up
}

// Associations of protected links: telemetry on VC 0 down, VC 0 and VC 1 up.
const (
	spiDown = 16
	spiUp0  = 1
	spiUp1  = 2
)

const frameLength = 1115

// plainLink is TM frames and TC frames in clear.
func plainLink() yamcsLink {
	return yamcsLink{name: "tm", idle: 7, profile: link.Profile{FrameLength: frameLength, MaxTCFrame: 1024, Queue: 256, Code: link.Code{Kind: link.CodeNone}},
		down: "frameType: TM\nerrorDetection: CRC16", up: "cltuEncoding: BCH\nrandomizeCltu: false"}
}

// frameLinks are all frames that YAMCS reads and writes, in clear and with VC 0 down and the
// whole uplink under authenticated encryption.
func frameLinks() []yamcsLink {
	tm, aos, uslp := plainLink(), plainLink(), plainLink()
	tm.name = "tm, tc by BCH"
	tm.masks = [2]string{"000e00000000", "ffffffff00ff"}

	aos.name = "aos, tc by LDPC (128,64)"
	aos.profile.Down, aos.profile.HeaderControl, aos.profile.InsertZone = link.FramingAOS, true, 6
	aos.profile.CLTU = link.CLTULDPC128
	aos.down = "frameType: AOS\nerrorDetection: CRC16\nframeHeaderErrorControlPresent: true\ninsertZoneLength: 6"
	aos.up, aos.idle = "cltuEncoding: LDPC64\ncltuTailSequence: \"55555556AAAAAAAA5555555555555555\"", 63
	aos.masks = [2]string{"003f00000000" + "0000" + "000000000000", "ffffffff00ff"}

	uslp.name = "uslp, uslp by LDPC (512,256)"
	uslp.profile.Down, uslp.profile.LongFECF, uslp.profile.Up = link.FramingUSLP, true, link.FramingUSLP
	uslp.profile.CLTU = link.CLTULDPC512
	uslp.down = "frameType: USLP\nerrorDetection: CRC32"
	uslp.up, uslp.idle = "frameType: USLP\ncltuEncoding: LDPC256", 63
	uslp.masks = [2]string{"000007fe000000000000", "ffffffffffffff00"}
	return []yamcsLink{aos, uslp, tm.protected(), aos.protected(), uslp.protected()}
}

// protected is the link with security.
//
// YAMCS 5.13.2 authenticates of the security header the SPI alone, and of TC and USLP headers
// less than we do. Its key authMask says it as it is here: masked primary header, insert
// zone, segment header, and the whole security header.
func (l yamcsLink) protected() yamcsLink {
	p := &l.profile
	l.name += ", protected"
	for i := range l.masks {
		l.masks[i] += strings.Repeat("ff", 14)
	}
	p.Keys = map[uint16][32]byte{}
	for _, spi := range []uint16{spiDown, spiUp0, spiUp1} {
		p.Keys[spi] = [32]byte{1, byte(spi)}
	}
	p.DownSPI = map[ccsds.VCID]uint16{0: spiDown}
	p.SPI = map[ccsds.VCID]uint16{0: spiUp0, 1: spiUp1}
	p.AD, p.BD = []ccsds.VCID{0, 1}, []ccsds.VCID{}
	return l
}

func (l yamcsLink) isProtected() bool { return len(l.profile.SPI) > 0 }

// timer is YAMCS' T1 in seconds. Protected commands go without loss, and what is sent again because
// an answer took long would arrive wrong (see yamcsRetransmission): there it is as good as none.
func (l yamcsLink) timer() int {
	if l.isProtected() {
		return 36_000
	}
	return 1
}

// configuration fills in what YAMCS is told of the link. Keys go into files below dir.
func (l yamcsLink) configuration(t *testing.T, dir string) *strings.Replacer {
	t.Helper()
	service := "IDLE"
	if l.idle == 7 {
		service = "PACKET"
	}
	blanks := map[string]string{"${down}": l.down, "${up}": l.up, "${down0}": "", "${up0}": "", "${up1}": "",
		"${t1}": fmt.Sprint(l.timer()), "${idle}": fmt.Sprint(l.idle), "${idleService}": service}
	if l.isProtected() {
		blanks["${down}"] += "\nencryption: [" + l.association(t, dir, spiDown, l.masks[0], "verifySeqNum: true, seqNumWindow: 1000") + "]"
		blanks["${up}"] += "\nencryption: [" + l.association(t, dir, spiUp0, l.masks[1], first(spiUp0)) + ", " + l.association(t, dir, spiUp1, l.masks[1], first(spiUp1)) + "]"
		blanks["${down0}"], blanks["${up0}"], blanks["${up1}"] = fmt.Sprintf("encryptionSpis: [%d]", spiDown), fmt.Sprint("encryptionSpi: ", spiUp0), fmt.Sprint("encryptionSpi: ", spiUp1)
	}
	var pairs []string
	for name, text := range blanks {
		pairs = append(pairs, name, strings.ReplaceAll(text, "\n", "\n    "))
	}
	return strings.NewReplacer(pairs...)
}

// first is the first vector of an association: the SPI in 4 octets, a counter in 8.
func first(spi uint16) string { return fmt.Sprintf("initialSeqNum: \"%08x%016x\"", spi, 1) }

// association is one in YAMCS' words, with its key in a file.
func (l yamcsLink) association(t *testing.T, dir string, spi uint16, mask, more string) string {
	t.Helper()
	key, file := l.profile.Keys[spi], filepath.Join(dir, fmt.Sprintf("key-%d", spi))
	if err := os.WriteFile(file, key[:], 0o600); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("{spi: %d, class: org.yamcs.security.sdls.SecurityAssociationAes256Gcm128Factory, authMask: \"%s\", args: {keyFile: \"%s\", %s}}",
		spi, mask, file, more)
}

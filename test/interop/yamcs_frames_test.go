//go:build interop

package interop

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
)

// TestYamcsFrames flies every kind of frame with YAMCS as the ground, in clear and with its
// security: packets down, commands up through COP-1 by the CLCWs that come back, files
// both ways under loss.
func TestYamcsFrames(t *testing.T) {
	for _, l := range frameLinks() {
		t.Run(l.name, func(t *testing.T) {
			c := newCraft(t, l)
			y := startYamcs(t, c)
			c.fly(y.tm)
			part := func(name string, f func(*testing.T, *yamcs, *craftEnd)) {
				t.Run(name, func(t *testing.T) { y.t = t; f(t, y, c) })
			}
			part("telemetry", yamcsArchive)
			part("commands", yamcsCommands)
			part("upload", func(t *testing.T, y *yamcs, c *craftEnd) { yamcsUpload(t, y, c, 2) })
			part("download", func(t *testing.T, y *yamcs, c *craftEnd) { yamcsDownload(t, y, c, 2) })
			switch {
			case l.isProtected():
				part("security", yamcsSecurity)
				part("retransmission", yamcsRetransmission)
			case l.profile.Up == link.FramingUSLP:
				part("directives", yamcsDirectives)
			}
		})
	}
}

// packetOverhead is what a PUS report has around its data, in octets.
const packetOverhead = 22

// yamcsArchive sends packets of all sizes on VC 0 and VC 1, of which many span frames and
// many share one, and reads all of them back from the archive, octet for octet.
//
// Of USLP frames YAMCS 5.13.2 reads the first header pointer as a signed number, so it does
// not know the one for "no packet begins here" (FFFF) and drops a packet that fills a
// whole frame and more: there the packets are shorter, and one shows that it is so.
func yamcsArchive(t *testing.T, y *yamcs, c *craftEnd) {
	rng := rand.New(rand.NewPCG(132, 732))
	longest := 3000
	if c.link.profile.Down == link.FramingUSLP {
		longest = c.link.profile.DownRoom(0) - packetOverhead
	}
	var missing [][]byte
	for i := range 100 {
		missing = append(missing, numbered(t, i, octets(rng, rng.IntN(longest))))
	}
	for i, p := range missing {
		y.send(c, ccsds.VCID(i%2), p)
	}
	defer func() {
		for _, p := range missing {
			t.Errorf("not in the archive: packet %d, %d octets", p[3], len(p))
		}
	}()
	y.wait("all packets are in the archive", func() bool {
		archive := y.packets()
		missing = slices.DeleteFunc(missing, func(p []byte) bool { return archive[string(p)] })
		return len(missing) == 0
	})
	if c.link.profile.Down == link.FramingUSLP {
		long, after := numbered(t, 200, octets(rng, 3000)), numbered(t, 201, nil)
		y.send(c, 1, long)
		y.wait("the packet behind a long one", func() bool {
			y.send(c, 1, after)
			return y.packets()[string(after)]
		})
		if y.packets()[string(long)] {
			t.Error("this YAMCS reads packets that fill USLP frames: no need to keep them short")
		}
	}
}

// numbered is a report with a number and data.
func numbered(t *testing.T, n int, data []byte) []byte {
	t.Helper()
	at := time.Date(2026, 4, 1, 0, 0, n, 0, time.UTC)
	p, err := pus.BuildTM(100, uint16(n), 128, 1, 0, 0, timecode.FromTime(at), timecode.Set, data)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// send queues a packet of the craft as soon as there is room.
func (y *yamcs) send(c *craftEnd, vc ccsds.VCID, packet []byte) {
	y.t.Helper()
	y.wait("room for a packet", func() (ok bool) {
		c.do(func() {
			if ok = c.space.Room(vc) > 0; ok {
				if err := c.space.Send(vc, packet); err != nil {
					y.t.Error(err)
				}
			}
		})
		return ok
	})
}

// packets are those of numbered that the archive has.
func (y *yamcs) packets() map[string]bool {
	var archive struct{ Packets []struct{ Packet []byte } }
	if err := y.get("/archive/perilune/packets?limit=1000&start=2026-04-01T00:00:00Z&stop=2026-04-02T00:00:00Z", &archive); err != nil {
		y.t.Log(err)
	}
	m := map[string]bool{}
	for _, p := range archive.Packets {
		m[string(p.Packet)] = true
	}
	return m
}

// yamcsSecurity compares the anti-replay numbers of both ends: they exist only where frames
// went through the associations, and the craft takes nothing else on its uplink.
func yamcsSecurity(t *testing.T, y *yamcs, c *craftEnd) {
	number := func(way string, spi uint16) uint64 {
		var sa struct {
			Seq       []byte
			Algorithm string
		}
		if err := y.get(fmt.Sprintf("/sdls/perilune/%s/%d", way, spi), &sa); err != nil {
			t.Fatal(err)
		}
		if len(sa.Seq) != 12 || binary.BigEndian.Uint32(sa.Seq) != uint32(spi) {
			t.Fatalf("association %d: vector %x, %s", spi, sa.Seq, sa.Algorithm)
		}
		return binary.BigEndian.Uint64(sa.Seq[4:])
	}
	if n := number("tm", spiDown); n < 20 {
		t.Errorf("YAMCS opened frame %d of the protected channel last", n)
	}
	c.do(func() {
		s := c.space.Stats()
		for _, spi := range []uint16{spiUp0, spiUp1} {
			// YAMCS tells the number that comes next; CLTUs that were lost have used some.
			if next := number("tc", spi); s.Floors[spi] == 0 || s.Floors[spi] >= next {
				t.Errorf("SPI %d: the craft took %d, YAMCS gives %d next", spi, s.Floors[spi], next)
			}
		}
		if n := s.RefusedTotal(); n != 0 || s.AD == 0 || s.BD == 0 {
			t.Errorf("the craft refused %d, took %d AD and %d BD: %v", n, s.AD, s.BD, s.Refused)
		}
	})
}

// yamcsDirectives shows why commands by USLP start from the CLCW and not from Set V(R):
// YAMCS 5.13.2 labels the data of COP-1 directives as packets (UPID 0 where 732.1-B-3
// §4.1.4.2.3 has 1), so the craft takes them for nothing that it knows.
func yamcsDirectives(t *testing.T, y *yamcs, c *craftEnd) {
	y.post("/cop1/perilune/tc.vc0:disable", map[string]any{}, nil)
	y.post("/cop1/perilune/tc.vc0:initialize", map[string]any{"type": "SET_VR", "vR": 77}, nil)
	y.wait("a directive is refused", func() (refused bool) {
		c.do(func() { refused = c.space.Stats().Refused["uslp: reserved bits"] > 0 })
		return refused
	})
	c.do(func() {
		if s := c.space.Stats(); s.BC != 0 {
			t.Errorf("%d directives were accepted: %+v", s.BC, s)
		} else {
			t.Log(s.Refused)
		}
	})
}

// yamcsRetransmission shows why protected commands go without loss here: YAMCS 5.13.2
// protects a frame in place each time it sends it, so one that COP-1 sends again is encrypted
// twice. Its text in clear is then what was encrypted before.
func yamcsRetransmission(t *testing.T, y *yamcs, c *craftEnd) {
	frames := make(chan []byte, 100)
	decoder, err := link.NewUpDecoder(c.link.profile)
	if err != nil {
		t.Fatal(err)
	}
	c.do(func() {
		c.tap = func(cltu []byte) {
			decoder.Push(append(cltu, idleUp...), func(frame []byte, _ link.UpInfo) bool {
				// Type-B frames are of the file transfers before: the bypass flag of TC, or of USLP.
				bypass := frame[0]&0x20 != 0
				if c.link.profile.Up == link.FramingUSLP {
					bypass = frame[6]&0x80 != 0
				}
				if bypass {
					return true
				}
				select {
				case frames <- bytes.Clone(frame):
				default:
				}
				return true
			})
		}
	})
	y.change(http.MethodPatch, "/cop1/perilune/tc.vc0/config", map[string]any{"t1": 500}, nil) // see yamcsLink.timer
	y.issue("ping")
	header := 6 // of TC, with the segment header
	if c.link.profile.Up == link.FramingUSLP {
		header = 8
	}
	var sealed, clear [2][]byte
	for i := range 2 {
		select {
		case f := <-frames:
			n := 1 + (int(f[2])&3<<8 | int(f[3]))
			if header == 8 {
				n = 1 + int(binary.BigEndian.Uint16(f[4:]))
			}
			sealed[i], clear[i] = openRaw(t, c.link, f[:n-2], header)
		case <-time.After(patience):
			t.Fatalf("%d transmissions", i)
		}
	}
	// The data field of a USLP frame begins with a header octet that YAMCS writes again.
	from := 0
	if header == 8 {
		from = 1
	}
	if !bytes.Equal(clear[1][from:], sealed[0][from:]) {
		t.Errorf("sent again: %x, not %x: this YAMCS protects frames once; let the commands be lost", clear[1], sealed[0])
	}
}

// openRaw decrypts a frame that has its security header behind header octets and a MAC at the
// end, and returns what was encrypted and its text in clear.
func openRaw(t *testing.T, l yamcsLink, frame []byte, header int) (sealed, clear []byte) {
	t.Helper()
	const security = 14
	key := l.profile.Keys[spiUp0]
	block, err := aes.NewCipher(key[:])
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	aad := bytes.Clone(frame[:header+security])
	for i, m := range unhex(t, l.masks[1]) {
		aad[i] &= m
	}
	sealed = frame[header+security:]
	clear, err = aead.Open(nil, frame[header+2:header+security], sealed, aad)
	if err != nil {
		t.Fatalf("frame %x: %v", frame, err)
	}
	return sealed[:len(sealed)-aead.Overhead()], clear
}

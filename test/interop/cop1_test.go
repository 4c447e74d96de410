//go:build interop

package interop

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/cop1"
)

func number(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

// TestOurFOP sends over a lossy pipe to the FARM-1 of ccsds-cop, more frames than the
// sequence numbers count: all arrive, in order and once.
func TestOurFOP(t *testing.T) {
	const fdus = 700
	for _, loss := range []float64{0, 0.2} {
		t.Run(fmt.Sprintf("loss %v", loss), func(t *testing.T) {
			p := startPeer(t, "peers/cop1.py", "farm", "20")
			rng := rand.New(rand.NewPCG(232, 1))
			now := time.Unix(0, 0)
			again, confirmed := 0, 0
			fop, err := cop1.NewFOP(0, cop1.Config{Window: 10, Limit: 250, T1First: time.Second,
				T1Min: 50 * time.Millisecond, T1Max: time.Second}, func(n cop1.Notice) {
				if n.Kind == cop1.Alerted {
					t.Errorf("alert %v", n.Alert)
				}
				if n.Kind == cop1.Confirmed {
					confirmed++
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := fop.InitiateSetVR(250); err != nil {
				t.Fatal(err)
			}
			sent, got := 0, 0
			take := func(lines [][]string) {
				for _, line := range lines {
					switch line[0] {
					case "got":
						if want := hex.EncodeToString(number(got)); line[1] != want {
							t.Fatalf("got %s, want %s", line[1], want)
						}
						got++
					case "clcw":
						var c cop1.CLCW
						if err := c.DecodeFromBytes(unhex(t, line[1]), nil); err != nil {
							t.Fatal(err)
						}
						if rng.Float64() >= loss {
							fop.CLCW(c, now)
						}
					}
				}
			}
			for step := 0; confirmed < fdus; step++ {
				if step > 50_000 {
					t.Fatalf("sent %d, got %d, confirmed %d, state %v", sent, got, confirmed, fop.State())
				}
				now = now.Add(10 * time.Millisecond)
				fop.Tick(now)
				if sent < fdus && fop.Ready() {
					if err := fop.Send(&cop1.FDU{Data: number(sent)}); err != nil {
						t.Fatal(err)
					}
					sent++
				}
				f, ok := fop.Next(now)
				if !ok {
					continue
				}
				if f.Again {
					again++
				}
				if rng.Float64() < loss {
					continue
				}
				if f.Kind == cop1.BC {
					take(p.ask("bc", hex.EncodeToString(f.FDU.Data)))
				} else {
					take(p.ask("ad", strconv.Itoa(int(f.Seq)), hex.EncodeToString(f.FDU.Data)))
				}
			}
			if got != fdus || loss > 0 && again == 0 {
				t.Errorf("got %d of %d, %d radiated again", got, fdus, again)
			}
			t.Logf("%d frames, %d radiated again", fdus, again)
		})
	}
}

// TestOurFARM takes what the FOP-1 of ccsds-cop sends over a lossy pipe. That one
// compares N(R) without modulo, so the numbers must not wrap. Where frames are lost it
// needs help: it drops its whole Sent_Queue at any acknowledgement, so the window is one
// frame; and it sends no Set V(R) a second time, so it begins without.
func TestOurFARM(t *testing.T) {
	const fdus = 150
	for _, loss := range []float64{0, 0.2} {
		t.Run(fmt.Sprintf("loss %v", loss), func(t *testing.T) {
			window := "8"
			if loss > 0 {
				window = "1"
			}
			p := startPeer(t, "peers/cop1.py", "fop", window, "0.1")
			rng := rand.New(rand.NewPCG(232, 2))
			vr, begins := uint8(200), "setvr"
			if loss > 0 {
				vr, begins = 3, "begin"
			}
			farm, err := cop1.NewFARM(16, vr)
			if err != nil {
				t.Fatal(err)
			}
			sent, got, frames := 0, 0, 0
			busy, state := false, ""
			take := func(lines [][]string) {
				for _, line := range lines {
					switch line[0] {
					case "busy":
						busy = true
					case "alert":
						t.Fatalf("sent %d, got %d, FARM %+v: alert %s", sent, got, farm.CLCW(0), line[1])
					case "state":
						state = line[1]
					case "bc":
						if v := farm.Control(unhex(t, line[1])); v != cop1.Accepted {
							t.Errorf("directive %s: %v", line[1], v)
						}
					case "ad":
						frames++
						ns, err := strconv.Atoi(line[1])
						if err != nil {
							t.Fatal(err)
						}
						if rng.Float64() < loss || farm.AD(uint8(ns), true) != cop1.Accepted {
							continue
						}
						if want := hex.EncodeToString(number(got)); line[2] != want {
							t.Fatalf("got %s, want %s", line[2], want)
						}
						got++
					}
				}
			}
			begin := time.Now()
			take(p.ask(begins, "3"))
			for got < fdus || farm.VR() != uint8(3+fdus) {
				if time.Since(begin) > patience {
					t.Fatalf("sent %d, got %d, state %s, FARM %v", sent, got, state, farm.State())
				}
				if sent < fdus && state == "1" {
					busy = false
					take(p.ask("send", hex.EncodeToString(number(sent))))
					if !busy {
						sent++
					}
				}
				if c := farm.CLCW(0); rng.Float64() >= loss {
					o := c.Octets()
					take(p.ask("clcw", hex.EncodeToString(o[:])))
				} else {
					time.Sleep(time.Millisecond)
					take(p.ask("poll"))
				}
			}
			t.Logf("%d FDUs in %d frames", fdus, frames)
			if loss > 0 && frames == fdus {
				t.Error("nothing was radiated again")
			}
		})
	}
}

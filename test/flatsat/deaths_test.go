package flatsat_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/spp"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/missions/craft"
)

// eavesdropper hears both ways without noise and counts the octets of file data in all PDUs.
type eavesdropper struct {
	space    *link.Space
	ground   *link.Ground
	up, down int
}

// keeps is what an eavesdropper remembers of replay and sequence: nothing.
type keeps struct{}

func (keeps) LoadFloor(uint16) (uint64, error)       { return 0, nil }
func (keeps) SaveFloor(uint16, uint64) error         { return nil }
func (keeps) LoadVR(ccsds.VCID) (uint8, bool, error) { return 0, false, nil }
func (keeps) SaveVR(ccsds.VCID, uint8) error         { return nil }
func (keeps) Next(uint16) (uint64, error)            { return 0, errors.New("it does not send") }
func (keeps) Floor(uint16) (uint64, error)           { return 0, nil }
func (keeps) Raise(uint16, uint64) error             { return nil }

func (f *flatsat) eavesdrop() *eavesdropper {
	f.t.Helper()
	e := &eavesdropper{}
	count := func(n *int, packet []byte) {
		var p spp.Packet
		if err := p.DecodeFromBytes(packet, nodf{}); err != nil || p.APID != 2 {
			return
		}
		if _, b, err := cfdp.Decode(p.Payload); err == nil {
			if d, ok := b.(*cfdp.FileData); ok {
				*n += len(d.Data)
			}
		}
	}
	var errUp, errDown error
	e.space, errUp = link.NewSpace(f.profile, keeps{}, link.SpaceEvents{Packet: func(_ ccsds.VCID, p []byte) { count(&e.up, p) }})
	e.ground, errDown = link.NewGround(f.profile, keeps{}, link.GroundEvents{Packet: func(_ ccsds.VCID, p []byte, _ link.Offset) { count(&e.down, p) }})
	if err := errors.Join(errUp, errDown); err != nil {
		f.t.Fatal(err)
	}
	f.air.mu.Lock()
	defer f.air.mu.Unlock()
	f.air.third = func(up bool, raw []byte) {
		if up {
			_ = e.space.Receive(raw) // it keeps nothing, so nothing fails
		} else {
			e.ground.Receive(raw)
		}
	}
	return e
}

func (f *flatsat) count(n *int) int {
	f.air.mu.Lock()
	defer f.air.mu.Unlock()
	return *n
}

type nodf struct{}

func (nodf) SetTruncated() {}

// kill ends a program as SIGKILL would: what it does on its way out is heard by nobody, and its
// folder is afterwards as it was at this moment. start begins it again after a time.
func (f *flatsat) kill(p *running, name string, who *side, start func()) {
	f.t.Helper()
	dir := filepath.Join(f.dir, name)
	synctest.Wait()
	as := dir + ".then"
	if err := os.CopyFS(as, os.DirFS(dir)); err != nil {
		f.t.Fatal(err)
	}
	off := func(on bool) {
		f.air.mu.Lock()
		who.off = on
		f.air.mu.Unlock()
	}
	off(true)
	p.end(f, name)
	if err := errors.Join(os.RemoveAll(dir), os.Rename(as, dir)); err != nil {
		f.t.Fatal(err)
	}
	time.Sleep(restartTime)
	off(false)
	start()
}

// restartTime is how long a program that died is away.
const restartTime = 500 * time.Millisecond

const (
	transferSize = 1_200_000
	linkRate     = 256_000              // bit/s on the way of the file
	backRate     = 64_000               // and on the way back, which saves frames to decode
	window       = linkRate / 8 * 3 / 2 // octets: what the link carries while a side is away and until a second later
)

// TestTransfersThroughDeaths: the craft's program or the station's is killed three times at
// random moments of an upload or a download. The file arrives whole, and what is sent again, for all
// three, is at most a tenth of it and one window.
func TestTransfersThroughDeaths(t *testing.T) {
	seeds := uint64(3)
	if testing.Short() {
		seeds = 1
	}
	outside(t)
	for _, way := range []string{"up", "down"} {
		up, down := linkRate, backRate
		if way == "down" {
			up, down = down, up
		}
		desc, err := craft.Parse(fmt.Appendf(nil, "%s[link]\ndown_rate = %d\nup_rate = %d\n", craftTOML, down, up), "craft.toml")
		if err != nil {
			t.Fatal(err)
		}
		for _, side := range []string{"craft", "station"} {
			for seed := range seeds {
				t.Run(fmt.Sprintf("%s/%s/seed %d", way, side, seed), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						flyAs(t, desc, nil, seed, 0, 0, func(ctx context.Context, f *flatsat) {
							f.t = t
							transferThroughDeaths(ctx, f, way, side, rand.New(rand.NewPCG(seed, 727)))
						})
					})
				})
			}
		}
	}
}

func transferThroughDeaths(ctx context.Context, f *flatsat, way, side string, rng *rand.Rand) {
	t := f.t
	limit, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	data := make([]byte, transferSize)
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	// From the first frame on, or its FARM-1 would not follow.
	heard := f.eavesdrop()
	if _, err := f.api.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	n := &heard.up
	if way == "up" {
		local := filepath.Join(f.dir, "file")
		if err := os.WriteFile(local, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := f.api.Upload(ctx, local, client.Put{Dest: "file", Class: 2}); err != nil {
			t.Fatal(err)
		}
	} else {
		n = &heard.down
		if err := os.WriteFile(filepath.Join(f.dir, "data", "incoming", "file"), data, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := f.api.Ask(ctx, client.Ask{Kind: client.AskGet, Name: "file", Class: 2}); err != nil {
			t.Fatal(err)
		}
	}
	const deaths = 3
	for range deaths {
		// By the clock, which is fake: where in the protocol that is differs from seed to seed.
		before := f.count(n)
		for f.count(n) == before {
			if limit.Err() != nil {
				t.Fatal("no file data is heard")
			}
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Duration(rng.IntN(int(8 * time.Second))))
		if side == "craft" {
			f.kill(&f.space, "data", &f.air.craft, func() { f.startFlight(ctx) })
		} else {
			f.api.Close()
			f.kill(&f.ground, "ground", &f.air.station, func() { f.startGround(ctx) })
		}
	}
	arrived := filepath.Join(f.dir, "data", "incoming", "file")
	if way == "down" {
		arrived = filepath.Join(f.dir, "ground", "files", "file")
	}
	for {
		if got, err := os.ReadFile(arrived); err == nil && bytes.Equal(got, data) {
			break
		}
		if limit.Err() != nil {
			all, err := f.api.Transfers(ctx)
			t.Fatalf("not there after ten minutes: %+v, %v", all, err)
		}
		time.Sleep(time.Second)
	}
	time.Sleep(5 * time.Second) // whatever is still sent counts
	again, most := f.count(n)-transferSize, transferSize/10+window
	t.Logf("%d octets of %d were sent again, at most %d", again, transferSize, most)
	if again > most || again < 0 {
		t.Errorf("%d octets were sent again, at most %d", again, most)
	}
}

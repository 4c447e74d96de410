package linkd_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/spp"
	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/scheduler/linkd"
	"github.com/perilune/perilune/scheduler/safe"
)

// tap is a radio whose downlink goes to fn.
type tap struct{ fn func([]byte) }

func (t tap) Receive(ctx context.Context, _ func([]byte)) error {
	<-ctx.Done()
	return ctx.Err()
}

func (t tap) Write(_ context.Context, bits []byte) (int, error) {
	t.fn(bits)
	return len(bits), nil
}

// protected is the profile with VC 0 of the downlink encrypted.
func protected() link.Profile {
	p := profile()
	p.Keys[16] = [32]byte{16}
	p.DownSPI = map[ccsds.VCID]uint16{0: 16}
	return p
}

// A craft without a disk begins with new records at each start. Its telemetry must not be
// protected by numbers that it used before: the ground, which has seen them, takes none of
// it, and encryption with the same vector twice is none.
func TestNumbersWithoutRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		packets, bad := 0, 0
		g, err := link.NewGround(protected(), &counter{}, link.GroundEvents{
			Packet: func(ccsds.VCID, []byte, link.Offset) { packets++ },
			Bad:    func(string, uint64) { bad++ },
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			before := packets
			run(t, func(bits []byte) { g.Receive(bits) })
			if packets-before < 10 || bad > 0 {
				t.Fatalf("%d packets of this start, %d frames refused", packets-before, bad)
			}
		}
	})
}

// run flies for two seconds on new records.
func run(t *testing.T, down func([]byte)) {
	t.Helper()
	p, err := spp.Append(nil, &spp.Packet{APID: 1, SeqFlags: spp.Unsegmented}, make([]byte, 100))
	if err != nil {
		t.Fatal(err)
	}
	l, err := linkd.New(linkd.Config{
		Profile: protected(), Saver: linkd.Saver{Records: safe.NewRecords()}, Radio: tap{down}, Clock: clock.Real{},
		Fill:    func(s linkd.Sink) { _ = s.Send(0, p) },
		Packet:  func(context.Context, ccsds.VCID, []byte) error { return nil },
		Refused: func(string, string, int) {}, Locked: func(bool) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Second)
	defer stop()
	if err := l.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
}

package flatsat_test

import (
	"context"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/internal/client"
)

// The keys of all channels of the uplink are changed over the air, twice, while telecommands
// are under way: none is lost, and a forged new key is refused with an event.
func TestKeysOverTheAir(t *testing.T) {
	hostile(t, func(t *testing.T, ctx context.Context, f *flatsat) {
		for round := range 2 {
			for vc := range uint8(3) {
				var under []uint64
				for range 5 {
					id, err := f.api.SendPing(ctx)
					if err != nil {
						t.Fatal(err)
					}
					under = append(under, id)
				}
				key, err := f.api.RotateKey(ctx, client.Rotation{VC: vc})
				if err != nil {
					t.Fatalf("round %d, channel %d: %v", round, vc, err)
				}
				if key.VC != vc || key.Key <= 1000 {
					t.Errorf("round %d, channel %d: %+v", round, vc, key)
				}
				for _, id := range under {
					if _, err := f.api.WaitCommand(ctx, id, client.StageCompleted); err != nil {
						t.Errorf("round %d, channel %d: a telecommand was lost: %v", round, vc, err)
					}
				}
			}
		}
		wrong := sdls.Key{ID: 0, Value: [32]byte{1}, State: sdls.Active, Master: true}
		p, err := sdls.OTARPDU(wrong, [12]byte{1}, sdls.KeyBlock{ID: 4000, Value: [32]byte{2}})
		if err != nil {
			t.Fatal(err)
		}
		data, err := p.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.api.Do(ctx, client.Request{Service: pus.ServiceSecurity, Subtype: pus.SecurityCommand, Data: data}); err == nil {
			t.Error("a key under another master key is taken")
		}
		f.event(ctx, pus.EventKeysRefused, "MAC does not match", time.Minute)
		if _, err := f.api.Ping(ctx); err != nil {
			t.Error(err)
		}
	})
}

package flatsat_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/internal/client"
)

// Who has lost what was changed finds together again by the recovery channel.
func TestKeyRecovery(t *testing.T) {
	for _, tt := range []struct {
		name    string
		before  func(ctx context.Context, f *flatsat)
		between func(f *flatsat)
		works   bool // without recovering
		either  bool // it may, by chance
	}{
		{name: "station lost its records", before: func(ctx context.Context, f *flatsat) {
			f.rotate(ctx, 0, false)
			f.rotate(ctx, 2, false)
			f.rotate(ctx, 0, true)
		}, between: func(f *flatsat) { f.lose(stationDB) }, works: true},
		{name: "station lost the changed keys", before: func(ctx context.Context, f *flatsat) {
			f.rotate(ctx, 0, false)
			f.rotate(ctx, 1, false)
			f.rotate(ctx, 1, true)
		}, between: func(f *flatsat) { f.lose(stationDB, changedKeys) }},
		{name: "station lost the key by which it hears", before: func(ctx context.Context, f *flatsat) {
			f.rotate(ctx, 0, true)
			f.rotate(ctx, 0, false)
		}, between: func(f *flatsat) { f.lose(stationDB, changedKeys) }},
		{name: "and that had changed twice", before: func(ctx context.Context, f *flatsat) {
			f.rotate(ctx, 0, true)
			f.rotate(ctx, 0, true)
		}, between: func(f *flatsat) { f.lose(stationDB, changedKeys) }},
		{name: "the station's changed keys are damaged", before: func(ctx context.Context, f *flatsat) {
			f.rotate(ctx, 0, false)
			f.rotate(ctx, 1, true)
		}, between: func(f *flatsat) { f.damage(changedKeys) }},
		{name: "craft lost its records", before: func(ctx context.Context, f *flatsat) {
			for vc := range uint8(3) {
				f.rotate(ctx, vc, false)
				f.rotate(ctx, vc, true)
			}
		}, between: func(f *flatsat) { f.lose(craftDB) }},
		{name: "craft lost its records half way", before: func(ctx context.Context, f *flatsat) {
			within, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
			defer cancel()
			if _, err := f.api.RotateKey(within, client.Rotation{}); err == nil {
				f.t.Error("the rotation was too quick to be cut off")
			}
		}, between: func(f *flatsat) { f.lose(craftDB) }, either: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			protected(t, "tm", func(t *testing.T, ctx context.Context, f *flatsat) {
				f.ping(ctx)
				tt.before(ctx, f)
				f.again(ctx, func() { tt.between(f) })
				within, cancel := context.WithTimeout(ctx, time.Minute)
				_, err := f.api.Ping(within)
				cancel()
				if !tt.either && tt.works != (err == nil) {
					t.Fatalf("before it recovers: %v", err)
				}
				if _, err := f.api.RecoverKeys(ctx); err != nil {
					t.Fatal(err)
				}
				f.settled(ctx)
				f.again(ctx, func() {})
				f.settled(ctx)
				f.rotate(ctx, 0, true)
				f.settled(ctx)
			})
		})
	}
}

// What would leave a channel without key or association is refused with its reason, by whom
// it concerns, and everything goes on.
func TestNeverLockedOut(t *testing.T) {
	protected(t, "tm", func(t *testing.T, ctx context.Context, f *flatsat) {
		f.ping(ctx)
		for _, tt := range []struct {
			p    client.Procedure
			want string
		}{
			{client.Procedure{Name: "key.revoke", Key: 1}, sdls.ErrInUse.Error()},
			{client.Procedure{Name: "key.deactivate", Key: 3}, sdls.ErrInUse.Error()},
			{client.Procedure{Name: "key.revoke", Key: 16}, sdls.ErrInUse.Error()},
			{client.Procedure{Name: "key.activate", Key: 77}, sdls.ErrNoKey.Error()},
			{client.Procedure{Name: "key.revoke", Key: 0}, sdls.ErrMaster.Error()},
			{client.Procedure{Name: "sa.stop", SPI: 1}, "is the only one of channel 0"},
			{client.Procedure{Name: "sa.stop", SPI: 3}, "is the only one of channel 2"},
			{client.Procedure{Name: "sa.stop", SPI: 16}, "is the only one of channel 0"},
			{client.Procedure{Name: "sa.expire", SPI: 1}, "it is operational"},
			{client.Procedure{Name: "sa.delete", SPI: 3}, "it is operational"},
			{client.Procedure{Name: "sa.number", SPI: 3, Number: 1 << 62}, "is the only one of channel 2"},
			{client.Procedure{Name: "sa.start", SPI: 32769}, "it is unkeyed"},
			{client.Procedure{Name: "sa.create", SPI: 32769}, "it is unkeyed"},
		} {
			_, err := f.api.Procedure(ctx, tt.p)
			var refused *client.RefusedError
			if !errors.As(err, &refused) || !strings.Contains(refused.Reason, tt.want) || refused.Code == 0 {
				t.Errorf("%+v: %v, want %q", tt.p, err, tt.want)
			}
		}
		f.settled(ctx)
	})
}

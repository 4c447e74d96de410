package flatsat_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perilune/perilune/ccsds/coding"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/tc"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/missions/bundle/bundletest"
)

// hostile flies over a clear channel on a fake clock.
func hostile(t *testing.T, fn func(t *testing.T, ctx context.Context, f *flatsat)) {
	outside(t)
	synctest.Test(t, func(t *testing.T) {
		fly(t, 1, 0, 0, func(ctx context.Context, f *flatsat) { fn(t, ctx, f) })
	})
}

// radiate sends bits to the craft that the station never made, and then a ping: whatever
// they were, the craft goes on.
func (f *flatsat) radiate(ctx context.Context, bits []byte) {
	f.t.Helper()
	f.air.mu.Lock()
	f.air.inject = bits
	f.air.mu.Unlock()
	if _, err := f.api.Ping(ctx); err != nil {
		f.t.Fatalf("ping: %v", err)
	}
}

// event waits for an event report of the craft with these words, behind the last one
// that it waited for.
func (f *flatsat) event(ctx context.Context, id pus.EventID, words string, within time.Duration) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	e, err := f.api.Wait(ctx, f.seen, func(e client.Event) bool {
		return e.Field("name") == id.String() && strings.Contains(e.Text, words)
	}, client.KindEvent)
	if err != nil {
		f.t.Errorf("no event %v with %q: %v", id, words, err)
		return
	}
	f.seen = e.Seq
}

// frame is a CLTU with a frame of these octets.
func frame(t *testing.T, f tc.Frame, data []byte) []byte {
	t.Helper()
	f.Params.FECF = true
	if f.SCID == 0 {
		f.SCID = 42
	}
	f.Params.SCID = f.SCID
	b, err := tc.Append(nil, &f, data)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func cltu(frame []byte) []byte { return coding.EncodeCLTU(bytes.Repeat([]byte{0x55}, 16), frame) }

func TestNoiseAndBadFrames(t *testing.T) {
	hostile(t, func(t *testing.T, ctx context.Context, f *flatsat) {
		noise := make([]byte, 1<<20)
		rnd := rand.New(rand.NewPCG(1, 2))
		for i := range noise {
			noise[i] = byte(rnd.Uint32())
		}
		f.radiate(ctx, noise)
		whole := frame(t, tc.Frame{VCID: 0, Bypass: true}, bytes.Repeat([]byte{0xC0}, 100))
		damaged := bytes.Clone(whole)
		damaged[50] ^= 0x5A
		large := frame(t, tc.Frame{VCID: 0, Bypass: true}, bytes.Repeat([]byte{0xC0}, 900))
		for _, tt := range []struct {
			name, want string
			noise      bool // it could be, and is reported seldom
			frame      []byte
		}{
			{"truncated", "tc: truncated", true, whole[:40]},
			{"header alone", "tc: truncated", true, whole[:5]},
			{"half a header", "tc: truncated", true, whole[:3]},
			{"oversized", "tc: wrong length", true, large},
			{"damaged", "tc: frame error control", true, damaged},
			{"other spacecraft", "tc: other spacecraft", false, frame(t, tc.Frame{SCID: 43, VCID: 0, Bypass: true}, make([]byte, 50))},
			{"unknown channel", "tc: unknown virtual channel", false, frame(t, tc.Frame{VCID: 9, Bypass: true}, make([]byte, 50))},
			{"unprotected", "sdls: unknown SPI", false, frame(t, tc.Frame{VCID: 0, Bypass: true}, append([]byte{0xC0}, make([]byte, 60)...))},
			{"clear command", "farm: invalid control command", false, frame(t, tc.Frame{VCID: 0, Bypass: true, Control: true}, []byte{0x83, 0, 0})},
		} {
			f.radiate(ctx, cltu(tt.frame))
			within := time.Minute
			if tt.noise {
				within = 11 * time.Minute
			}
			f.event(ctx, pus.EventLinkRefused, tt.want, within)
		}
		s, err := f.api.Status(ctx)
		if err != nil || s.Health == nil || s.Health.RefusedUp < 9 {
			t.Errorf("status %+v, %v", s.Health, err)
		}
	})
}

// TestPacketsForOthers sends what is well formed and well protected, to the wrong place.
func TestPacketsForOthers(t *testing.T) {
	hostile(t, func(t *testing.T, ctx context.Context, f *flatsat) {
		key, err := f.dev.Tenant("borealis")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.api.Activate(ctx, f.pack("earth", key), nil); err != nil {
			t.Fatal(err)
		}
		data, err := pus.TenantData{Mission: "earth", Data: []byte("x")}.Encode()
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			name string
			req  client.Request
			want string
		}{
			{"borealis' mission under the APID of acme", client.Request{APID: 100, Service: 128, Subtype: 1, Data: data}, "acme/earth"},
			{"an APID of nobody", client.Request{APID: 500, Service: 17, Subtype: 1}, "APID 500"},
			{"a function of flight under a tenant's APID", client.Request{APID: 101, Function: pus.FunctionMissionList}, "TC[8,1] to APID 101"},
			{"a tenant's telecommand to flight", client.Request{APID: 1, Service: 128, Subtype: 1, Data: data}, "APID 1"},
		} {
			_, err := f.api.Do(ctx, tt.req)
			var refused *client.RefusedError
			if !errors.As(err, &refused) || !strings.Contains(refused.Reason, tt.want) {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		f.event(ctx, pus.EventPacketRefused, "APID 500", time.Minute)
		if _, err := f.api.Ping(ctx); err != nil {
			t.Fatal(err)
		}
	})
}

// TestHostileBundles sends each kind of bad bundle through the whole chain: refused on
// board by the name of its rule, with an event, while all else goes on.
func TestHostileBundles(t *testing.T) {
	hostile(t, func(t *testing.T, ctx context.Context, f *flatsat) {
		key, err := f.dev.Tenant("borealis")
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range bundletest.All() {
			path := filepath.Join(f.dir, h.Name+".tar")
			if err := h.Make(path, "borealis", key); err != nil {
				t.Fatal(err)
			}
			var refused *client.RefusedError
			if _, err := f.api.Activate(ctx, path, nil); !errors.As(err, &refused) || refused.Rule != h.Rule || !strings.Contains(refused.Reason, h.Rule+": ") {
				t.Errorf("%s: %v, want rule %s", h.Name, err, h.Rule)
			}
			f.event(ctx, pus.EventBundleRefused, h.Rule+": ", time.Minute)
			if _, err := f.api.Ping(ctx); err != nil {
				t.Fatalf("after %s: %v", h.Name, err)
			}
		}
		if left, _ := filepath.Glob(filepath.Join(f.dir, "data", "missions", "*", "*")); len(left) != 0 {
			t.Errorf("left on board: %q", left)
		}
		act, err := f.api.Activate(ctx, f.pack("earth", key), nil)
		if err != nil || act.Mission != "earth" {
			t.Fatalf("an honest bundle afterwards: %+v, %v", act, err)
		}
	})
}

// TestFilesStayInTheirFolder: an activation names files below the craft's folder only.
func TestFilesStayInTheirFolder(t *testing.T) {
	hostile(t, func(t *testing.T, ctx context.Context, f *flatsat) {
		for _, args := range [][]string{{"../../records.db", "x"}, {"/etc/passwd", "x"}, {"none.tar", "../x"}, {"none.tar", "none"}, {"none.tar"}, {}} {
			_, err := f.api.Do(ctx, client.Request{Function: pus.FunctionBundleActivate, Arguments: args})
			var refused *client.RefusedError
			if !errors.As(err, &refused) || refused.Reason == "" {
				t.Errorf("%q: %v", args, err)
			}
		}
		if _, err := f.api.Ping(ctx); err != nil {
			t.Fatal(err)
		}
	})
}

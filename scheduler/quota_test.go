package scheduler_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/scheduler/depot"
)

// A mission that its grant allows still starts only with as many vCPUs as the craft's own
// description lets a guest of its tenant have.
func TestVCPUsAtStart(t *testing.T) {
	c := newCraft(t, 0)
	c.bundleWith("borealis", "pair", filepath.Join(c.dir, "image", "pair.tar"), "borealis", 2)
	c.boot()
	c.ground.verified(c.ground.function(pus.FunctionMissionStart, "borealis", "pair"), pus.CompletionSuccess)
	c.halt()

	c.cfg.Craft.Tenant("borealis").VCPUs = 1
	c.ground.forget()
	c.boot()
	v := c.ground.verified(c.ground.function(pus.FunctionMissionStart, "borealis", "pair"), pus.CompletionFailure)
	if v.Code != pus.FailureNotPermitted || !strings.HasPrefix(v.Text, "grant.vcpus: it wants 2 vCPUs") {
		t.Errorf("%v %q", v.Code, v.Text)
	}
}

// The guests of a tenant together open no more channels than its grant and the craft's
// description give: the second one of other channels waits until the first has ended.
func TestChannelsAtStart(t *testing.T) {
	c := newCraft(t, 0)
	for _, name := range []string{"one", "two"} {
		c.bundleWith("borealis", name, filepath.Join(c.dir, "image", name+".tar"), "borealis", 1, name)
	}
	c.boot()
	start := func(name string, end uint8) pus.Verification {
		t.Helper()
		return c.ground.verified(c.ground.function(pus.FunctionMissionStart, "borealis", name), end)
	}
	start("one", pus.CompletionSuccess)
	if v := start("two", pus.CompletionFailure); v.Code != pus.FailureNotPermitted ||
		!strings.HasPrefix(v.Text, "grant.channels: it wants 1 channels beside 1 that are open") {
		t.Errorf("%v %q", v.Code, v.Text)
	}
	c.ground.verified(c.ground.function(pus.FunctionMissionStop, "borealis", "one"), pus.CompletionSuccess)
	start("two", pus.CompletionSuccess)
}

// An upload of a length that nobody knows at its beginning is held against the quota of the
// file store as it comes: beyond it the craft refuses, says so, and nothing stays on board.
func TestUnboundedUploadInQuota(t *testing.T) {
	c := newCraft(t, 0)
	c.boot()
	c.ground.wait("beacon", isBeacon) // flight is up
	const room = 40_000
	incoming := filepath.Join(c.dir, "data", "incoming")
	full := filepath.Join(incoming, "full")
	if err := errors.Join(os.WriteFile(full, nil, 0o644), os.Truncate(full, depot.MaxOctets-room)); err != nil {
		t.Fatal(err)
	}
	upload := func(name string, size int, unbounded bool, want cfdp.Condition) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(c.dir, "down", name), make([]byte, size), 0o644); err != nil {
			t.Fatal(err)
		}
		c.ground.mu.Lock()
		_, err := c.ground.cfdp.Put(time.Now(), cfdp.Put{Dest: 2, Source: name, DestName: name, Unbounded: unbounded})
		c.ground.mu.Unlock()
		if err != nil {
			t.Fatal(err)
		}
		for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
			c.ground.mu.Lock()
			got, over := c.ground.files[name]
			c.ground.mu.Unlock()
			if over && got != want {
				t.Errorf("%s ended with %v, want %v", name, got, want)
			}
			if over {
				return
			}
		}
		t.Fatalf("the upload of %s does not end", name)
	}
	upload("long", 3*room, true, cfdp.FilestoreRejection)
	c.ground.event(pus.EventLinkRefused, "filestore rejection: full: ")
	upload("short", room, true, cfdp.NoError) // all of the room is there again
	var names []string
	err := fs.WalkDir(os.DirFS(incoming), ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil || !slices.Equal(names, []string{"full", "short"}) {
		t.Errorf("on board are %v, %v", names, err)
	}
}

package scheduler_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/perilune/perilune/ccsds/pus"
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

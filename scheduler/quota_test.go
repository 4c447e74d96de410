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

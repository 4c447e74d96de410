package bundletest_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/missions/bundle"
	"github.com/perilune/perilune/missions/bundle/bundletest"
	"github.com/perilune/perilune/missions/grant"
)

// TestAll checks that each bundle breaks the rule it is made for; those whose form holds
// leave the craft's own checks something to do.
func TestAll(t *testing.T) {
	key, err := grant.NewKey(grant.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range bundletest.All() {
		path := filepath.Join(t.TempDir(), h.Name)
		if err := h.Make(path, "borealis", key); err != nil {
			t.Fatalf("%s: %v", h.Name, err)
		}
		b, err := bundle.Open(path, bundle.DefaultLimits())
		if h.Rule == missions.RuleELF || h.Rule == missions.RuleManifest {
			if err != nil {
				t.Errorf("%s: %v", h.Name, err)
				continue
			}
			says, signer, err := grant.ReadBundle(b.Signature)
			if err != nil || signer != key.Public() || says.Digest != b.Digest.String() {
				t.Errorf("%s: signed by %s for %+v, %v", h.Name, signer, says, err)
			}
			b.Close()
			continue
		}
		var r *missions.RuleError
		if !errors.As(err, &r) || r.Rule != h.Rule {
			t.Errorf("%s: %v, want %s", h.Name, err, h.Rule)
		}
	}
}

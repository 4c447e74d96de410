package store_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/missions/bundle/bundletest"
	"github.com/perilune/perilune/missions/grant"
)

// forge rewrites a bundle as bundletest.Forge does; nobody signs anew.
func (w *world) forge(path string, honest bool, change func(data map[string][]byte), more ...tar.Header) string {
	w.t.Helper()
	to := filepath.Join(w.files, "forged.tar")
	if err := bundletest.Forge(path, to, honest, change, grant.Key{}, more...); err != nil {
		w.t.Fatal(err)
	}
	return to
}

// swap replaces text in whichever member has it.
func swap(old, fresh string) func(map[string][]byte) {
	return func(data map[string][]byte) {
		for n := range data {
			data[n] = bytes.ReplaceAll(data[n], []byte(old), []byte(fresh))
		}
	}
}

// digestOf is the digest of the manifest that the index of a bundle names.
func digestOf(t *testing.T, path string) string {
	t.Helper()
	_, data, err := bundletest.Members(path)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := bytes.Cut(data["index.json"], []byte(`"digest":"`))
	if !ok {
		return "sha256:none"
	}
	d, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(d)
}

func bundleRules() map[string]func(w *world) (string, string) {
	ordered := func(w *world, path string) (string, string) { return path, w.order(digestOf(w.t, path)) }
	packed := func(s spec) func(*world) (string, string) {
		return func(w *world) (string, string) { p, d := w.pack(s); return p, w.order(d) }
	}
	forged := func(honest bool, change func(map[string][]byte), more ...tar.Header) func(*world) (string, string) {
		return func(w *world) (string, string) {
			p, _ := w.pack(spec{})
			return ordered(w, w.forge(p, honest, change, more...))
		}
	}
	none := func(map[string][]byte) {}
	_, elsewhere := machines()
	return map[string]func(*world) (string, string){
		missions.RuleLayout + " no tar": func(w *world) (string, string) {
			return w.write("rubbish.tar", bytes.Repeat([]byte("rubbish "), 200)), w.order("sha256:none")
		},
		missions.RuleLayout + " no index": forged(false, func(d map[string][]byte) { delete(d, "index.json") }),
		missions.RulePath + " traversal": forged(false, func(d map[string][]byte) {
			d["../../../etc/passwd"] = []byte("root::0:0::/:/bin/sh\n")
		}),
		missions.RuleType + " symlink": forged(false, none,
			tar.Header{Name: "blobs/sha256/" + strings.Repeat("0", 64), Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}),
		missions.RuleSize + " claim": forged(true, swap(`"size":`, `"size":9`)),
		missions.RuleBlob + " missing": forged(false, func(d map[string][]byte) {
			for n, content := range d {
				if bytes.HasPrefix(content, []byte("name = ")) {
					delete(d, n)
				}
			}
		}),
		missions.RuleDigest + " changed":          forged(false, swap("memory = 8", "memory = 9")),
		missions.RuleMission + " unknown key":     forged(true, swap("memory = 8", "memroy = 8")),
		missions.RuleMission + " half a sector":   packed(spec{block: make([]byte, 700)}),
		missions.RuleMission + " empty device":    packed(spec{block: []byte{}}),
		missions.RuleNoGrant:                      packed(spec{tenant: "nobody"}),
		missions.RuleQuota + " memory":            packed(spec{memory: 17}),
		missions.RuleQuota + " storage":           packed(spec{block: make([]byte, 1<<20)}),
		missions.RuleQuota + " network":           packed(spec{more: "[[net]]\nname = \"eth\"\n"}),
		missions.RuleVCPUs:                        packed(spec{vcpus: 2}),
		missions.RuleChannels:                     packed(spec{more: "[[channel]]\nname = \"one\"\n[[channel]]\nname = \"two\"\n"}),
		missions.RuleSignature + " other tenant":  packed(spec{signer: "acme"}),
		missions.RuleSignature + " none":          forged(true, swap("space.perilune.signature", "space.perilune.sagnature")),
		missions.RuleSignature + " other content": forged(true, swap("memory = 8", "memory = 9")),
		missions.RuleELF + " garbage":             packed(spec{program: bytes.Repeat([]byte("not an ELF "), 500)}),
		missions.RuleELF + " cut":                 packed(spec{program: []byte("\x7fELF\x02\x01\x01")}),
		missions.RuleELF + " of another machine":  packed(spec{machine: elsewhere}),
		missions.RuleManifest + " more":           packed(spec{devices: []hvt.Entry{{Name: "link", Type: hvt.Net}, {Name: "more", Type: hvt.Net}}}),
		missions.RuleManifest + " other type":     packed(spec{devices: []hvt.Entry{{Name: "link", Type: hvt.Block}}}),
		missions.RuleManifest + " more vCPUs":     packed(spec{devices: []hvt.Entry{{Name: "link", Type: hvt.Net}, processors(2)}}),
		missions.RuleManifest + " none":           packed(spec{devices: []hvt.Entry{}}),
	}
}

// orderRules are orders that do not hold for a good bundle.
func orderRules() map[string]func(w *world, digest string) string {
	signed := func(change func(*grant.Order)) func(*world, string) string {
		return func(w *world, digest string) string {
			key, err := w.dev.Control()
			if err != nil {
				w.t.Fatal(err)
			}
			o := grant.Order{Craft: "luna", Epoch: 1, Sequence: 7, Bundles: []string{digest}}
			change(&o)
			token, err := grant.SignOrder(key, o)
			if err != nil {
				w.t.Fatal(err)
			}
			return token
		}
	}
	return map[string]func(*world, string) string{
		missions.RuleOrder + " garbage": func(*world, string) string { return "garbage" },
		missions.RuleOrder + " of a tenant": func(w *world, digest string) string {
			key, err := w.dev.Tenant("borealis")
			if err != nil {
				w.t.Fatal(err)
			}
			token, err := grant.SignOrder(key, grant.Order{Craft: "luna", Epoch: 1, Sequence: 7, Bundles: []string{digest}})
			if err != nil {
				w.t.Fatal(err)
			}
			return token
		},
		missions.RuleCraft:                signed(func(o *grant.Order) { o.Craft = "terra" }),
		missions.RuleOrderEp:              signed(func(o *grant.Order) { o.Epoch = 2 }),
		missions.RuleOrderBndl:            signed(func(o *grant.Order) { o.Bundles = []string{"sha256:" + strings.Repeat("0", 64)} }),
		missions.RuleSequence:             signed(func(o *grant.Order) { o.Sequence = 0 }), // missions.RuleLater: TestLaterOrderHolds
		missions.RuleOrderTime + " late":  signed(func(o *grant.Order) { o.NotAfter = noon.Add(-time.Second) }),
		missions.RuleOrderTime + " early": signed(func(o *grant.Order) { o.NotBefore = noon.Add(time.Second) }),
	}
}

// refused checks that err names the rule that name begins with, that nothing has
// changed, and that an honest bundle still goes in: the control.
func (w *world) refused(name string, err error) {
	w.t.Helper()
	rule, _, _ := strings.Cut(name, " ")
	w.wantRule(err, rule)
	w.wantActive()
	w.wantTidy()
	w.reopen()
	w.wantActive()
	w.activate(spec{version: "2.0.0"})
	w.wantActive("borealis/earth 2.0.0")
	w.wantTidy()
}

func TestBundleRules(t *testing.T) {
	for name, make := range bundleRules() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			path, order := make(w)
			_, err := w.store.Activate(path, order)
			w.refused(name, err)
		})
	}
}

func TestOrderRules(t *testing.T) {
	for name, make := range orderRules() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.set = true
			path, digest := w.pack(spec{})
			_, err := w.store.Activate(path, make(w, digest))
			w.refused(name, err)
		})
	}
}

// TestGrantRules gives the craft grants that do not hold, then the good one again.
func TestGrantRules(t *testing.T) {
	good := grant.Grant{Tenant: "borealis", APID: 101, Epoch: 1, Quota: quota}
	tests := map[string]struct {
		change func(g *grant.Grant)
		signer grant.Role
		set    bool
	}{
		missions.RuleGrant + " of a stranger": {func(*grant.Grant) {}, grant.Operator, false},
		missions.RuleGrantTime + " over":      {func(g *grant.Grant) { g.NotAfter = noon.Add(-time.Second) }, "", true},
		missions.RuleGrantTime + " not yet":   {func(g *grant.Grant) { g.NotBefore = noon.Add(time.Second) }, "", true},
		missions.RuleEpoch:                    {func(g *grant.Grant) { g.Epoch = 0 }, "", false},
		missions.RuleNoTime:                   {func(g *grant.Grant) { g.NotAfter = noon.Add(time.Hour) }, "", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.set = tt.set
			tenant, err1 := w.dev.Tenant("borealis")
			operator, err2 := w.dev.Operator()
			if err := errors.Join(err1, err2); err != nil {
				t.Fatal(err)
			}
			if tt.signer != "" {
				var err error
				if operator, err = grant.NewKey(tt.signer); err != nil {
					t.Fatal(err)
				}
			}
			g := good
			g.Key = tenant.Public()
			tt.change(&g)
			token, err := grant.SignGrant(operator, g)
			if err != nil {
				t.Fatal(err)
			}
			held := w.trust.Grants
			w.trust.Grants = []string{token}
			path, digest := w.pack(spec{})
			_, err = w.store.Activate(path, w.order(digest))
			w.trust.Grants = held
			w.refused(name, err)
		})
	}
}

// TestVCPUQuota: what a grant of one vCPU refuses, a grant of two takes, and no more than two.
func TestVCPUQuota(t *testing.T) {
	w := newWorld(t)
	wide := quota
	wide.VCPUs = 2
	trust, err := w.dev.Trust("luna", []grant.Grant{{Tenant: "borealis", APID: 101, Quota: wide}})
	if err != nil {
		t.Fatal(err)
	}
	w.trust.Grants = trust.Grants
	path, digest := w.pack(spec{vcpus: 3})
	_, err = w.store.Activate(path, w.order(digest))
	w.wantRule(err, missions.RuleVCPUs)
	if in := w.activate(spec{vcpus: 2}); in.Mission.Guest.VCPUs != 2 {
		t.Errorf("%+v", in.Mission.Guest)
	}
}

// TestEveryRuleHasATest reads the list of rules and looks for each among the tests' names.
func TestEveryRuleHasATest(t *testing.T) {
	src, err := os.ReadFile(filepath.Join("..", "rule.go"))
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile("rules_test.go")
	if err != nil {
		t.Fatal(err)
	}
	rules := 0
	for _, line := range strings.Split(string(src), "\n") {
		name, _, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || !strings.HasPrefix(name, "Rule") || !strings.Contains(line, " = \"") {
			continue
		}
		if rules++; !bytes.Contains(tests, []byte("missions."+name)) {
			t.Errorf("no test trips %s", name)
		}
	}
	if rules < 20 {
		t.Errorf("found %d rules only", rules)
	}
}

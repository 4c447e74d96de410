package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/missions/grant"
	"github.com/perilune/perilune/missions/store"
)

// TestOrdersInAnyOrder has the orders for two missions come in the wrong order: both hold, each once, also
// after a restart.
func TestOrdersInAnyOrder(t *testing.T) {
	w := newWorld(t)
	one, digest1 := w.pack(spec{})
	two, digest2 := w.pack(spec{name: "moon"})
	first, second := w.order(digest1), w.order(digest2)
	if _, err := w.store.Activate(two, second); err != nil {
		t.Fatal(err)
	}
	w.reopen()
	if _, err := w.store.Activate(one, first); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err := w.store.Activate(two, second)
		w.wantRule(err, missions.RuleSequence)
		_, err = w.store.Activate(one, first)
		w.wantRule(err, missions.RuleSequence)
		w.reopen()
	}
	w.wantActive("borealis/earth 1.0.0", "borealis/moon 1.0.0")
}

// TestLaterOrderHolds has the orders for two versions of one mission come in the wrong order: the one that
// was signed last holds, whether its version can be loaded or not.
func TestLaterOrderHolds(t *testing.T) {
	w := newWorld(t)
	one, digest1 := w.pack(spec{})
	two, digest2 := w.pack(spec{version: "2.0.0"})
	first, second := w.order(digest1), w.order(digest2)
	in, err := w.store.Activate(two, second)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(want ...string) {
		t.Helper()
		_, err := w.store.Activate(one, first)
		w.wantRule(err, missions.RuleLater)
		if !strings.Contains(err.Error(), "order 2 has made 2.0.0 active since") || !strings.Contains(err.Error(), "mission activate") {
			t.Error(err)
		}
		w.wantActive(want...)
	}
	refused("borealis/earth 2.0.0")
	w.reopen()
	refused("borealis/earth 2.0.0")
	if err := os.Truncate(in.Kernel, 10); err != nil {
		t.Fatal(err)
	}
	w.reopen()
	refused()
	// To go back is an order of its own.
	if _, err := w.store.Activate(one, w.order(digest1)); err != nil {
		t.Fatal(err)
	}
	w.wantActive("borealis/earth 1.0.0")
}

// TestOrderFromLongAgo: whether an order was carried out is known of the last 64 numbers.
func TestOrderFromLongAgo(t *testing.T) {
	w := newWorld(t)
	old, digest := w.pack(spec{})
	var orders []string
	for range grant.OrderWindow + 1 {
		orders = append(orders, w.order(digest))
	}
	moon, moonDigest := w.pack(spec{name: "moon"}) // order 66
	if _, err := w.store.Activate(moon, w.order(moonDigest)); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 2} {
		_, err := w.store.Activate(old, orders[n-1])
		w.wantRule(err, missions.RuleSequence)
	}
	if _, err := w.store.Activate(old, orders[2]); err != nil {
		t.Fatal(err)
	}
}

// TestOrdersOfEarlierPrograms: they kept the highest number alone. What they carried out is not carried out
// again, also when they were in charge in between; and they find it where they look for it.
func TestOrdersOfEarlierPrograms(t *testing.T) {
	w := newWorld(t)
	path, digest := w.pack(spec{})
	var orders []string
	for range 9 {
		orders = append(orders, w.order(digest))
	}
	if _, err := w.store.Activate(path, orders[1]); err != nil {
		t.Fatal(err)
	}
	var last uint64
	if err := w.db.Get("orders", "last", &last); err != nil || last != 2 {
		t.Errorf("an earlier program finds %d, %v", last, err)
	}
	if err := w.db.Put("orders", "last", 7); err != nil {
		t.Fatal(err)
	}
	w.reopen()
	for _, n := range []int{1, 2, 3, 7} {
		_, err := w.store.Activate(path, orders[n-1])
		w.wantRule(err, missions.RuleSequence)
	}
	if _, err := w.store.Activate(path, orders[8]); err != nil {
		t.Fatal(err)
	}
	_, err := w.store.Activate(path, orders[7]) // not used, but later than what is active it is not
	w.wantRule(err, missions.RuleLater)
}

// TestRefusedOrderIsNotUsedUp sends a bundle that breaks a rule with a good order, and
// then the good bundle with the same one.
func TestRefusedOrderIsNotUsedUp(t *testing.T) {
	w := newWorld(t)
	path, digest := w.pack(spec{})
	order := w.order(digest)
	_, err := w.store.Activate(w.forge(path, false, swap("memory = 8", "memory = 9")), order)
	w.wantRule(err, missions.RuleDigest)
	if _, err := w.store.Activate(path, order); err != nil {
		t.Fatal(err)
	}
}

// TestSameBundleAgain activates what is active: at no moment may there be none.
func TestSameBundleAgain(t *testing.T) {
	w := newWorld(t)
	path, digest := w.pack(spec{})
	for range 3 {
		if _, err := w.store.Activate(path, w.order(digest)); err != nil {
			t.Fatal(err)
		}
		w.wantActive("borealis/earth 1.0.0")
		w.wantTidy()
	}
	// It also mends a version whose files are damaged.
	kernel := w.store.Get(earth).Kernel
	if err := os.Truncate(kernel, 10); err != nil {
		t.Fatal(err)
	}
	w.reopen()
	w.wantActive()
	if _, err := w.store.Activate(path, w.order(digest)); err != nil {
		t.Fatal(err)
	}
	w.wantActive("borealis/earth 1.0.0")
}

func TestDamagedFilesLeaveOutOneMission(t *testing.T) {
	damage := map[string]func(t *testing.T, w *world, in *store.Installed) error{
		"kernel gone":   func(_ *testing.T, _ *world, in *store.Installed) error { return os.Remove(in.Kernel) },
		"kernel cut":    func(_ *testing.T, _ *world, in *store.Installed) error { return os.Truncate(in.Kernel, 100) },
		"device gone":   func(_ *testing.T, _ *world, in *store.Installed) error { return os.Remove(in.Blobs["disk.img"]) },
		"half a sector": func(_ *testing.T, _ *world, in *store.Installed) error { return os.Truncate(in.Blobs["disk.img"], 100) },
		"folder gone":   func(_ *testing.T, _ *world, in *store.Installed) error { return os.RemoveAll(filepath.Dir(in.Kernel)) },
		"mission.toml bad": func(_ *testing.T, _ *world, in *store.Installed) error {
			return os.WriteFile(filepath.Join(filepath.Dir(in.Kernel), "mission.toml"), []byte("\xff\x00 = ["), 0o644)
		},
		"mission.toml of another": func(_ *testing.T, w *world, in *store.Installed) error {
			other, err := os.ReadFile(filepath.Join(filepath.Dir(w.store.Get(ids.Guest{Tenant: "borealis", Mission: "moon"}).Kernel), "mission.toml"))
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(filepath.Dir(in.Kernel), "mission.toml"), other, 0o644)
		},
		"record no JSON object": func(_ *testing.T, w *world, _ *store.Installed) error {
			return w.db.Put("missions", "borealis/earth", []int{1, 2})
		},
	}
	for name, fn := range damage {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.activate(spec{name: "moon"})
			in := w.activate(spec{block: make([]byte, 512)})
			if err := fn(t, w, in); err != nil {
				t.Fatal(err)
			}
			w.reopen()
			w.wantActive("borealis/moon 1.0.0")
			if left := w.store.LeftOut(); len(left) != 1 || !strings.HasPrefix(left[0].Error(), "borealis/earth: ") {
				t.Errorf("left out: %v", left)
			}
			// It can be sent up again.
			w.activate(spec{version: "3.0.0"})
			w.wantActive("borealis/earth 3.0.0", "borealis/moon 1.0.0")
			w.reopen()
			w.wantActive("borealis/earth 3.0.0", "borealis/moon 1.0.0")
			w.wantTidy()
			if left := w.store.LeftOut(); len(left) != 0 {
				t.Errorf("left out: %v", left)
			}
		})
	}
}

// TestImageAndUplink: the image's version flies until one is ordered, also when the
// image changes, and the ordered one stays over restarts.
func TestImageAndUplink(t *testing.T) {
	w := newWorld(t)
	image := func(version string) string {
		dir := t.TempDir()
		path, _ := w.pack(spec{version: version})
		if err := os.Rename(path, filepath.Join(dir, "earth.tar")); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	boot := func(dir, want string) {
		t.Helper()
		w.reopen()
		if errs := w.store.Preinstall(dir); len(errs) > 0 {
			t.Fatal(errs)
		}
		w.wantActive("borealis/earth " + want)
		w.wantTidy()
	}
	one, two := image("1.0.0"), image("2.0.0")
	boot(one, "1.0.0")
	if !w.store.Get(earth).Image {
		t.Error("it is not known as the image's")
	}
	boot(one, "1.0.0")
	boot(two, "2.0.0")
	w.activate(spec{version: "1.5.0"})
	if w.store.Get(earth).Image {
		t.Error("what was ordered is known as the image's")
	}
	boot(two, "1.5.0")
	boot(one, "1.5.0")
}

func TestPreinstallGoesOnAfterABadOne(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	put := func(as string, s spec) {
		path, _ := w.pack(s)
		if err := os.Rename(path, filepath.Join(dir, as)); err != nil {
			t.Fatal(err)
		}
	}
	put("a.tar", spec{name: "moon", signer: "acme"})
	put("b.tar", spec{})
	if err := os.WriteFile(filepath.Join(dir, "c.tar"), []byte("rubbish"), 0o644); err != nil {
		t.Fatal(err)
	}
	put("d.tar", spec{tenant: "acme", name: "beacon"})
	errs := w.store.Preinstall(dir)
	if len(errs) != 2 || !strings.HasPrefix(errs[0].Error(), "a.tar: "+missions.RuleSignature) || !strings.HasPrefix(errs[1].Error(), "c.tar: ") {
		t.Errorf("%v", errs)
	}
	w.wantActive("acme/beacon 1.0.0", "borealis/earth 1.0.0")
	w.wantTidy()
}

// TestGrantEnds: a mission whose tenant lost its grant is not active after a restart,
// and comes back with the grant.
func TestGrantEnds(t *testing.T) {
	w := newWorld(t)
	w.activate(spec{})
	w.activate(spec{tenant: "acme", name: "beacon"})
	held := w.trust.Grants
	w.trust.Grants = held[1:]
	w.reopen()
	w.wantActive("acme/beacon 1.0.0")
	w.trust.Grants = held
	w.reopen()
	w.wantActive("acme/beacon 1.0.0", "borealis/earth 1.0.0")
}

// TestStorageOfAllMissions: many small missions are as much as a large one.
func TestStorageOfAllMissions(t *testing.T) {
	w := newWorld(t)
	half := bytes.Repeat([]byte("x"), 600<<10)
	w.activate(spec{block: half})
	path, digest := w.pack(spec{name: "moon", block: half})
	_, err := w.store.Activate(path, w.order(digest))
	w.wantRule(err, missions.RuleQuota)
	if !strings.Contains(err.Error(), "other missions have") {
		t.Errorf("%v", err)
	}
	// A new version takes the place of the old one, and the neighbour has its own quota.
	w.activate(spec{version: "2.0.0", block: half})
	w.activate(spec{tenant: "acme", name: "moon", block: half})
	w.wantActive("acme/moon 1.0.0", "borealis/earth 2.0.0")
}

func TestStagingIsEmptiedOnStart(t *testing.T) {
	w := newWorld(t)
	left := filepath.Join(w.dir, "missions", "staging", "0123456789ab", "blobs")
	if err := os.MkdirAll(left, 0o755); err != nil {
		t.Fatal(err)
	}
	w.reopen()
	w.wantTidy()
	w.activate(spec{})
	w.wantTidy()
}

func TestOtherArchitecturesKernelTravelsAlong(t *testing.T) {
	here, _ := machines()
	w := newWorld(t)
	w.activate(spec{machine: here})
	w.activate(spec{version: "2.0.0"})
	w.wantActive("borealis/earth 2.0.0")
}

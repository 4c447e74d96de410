// Package nest_test runs the conformance guests on both architectures, in emulated machines
// with a KVM inside that is like hardware's: arm64, with the tender's own tests too, and amd64
// with the instructions that a software KVM does not know.
package nest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/internal/doctor"
	"github.com/perilune/perilune/test/guests/cases"
	"github.com/perilune/perilune/test/nest"
)

var (
	root  = filepath.Join("..", "..", "..")
	cache = filepath.Join(root, "out", "cache")
)

const module = "github.com/perilune/perilune/"

// limit is for one nest on a slow and loaded machine; a quarter of an hour was seen.
const limit = time.Hour

func needs(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("emulating machines takes minutes: left out of -short")
	}
	if missing, _ := doctor.Missing(doctor.Check(doctor.Needs)); len(missing) > 0 {
		t.Skipf("%s is missing: run 'perilune doctor --install'", missing[0].Name)
	}
}

func TestNest(t *testing.T) {
	needs(t)
	for _, arch := range []string{"arm64", "amd64"} {
		t.Run(arch, func(t *testing.T) { inNest(t, arch) })
	}
}

func inNest(t *testing.T, arch string) {
	ctx, work := t.Context(), t.TempDir()
	c := nest.Config{Arch: arch, Cache: cache, Limit: limit}
	if err := c.AddGuests(ctx, work, conformance(t, arch), ""); err != nil {
		t.Fatal(err)
	}
	packages := inside(t, arch)
	for _, p := range packages {
		if err := c.AddTests(ctx, work, filepath.Join(root, p.dir), p.flags...); err != nil {
			t.Fatal(err)
		}
	}
	results, err := nest.Run(ctx, c)
	if len(results) > 0 {
		guests(t, results[0])
	}
	for i := 1; i < len(results); i++ {
		t.Run(filepath.Base(packages[i-1].dir), func(t *testing.T) { tests(t, results[i]) })
	}
	if err != nil {
		t.Fatal(err)
	}
}

// tested is a package whose tests run in the nest, those that the flags choose.
type tested struct {
	dir   string
	flags []string
}

// hostile are the hostile guests, without what takes minutes: races, floods and the controls.
var hostile = tested{"test/hostile", []string{"-test.short",
	"-test.run=^Test(Rows|Addresses|EveryAddress|Stop|Most)$/^(record|pointer|value|overlap)$"}}

// inside are the packages whose tests run in the nest. On arm64 all of the tender's; on amd64
// they run without a nest, but for the one that a software KVM cannot pass.
func inside(t *testing.T, arch string) (list []tested) {
	t.Helper()
	if arch == "amd64" {
		return []tested{{"test/hostile", []string{"-test.run=^TestCPUID$"}}}
	}
	cmd := exec.CommandContext(t.Context(), "go", "list", "-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}", "./tender/...")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "GOARCH="+arch)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range strings.Fields(string(out)) {
		list = append(list, tested{dir: strings.TrimPrefix(p, module)})
	}
	return append(list, hostile)
}

// tests makes a subtest of each test of a package.
func tests(t *testing.T, r nest.Result) {
	n, before := 0, strings.Builder{}
	for line := range strings.Lines(r.Output) {
		word, name, _ := strings.Cut(strings.TrimPrefix(line, "--- "), ": ")
		name, _, _ = strings.Cut(name, " (")
		switch word {
		case "PASS", "SKIP", "FAIL":
			n++
			t.Run(name, func(t *testing.T) { verdict(t, word, before.String()) })
			before.Reset()
		default:
			before.WriteString(line)
		}
	}
	ended(t, n, r)
}

// conformance builds the guests of test/conformance for arch, each beside its expectations.
func conformance(t *testing.T, arch string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "test", "conformance", "*", "expect.toml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d guests, %v", len(files), err)
	}
	out := t.TempDir()
	for _, file := range files {
		if err := build(t, file, arch, filepath.Join(out, filepath.Base(filepath.Dir(file)))); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// build makes to.hvt, and to.toml of the file of expectations beside its source.
func build(t *testing.T, file, arch, to string) error {
	f, err := cases.Load(file)
	if err != nil {
		return err
	}
	if err := f.Build.Make(t.Context(), filepath.Dir(file), arch, to+".hvt"); err != nil {
		return err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return os.WriteFile(to+".toml", text, 0o644)
}

// guests makes a subtest of each line of test/guests.
func guests(t *testing.T, r nest.Result) {
	n := 0
	for line := range strings.Lines(r.Output) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		guest, label, _ := strings.Cut(strings.TrimSpace(rest), ": ")
		label, why, _ := strings.Cut(label, ": ")
		switch word {
		case "ok", "SKIP", "FAIL":
			n++
			t.Run(guest+"/"+label, func(t *testing.T) { verdict(t, word, why) })
		}
	}
	ended(t, n, r)
}

func verdict(t *testing.T, word, why string) {
	switch word {
	case "SKIP":
		t.Skip(why)
	case "FAIL":
		t.Error(why)
	}
}

// ended checks the end of a job that told of n tests.
func ended(t *testing.T, n int, r nest.Result) {
	t.Helper()
	if n == 0 || r.Status != 0 {
		t.Errorf("%d results, status %d %s:\n%s", n, r.Status, r.Error, r.Output)
	}
}

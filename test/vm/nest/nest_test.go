// Package nest_test runs the conformance guests on both architectures, in emulated machines
// with a KVM inside that is like hardware's: arm64, and amd64 with the instructions that a
// software KVM does not know.
package nest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/internal/doctor"
	"github.com/perilune/perilune/test/guests/cases"
	"github.com/perilune/perilune/test/nest"
)

var root = filepath.Join("..", "..", "..")

// limit is for one nest; on a free machine it takes half a minute.
const limit = 15 * time.Minute

func TestNest(t *testing.T) {
	if testing.Short() {
		t.Skip("emulating two machines takes minutes: left out of -short")
	}
	if missing, _ := doctor.Missing(doctor.Check(doctor.Needs)); len(missing) > 0 {
		t.Skipf("%s is missing: run 'perilune doctor --install'", missing[0].Name)
	}
	for _, arch := range []string{"arm64", "amd64"} {
		t.Run(arch, func(t *testing.T) { inNest(t, arch) })
	}
}

func inNest(t *testing.T, arch string) {
	ctx, work := t.Context(), t.TempDir()
	c := nest.Config{Arch: arch, Cache: filepath.Join(root, "out", "cache"), Limit: limit}
	if err := c.AddGuests(ctx, work, conformance(t, arch), ""); err != nil {
		t.Fatal(err)
	}
	results, err := nest.Run(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	guests(t, results[0])
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
		dir := filepath.Dir(file)
		to := filepath.Join(out, filepath.Base(dir))
		f, err := cases.Load(file)
		if err == nil {
			err = f.Build.Make(t.Context(), dir, arch, to+".hvt")
		}
		var text []byte
		if err == nil {
			text, err = os.ReadFile(file)
		}
		if err == nil {
			err = os.WriteFile(to+".toml", text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
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
	if n == 0 || r.Status != 0 {
		t.Errorf("%d results, status %d %s:\n%s", n, r.Status, r.Error, r.Output)
	}
}

func verdict(t *testing.T, word, why string) {
	switch strings.ToLower(word) {
	case "skip":
		t.Skip(why)
	case "fail":
		t.Error(why)
	}
}

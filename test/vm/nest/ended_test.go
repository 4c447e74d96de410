package nest_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/test/nest"
	"github.com/perilune/perilune/test/nest/wire"
)

// A kernel that panics under a job ends the nest, and its console says why.
func TestPanic(t *testing.T) {
	needs(t)
	program := filepath.Join(t.TempDir(), "crash")
	cmd := exec.Command("go", "build", "-o", program, "./testdata/crash")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH=arm64")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	results, err := nest.Run(t.Context(), nest.Config{Arch: "arm64", Cache: cache, Limit: limit,
		Programs: map[string]string{"/bin/crash": program},
		Jobs:     []wire.Job{{Args: []string{"/bin/none"}}, {Args: []string{"/bin/crash"}}, {Args: []string{"/bin/crash"}}}})
	if len(results) != 1 || results[0].Status != -1 || !strings.Contains(results[0].Error, "no such file") {
		t.Errorf("the job before: %+v", results)
	}
	for _, part := range []string{"1 of 3 done", "Kernel panic - not syncing: sysrq triggered crash"} {
		if !errors.Is(err, nest.ErrEnded) || !strings.Contains(err.Error(), part) {
			t.Errorf("no %q in %v", part, err)
		}
	}
}

// A nest that hangs is ended at its limit.
func TestLimit(t *testing.T) {
	needs(t)
	results, err := nest.Run(t.Context(), nest.Config{Arch: "arm64", Cache: cache, Limit: time.Second,
		Jobs: []wire.Job{{Args: []string{"/bin/none"}}}})
	if len(results) > 0 || !errors.Is(err, nest.ErrEnded) || !strings.Contains(err.Error(), "no end after 1s") {
		t.Errorf("%+v, %v", results, err)
	}
}

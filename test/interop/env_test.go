//go:build interop

package interop

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// packages are the Python oracles, at the versions that the results stand for.
var packages = []string{"reed-solomon-ccsds==1.0.3", "spacepackets==0.32.0", "cfdp-py==0.7.0", "ccsds-cop==0.1.2"}

const cache = "../../out/cache/interop"

// python returns the interpreter of an environment that has the packages, which it
// makes the first time.
var python = sync.OnceValues(func() (string, error) {
	venv, err := filepath.Abs(filepath.Join(cache, "venv"))
	if err != nil {
		return "", err
	}
	exe, stamp := filepath.Join(venv, "bin", "python"), filepath.Join(venv, "packages")
	want := strings.Join(packages, "\n")
	if have, _ := os.ReadFile(stamp); string(have) == want {
		return exe, nil
	}
	if err := command(5*time.Minute, "python3", "-m", "venv", "--clear", venv); err != nil {
		return "", err
	}
	if err := command(10*time.Minute, exe, append([]string{"-m", "pip", "install", "--quiet",
		"--disable-pip-version-check"}, packages...)...); err != nil {
		return "", err
	}
	return exe, os.WriteFile(stamp, []byte(want), 0o644)
})

// command runs a program to its end, at most for d.
func command(d time.Duration, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}

// output runs a program and returns what it prints.
func output(t *testing.T, d time.Duration, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

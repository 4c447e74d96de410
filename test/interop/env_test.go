//go:build interop

package interop

import (
	"bytes"
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
var packages = []string{"reed-solomon-ccsds==1.0.3", "spacepackets==0.32.0", "cfdp-py==0.7.0", "ccsds-cop==0.1.2",
	"space-packet-parser==6.2.0"}

const cache = "../../out/cache/interop"

// patience ends a wait for what will never come. Whatever is waited for is an event, and the
// wait is over when it comes: on a loaded machine that takes minutes for what else takes a second.
const patience = 10 * time.Minute

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
	if err := command("python3", "-m", "venv", "--clear", venv); err != nil {
		return "", err
	}
	if err := command(exe, append([]string{"-m", "pip", "install", "--quiet",
		"--disable-pip-version-check"}, packages...)...); err != nil {
		return "", err
	}
	return exe, os.WriteFile(stamp, []byte(want), 0o644)
})

// jars fetches the jars that a pom.xml under testdata names, the first time, and returns their
// class path.
func jars(name string) (string, error) {
	pom, err := filepath.Abs(filepath.Join("testdata", name, "pom.xml"))
	if err != nil {
		return "", err
	}
	dir, err := filepath.Abs(filepath.Join(cache, name))
	if err != nil {
		return "", err
	}
	want, err := os.ReadFile(pom)
	if err != nil {
		return "", err
	}
	stamp := filepath.Join(dir, "pom.xml")
	if have, _ := os.ReadFile(stamp); !bytes.Equal(have, want) {
		if err := os.RemoveAll(dir); err != nil {
			return "", err
		}
		if err := command("mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies",
			"-DoutputDirectory="+dir, "-DincludeScope=runtime"); err != nil {
			return "", err
		}
		if err := os.WriteFile(stamp, want, 0o644); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, "*"), nil
}

// command runs a program to its end.
func command(name string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}

// output runs a program and returns what it prints.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

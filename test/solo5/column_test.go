package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"testing"

	"golang.org/x/sys/unix"
)

func TestParse(t *testing.T) {
	for out, want := range map[string]result{
		"1..1\nok 1 hello hvt\n":                                {pass, nil},
		"1..1\nok 1 # skip (needs OpenBSD) hello hvt\n":         {skip, nil}, // bats 0.4
		"1..1\nok 1 hello hvt # skip needs OpenBSD\n":           {skip, nil},
		"x\nnot ok 1 hello hvt\n# (in test file)\n#   failed\n": {fail, []string{"(in test file)", "  failed"}},
		"bats: not found\n":                                     {none, []string{"bats: not found"}},
	} {
		got := parse([]byte(out), "hello hvt")
		if want.state == pass || want.state == skip {
			got.said = nil
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v", out, got)
		}
	}
}

// runOne runs a test that is this script, and gives the end of a pipe which anything that
// the script leaves behind would hold open.
func runOne(t *testing.T, ctx context.Context, script string) (result, *os.File, error) {
	t.Helper()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("hvt_run() {\n  run ${TIMEOUT} --foreground 1s x\n}\n@test \"one hvt\" {\nexec 5>%s\n%s\n}\n", pipe, script)
	s, err := open(fakeTree(t, text), regexp.MustCompile(""), 1)
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.column(filepath.Join(t.TempDir(), "column"), "")
	if err != nil {
		t.Fatal(err)
	}
	end := make(chan *os.File)
	go func() {
		f, err := os.Open(pipe) // once the script has opened it
		if err != nil {
			t.Error(err)
		}
		end <- f
	}()
	r, err := c.run(ctx, "one hvt")
	if _, statErr := os.Stat(filepath.Join(c.root, "temporary")); !os.IsNotExist(statErr) {
		t.Errorf("the test's folder is still there: %v", statErr)
	}
	return r, <-end, err
}

// What a test starts does not outlive it, and does not hold it up.
func TestRun(t *testing.T) {
	for script, want := range map[string]state{
		"echo ok 1 one hvt":                         pass,
		"sleep 1000 &\necho ok 1 one hvt":           pass,
		"setsid sleep 1000 & echo not ok 1 one hvt": fail,
		"sleep 1\necho not ok 1 one hvt":            late,
		"exit 3":                                    none,
	} {
		if os.Getuid() != 0 && want == fail {
			continue // who is not root has no PID namespace to put it in
		}
		r, end, err := runOne(t, t.Context(), script)
		if err != nil || r.state != want {
			t.Errorf("%q: %+v, %v", script, r, err)
		}
		if _, err := io.ReadAll(end); err != nil {
			t.Error(err)
		}
		end.Close()
	}
}

// A signal ends a test, and all that it has started.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ready := filepath.Join(t.TempDir(), "ready")
	if err := unix.Mkfifo(ready, 0o600); err != nil {
		t.Fatal(err)
	}
	go func() {
		if _, err := os.ReadFile(ready); err != nil {
			t.Error(err)
		}
		cancel()
	}()
	_, end, err := runOne(t, ctx, "sleep 1000 &\necho >"+ready+"\nsleep 1000")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := io.ReadAll(end); err != nil {
		t.Error(err)
	}
	end.Close()
}

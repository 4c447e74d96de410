package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// state is how a test ended.
type state string

const (
	pass state = "pass"
	fail state = "FAIL"
	skip state = "skip"
)

// result is one test of the suite.
type result struct {
	name  string
	state state
	said  string // its output, when it failed
}

// limit bounds one run of the suite, whose tests have a minute each.
const limit = 40 * time.Minute

// mirror makes root a copy of the tree by links, in which tests.bats has only
// the chosen tests and the tenders for hvt are tender.
func mirror(dir, root, tender string, chosen *regexp.Regexp) error {
	text, err := os.ReadFile(filepath.Join(dir, "tests", "tests.bats"))
	if err != nil {
		return fmt.Errorf("not a Solo5 tree: %w", err)
	}
	for _, p := range []string{"Makeconf.sh", "tenders/hvt/solo5-hvt", "tests/test_hello/test_hello.hvt"} {
		if _, err := os.Stat(filepath.Join(dir, p)); err != nil {
			return fmt.Errorf("the Solo5 tree is not built (./configure.sh; make): %w", err)
		}
	}
	hvt := filepath.Join(root, "tenders", "hvt")
	if err := os.MkdirAll(hvt, 0o755); err != nil {
		return err
	}
	err = errors.Join(
		links(dir, root, "tests", "tenders"),
		links(filepath.Join(dir, "tenders"), filepath.Join(root, "tenders"), "hvt"),
		links(filepath.Join(dir, "tests"), filepath.Join(root, "tests"), "tests.bats"))
	if err != nil {
		return err
	}
	for _, name := range []string{"solo5-hvt", "solo5-hvt-debug"} {
		to := tender
		if to == "" {
			to = filepath.Join(dir, "tenders", "hvt", name)
		}
		if err := os.Symlink(to, filepath.Join(hvt, name)); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(root, "tests", "tests.bats"), choose(text, chosen), 0o755)
}

// links links all of from into to, except for what is made there otherwise.
func links(from, to string, except ...string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
next:
	for _, e := range entries {
		for _, x := range except {
			if e.Name() == x {
				continue next
			}
		}
		if err := os.Symlink(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

var testLine = regexp.MustCompile(`^@test "(.*)" \{$`)

// choose leaves out the tests that are not chosen: from their first line to
// a closing brace at the start of a line.
func choose(text []byte, chosen *regexp.Regexp) []byte {
	var out bytes.Buffer
	leave := false
	for _, line := range strings.SplitAfter(string(text), "\n") {
		bare := strings.TrimRight(line, "\n")
		if m := testLine.FindStringSubmatch(bare); m != nil {
			leave = !chosen.MatchString(m[1])
		}
		if !leave {
			out.WriteString(line)
		}
		if bare == "}" {
			leave = false
		}
	}
	return out.Bytes()
}

// script runs the suite; taps are made where that is allowed.
const script = `[ "$(id -u)" = 0 ] && command -v ip >/dev/null && sh ./setup-tests.sh >/dev/null 2>&1
exec ./bats-core/bats --tap tests.bats`

// suite runs the tests of a mirrored tree.
func suite(ctx context.Context, root string) ([]result, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	temp := filepath.Join(root, "temporary")
	if err := os.Mkdir(temp, 0o755); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir = filepath.Join(root, "tests")
	cmd.Env = append(os.Environ(), "TMPDIR="+temp)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Getuid() == 0 {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWNET
	}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	results := parse(out)
	if len(results) == 0 {
		return nil, fmt.Errorf("the suite said no result:\n%s", out)
	}
	return results, nil
}

var (
	tapLine = regexp.MustCompile(`^(ok|not ok) \d+ (.*)$`)
	skipOld = regexp.MustCompile(`^# skip (?:\(.*?\) )?(.*)$`) // before the name: bats 0.4
	skipNew = regexp.MustCompile(`^(.*) # skip.*$`)            // behind it
)

// parse reads the Test Anything Protocol as bats writes it.
func parse(out []byte) (results []result) {
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		line := lines.Text()
		m := tapLine.FindStringSubmatch(line)
		if m == nil {
			if n := len(results); n > 0 && results[n-1].state == fail {
				results[n-1].said += "    " + line + "\n"
			}
			continue
		}
		r := result{name: m[2], state: pass}
		if m[1] == "not ok" {
			r.state = fail
		} else if s := skipOld.FindStringSubmatch(r.name); s != nil {
			r.name, r.state = s[1], skip
		} else if s := skipNew.FindStringSubmatch(r.name); s != nil {
			r.name, r.state = s[1], skip
		}
		results = append(results, r)
	}
	return results
}

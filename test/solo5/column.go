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
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// state is how a test ended.
type state string

const (
	pass state = "pass"
	fail state = "FAIL"
	skip state = "skip"
	late state = "timed out" // a failure after all of the time that the suite gives
	none state = "no result" // the suite itself did not get so far
)

// bad says whether a test neither passed nor was left out.
func (s state) bad() bool { return s != pass && s != skip }

// result is how one test went with one tender.
type result struct {
	state state
	said  []string // its output, unless it passed
}

// grace is what a test may take beside its guest.
const grace = 30 * time.Second

// column runs tests with one tender.
type column struct {
	*suite
	root string // its mirror of the tree
}

func (s *suite) column(root, tender string) (*column, error) {
	return &column{s, root}, s.mirror(root, tender)
}

// script runs the suite; taps are made where that is allowed.
const script = `[ "$(id -u)" = 0 ] && command -v ip >/dev/null && sh ./setup-tests.sh >/dev/null 2>&1
exec ./bats-core/bats --tap tests.bats`

// run runs one test. Nothing of it is left afterwards: as root it has a PID namespace and
// a network namespace to itself, for anybody else a process group.
func (c *column) run(ctx context.Context, name string) (result, error) {
	temp := filepath.Join(c.root, "temporary")
	if err := os.Mkdir(temp, 0o755); err != nil {
		return result{}, err
	}
	defer os.RemoveAll(temp)
	if err := os.WriteFile(filepath.Join(c.root, suiteFile), choose(c.text, name), 0o755); err != nil {
		return result{}, err
	}
	began := time.Now()
	out, err := c.bats(ctx, temp)
	if err != nil {
		return result{}, err
	}
	r := parse(out, name)
	if r.state.bad() && time.Since(began) >= c.limit {
		r.state = late
	}
	return r, nil
}

// bats gives what the suite said. Its output goes to a file: a pipe would stay open as
// long as anything that a test leaves behind.
func (c *column) bats(ctx context.Context, temp string) ([]byte, error) {
	runtime.LockOSThread() // whose end is the end of what it started: Pdeathsig
	defer runtime.UnlockOSThread()
	said, err := os.Create(filepath.Join(c.root, "said"))
	if err != nil {
		return nil, err
	}
	defer said.Close()
	limited, cancel := context.WithTimeout(ctx, c.limit+grace)
	defer cancel()
	cmd := exec.CommandContext(limited, "bash", "-c", script)
	cmd.Dir = filepath.Join(c.root, "tests")
	cmd.Env = append(os.Environ(), "TMPDIR="+temp)
	cmd.Stdout, cmd.Stderr = said, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: unix.SIGKILL}
	if os.Getuid() == 0 {
		cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWNET | unix.CLONE_NEWPID
	}
	group := func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGKILL) }
	cmd.Cancel = group
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil && !errors.As(err, &exit):
		return nil, fmt.Errorf("run the suite: %w", err)
	}
	_ = group() // what the test left in the background
	return os.ReadFile(said.Name())
}

var (
	tapLine = regexp.MustCompile(`^(ok|not ok) \d+ (.*)$`)
	skipped = regexp.MustCompile(`^# skip\b|# skip\b`) // before the name in bats 0.4, behind it later
)

// parse reads what bats says of the one test, by the Test Anything Protocol.
func parse(out []byte, name string) result {
	r := result{state: none}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		m := tapLine.FindStringSubmatch(lines.Text())
		switch {
		case m == nil:
			r.said = append(r.said, strings.TrimPrefix(lines.Text(), "# "))
		case !strings.Contains(m[2], name):
		case m[1] == "not ok":
			r.state, r.said = fail, nil
		case skipped.MatchString(m[2]):
			r.state = skip
		default:
			r.state = pass
		}
	}
	return r
}

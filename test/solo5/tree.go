package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// suiteFile has the tests, in the format of bats.
const suiteFile = "tests/tests.bats"

// suite is what a Solo5 tree has for us to run.
type suite struct {
	dir   string // the tree
	text  []byte // of its suite file
	names []string
	limit time.Duration // that its tests for hvt have
}

// open reads the tree in dir. The tests are those for hvt whose names match run, in the
// suite's order, each with slower times the time that it has there.
func open(dir string, run *regexp.Regexp, slower int) (*suite, error) {
	text, err := os.ReadFile(filepath.Join(dir, suiteFile))
	if err != nil {
		return nil, fmt.Errorf("not a Solo5 tree: %w", err)
	}
	for _, p := range []string{"Makeconf.sh", "tenders/hvt/solo5-hvt", "tests/test_hello/test_hello.hvt"} {
		if _, err := os.Stat(filepath.Join(dir, p)); err != nil {
			return nil, fmt.Errorf("the Solo5 tree is not built (./configure.sh; make): %w", err)
		}
	}
	s := &suite{dir: dir}
	if s.text, s.limit, err = stretch(text, slower); err != nil {
		return nil, err
	}
	for _, n := range tests(s.text) {
		if forHVT.MatchString(n) && run.MatchString(n) {
			s.names = append(s.names, n)
		}
	}
	if len(s.names) == 0 {
		return nil, fmt.Errorf("no test for hvt of %s matches %s", suiteFile, run)
	}
	return s, nil
}

var (
	forHVT   = regexp.MustCompile(` hvt$|^noexec`)
	testLine = regexp.MustCompile(`^@test "(.*)" \{$`)
	limits   = regexp.MustCompile(`(\$\{TIMEOUT\} (?:--foreground )?)(\d+)s `)
	limitHVT = regexp.MustCompile(`(?m)^hvt_run\(\) \{\n *run \$\{TIMEOUT\} --foreground (\d+)s `)
)

// stretch multiplies the limits that the suite hands to timeout(1), and gives that of a
// guest on hvt.
func stretch(text []byte, factor int) ([]byte, time.Duration, error) {
	text = limits.ReplaceAllFunc(text, func(b []byte) []byte {
		m := limits.FindSubmatch(b)
		n, err := strconv.Atoi(string(m[2]))
		if err != nil {
			return b
		}
		return fmt.Appendf(nil, "%s%ds ", m[1], n*factor)
	})
	m := limitHVT.FindSubmatch(text)
	if m == nil {
		return nil, 0, errors.New(suiteFile + " has no hvt_run with a time limit: this is another suite than that of Solo5 0.8 to 0.12")
	}
	limit, err := time.ParseDuration(string(m[1]) + "s")
	return text, limit, err
}

func tests(text []byte) (names []string) {
	for line := range strings.Lines(string(text)) {
		if m := testLine.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			names = append(names, m[1])
		}
	}
	return names
}

// choose leaves out all tests but one: from their first line to a closing brace at the
// start of a line.
func choose(text []byte, name string) []byte {
	var out bytes.Buffer
	leave := false
	for line := range strings.Lines(string(text)) {
		bare := strings.TrimRight(line, "\n")
		if m := testLine.FindStringSubmatch(bare); m != nil {
			leave = m[1] != name
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

// mirror makes root a copy of the tree by links whose tenders for hvt are tender, or the
// tree's own if that is "". Its suite file is still to be written.
func (s *suite) mirror(root, tender string) error {
	hvt := filepath.Join(root, "tenders", "hvt")
	if err := os.MkdirAll(hvt, 0o755); err != nil {
		return err
	}
	err := errors.Join(
		links(s.dir, root, "tests", "tenders"),
		links(filepath.Join(s.dir, "tests"), filepath.Join(root, "tests"), filepath.Base(suiteFile)))
	if err != nil {
		return err
	}
	for _, name := range []string{"solo5-hvt", "solo5-hvt-debug"} {
		to := tender
		if to == "" {
			to = filepath.Join(s.dir, "tenders", "hvt", name)
		}
		if err := os.Symlink(to, filepath.Join(hvt, name)); err != nil {
			return err
		}
	}
	return nil
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

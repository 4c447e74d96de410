// Command run runs Go tests and tells the whole in one line at the end:
//
//	N passed, N failed, N skipped
//
// It runs `go test -json` with the arguments it is given, once for each group of them that a
// "--" ends, prints a line for each package,
// what failed in full, and why a test was skipped. Its exit code is 1 when a test failed
// or nothing ran, and with -no-skip as the first argument when a test was skipped. Subtests count.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// event is one line of `go test -json`.
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
	ImportPath                    string
}

// tally counts results and keeps what tests printed until it is known how they ended.
type tally struct {
	out                     io.Writer
	passed, failed, skipped int
	failing                 map[string]bool // packages with a failed test
	printed                 map[string][]string
}

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	t := &tally{out: stdout, failing: map[string]bool{}, printed: map[string][]string{}}
	noSkip := len(args) > 0 && args[0] == "-no-skip"
	if noSkip {
		args = args[1:]
	}
	for _, group := range groups(args) {
		t.goTest(group, stderr)
	}
	fmt.Fprintf(stdout, "%d passed, %d failed, %d skipped\n", t.passed, t.failed, t.skipped)
	if t.failed > 0 || t.passed == 0 || noSkip && t.skipped > 0 {
		return 1
	}
	return 0
}

// groups splits args at each "--".
func groups(args []string) [][]string {
	out := [][]string{nil}
	for _, a := range args {
		if a == "--" {
			out = append(out, nil)
			continue
		}
		out[len(out)-1] = append(out[len(out)-1], a)
	}
	return out
}

// goTest runs one `go test`. That it failed without a failed test (it could not start, a
// build broke) counts as one failure.
func (t *tally) goTest(args []string, stderr io.Writer) {
	before := t.failed
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = stderr
	pipe, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err == nil {
		err = errors.Join(t.read(pipe), cmd.Wait())
	}
	if err != nil && t.failed == before {
		fmt.Fprintln(t.out, "go test:", err)
		t.failed++
	}
}

func (t *tally) read(r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Fprintln(t.out, lines.Text())
			continue
		}
		t.take(e)
	}
	return lines.Err()
}

func (t *tally) take(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output", "build-output":
		if e.Package == "" {
			key = e.ImportPath
		}
		t.printed[key] = append(t.printed[key], e.Output)
	case "build-fail":
		t.show(e.ImportPath)
	case "pass", "fail", "skip":
		if e.Test == "" {
			t.pkg(e, key)
			return
		}
		t.test(e, key)
	}
}

func (t *tally) test(e event, key string) {
	switch e.Action {
	case "pass":
		t.passed++
	case "fail":
		t.failed++
		t.failing[e.Package] = true
		fmt.Fprintf(t.out, "--- FAIL %s %s (%.1f s)\n", e.Package, e.Test, e.Elapsed)
		t.show(key)
	case "skip":
		t.skipped++
		fmt.Fprintf(t.out, "--- SKIP %s %s: %s\n", e.Package, e.Test, t.reason(key))
	}
	delete(t.printed, key)
}

func (t *tally) pkg(e event, key string) {
	switch {
	case e.Action == "fail":
		fmt.Fprintf(t.out, "FAIL %s (%.1f s)\n", e.Package, e.Elapsed)
		t.show(key)
		// A package that fails without a failing test (build, panic in init) counts once.
		if !t.failing[e.Package] {
			t.failed++
		}
	case e.Action == "pass":
		fmt.Fprintf(t.out, "ok   %s (%.1f s)\n", e.Package, e.Elapsed)
	}
	delete(t.printed, key)
}

func (t *tally) show(key string) {
	for _, line := range t.printed[key] {
		fmt.Fprint(t.out, "    ", line)
	}
}

// reason is what the test said when it skipped itself.
func (t *tally) reason(key string) string {
	var said []string
	for _, line := range t.printed[key] {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "===") && !strings.HasPrefix(line, "---") {
			said = append(said, line)
		}
	}
	return strings.Join(said, " ")
}

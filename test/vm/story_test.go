package vm_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/perilune/perilune/sim/story"
)

// demo flies the story and returns its report and exit code.
func demo(t *testing.T, broken string) (story.Report, int) {
	t.Helper()
	cmd := exec.Command(perilune(t), "sim", "demo")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "DEMO_BREAK="+broken)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(root, "out", "sim", "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r story.Report
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	if r.Break != broken {
		t.Fatalf("the report is of another flight: %q", r.Break)
	}
	nothingLeft(t)
	return r, cmd.ProcessState.ExitCode()
}

func TestStory(t *testing.T) {
	r, code := demo(t, "")
	if code != 0 || !r.Success() || len(r.Results) < 20 {
		t.Fatalf("exit code %d, %d of %d milestones", code, r.Reached, len(r.Results))
	}
	for _, m := range r.Results {
		if m.Seen == nil || m.Seen.Note == "" {
			t.Errorf("milestone %s says nothing of where it was seen", m.ID)
			continue
		}
		if end, ok := r.Recordings[m.Seen.Stream]; m.Seen.Stream != "" && (!ok || m.Seen.Octet >= end) {
			t.Errorf("milestone %s was seen at octet %d of %s, which has %d", m.ID, m.Seen.Octet, m.Seen.Stream, end)
		}
	}
	recordings(t, r)
	outside(t, r)
}

// recordings compares what the report says with the files, and the noise with the order.
func recordings(t *testing.T, r story.Report) {
	for name, size := range r.Recordings {
		st, err := os.Stat(filepath.Join(root, "out", "sim", name+".raw"))
		if err != nil || st.Size() < int64(size) {
			t.Errorf("%s: %v, the report says %d octets", name, err, size)
		}
	}
	for _, way := range []struct {
		name string
		ber  float64
	}{{"up", 1e-3}, {"down", 5e-3}} {
		sent, err1 := os.ReadFile(filepath.Join(root, "out", "sim", way.name+".sent.raw"))
		received, err2 := os.ReadFile(filepath.Join(root, "out", "sim", way.name+".received.raw"))
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		flips := 0
		for i := range received {
			for x := sent[i] ^ received[i]; x != 0; x &= x - 1 {
				flips++
			}
		}
		got := float64(flips) / float64(8*len(received))
		t.Logf("%slink: %.2e of all bits wrong, bursts and loss of signal included", way.name, got)
		if got < way.ber/2 {
			t.Errorf("%slink: %.2e of all bits wrong, the story orders %.0e and more", way.name, got, way.ber)
		}
	}
}

var pong = regexp.MustCompile(`(?m)^TM\[17,2\] of APID 1 in the frame at octet (\d+)`)

// outside has a program that we did not write the libraries of find TM[17,2] in the
// recording, at the place that the report cites.
func outside(t *testing.T, r story.Report) {
	var cited uint64
	for _, m := range r.Results {
		if m.ID == "ping" {
			cited = m.Seen.Octet
		}
	}
	const beyond = 16 << 10 // octets: the frame itself, and some
	out, err := exec.Command(outsidePython(t), filepath.Join(root, "test", "outside", "find_ping.py"),
		filepath.Join(root, "out", "sim", "down.received.raw"), strconv.FormatUint(cited+beyond, 10)).CombinedOutput()
	if err != nil {
		t.Fatalf("outside decoder: %v\n%s", err, out)
	}
	t.Logf("outside decoder: %s", out)
	for _, m := range pong.FindAllStringSubmatch(string(out), -1) {
		if at, err := strconv.ParseUint(m[1], 10, 64); err == nil && at == cited {
			return
		}
	}
	t.Errorf("the report cites octet %d, the outside decoder found\n%s", cited, out)
}

// outsidePython is the interpreter that has the outside decoder's library.
func outsidePython(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join(root, "out", "cache", "venv"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", filepath.Join("test", "venv.sh"), dir)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the tests' Python environment: %v\n%s", err, out)
	}
	return filepath.Join(dir, "bin", "python")
}

// TestBreak breaks one thing each and checks that exactly what rests on it fails.
func TestBreak(t *testing.T) {
	for _, broken := range story.Breaks {
		t.Run(broken, func(t *testing.T) {
			r, code := demo(t, broken)
			if code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			if !r.AsExpected || len(r.Expected) == 0 {
				t.Errorf("expected to fail: %v; see the table above for what did", r.Expected)
			}
		})
	}
}

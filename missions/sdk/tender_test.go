package sdk_test

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/missions/sdk"
)

// TestOnTender runs a guest in a virtual machine: traps, clocks, thread-local
// storage and devices that are not there.
func TestOnTender(t *testing.T) {
	if err := unix.Access("/dev/kvm", unix.R_OK|unix.W_OK); err != nil {
		t.Skipf("needs /dev/kvm: %v; without it test/vm/nest runs guests, in an emulated machine", err)
	}
	dir, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	kernel := filepath.Join(t.TempDir(), "guest.hvt")
	_, err = sdk.Build(context.Background(), sdk.Project{Dir: dir, Name: "guest", Sources: []string{"guest.c"}, Arch: runtime.GOARCH, Out: kernel})
	if errors.Is(err, sdk.ErrTools) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	seeded := filepath.Join(t.TempDir(), "seeded.hvt")
	if _, err := sdk.Build(context.Background(), sdk.Project{Dir: dir, Name: "guest", Sources: []string{"guest.c"}, Arch: runtime.GOARCH, Out: seeded,
		Manifest: hvt.Manifest{Entries: []hvt.Entry{hvt.Extend(missions.SeedName, hvt.Seed, 0)}}}); err != nil {
		t.Fatal(err)
	}
	tender := filepath.Join(t.TempDir(), "tender")
	if said, err := exec.Command("go", "build", "-o", tender, "../../cmd/perilune-tender").CombinedOutput(); err != nil {
		t.Fatalf("build the tender: %v: %s", err, said)
	}
	for _, c := range []struct {
		what   string
		status int
		want   string
	}{
		{"nothing", 7, ""},
		{"divide", 255, "guest trap: division by zero"},
		{"null", 255, "guest trap: bad address code=0xe00000000"},
		{"instruction", 255, "guest trap: bad instruction"},
		{"code", 1, ""}, // W^X is kept by the tender, which ends the guest
		{"heap", 7, "1\n"},
		{"tls", 7, "first 6 own\nsecond 5 own\n"},
		{"yield", 7, "slept enough, ready 0\n"},
		{"devices", 7, "net 2, block 2\nwrite 2, read 2\n"},
		{"seed", 7, "seed 2 \n"},
	} {
		t.Run(c.what, func(t *testing.T) {
			if runtime.GOARCH == "arm64" && c.what == "divide" {
				t.Skip("arm64 divides by zero without a trap")
			}
			if runtime.GOARCH == "arm64" && c.status == 255 {
				c.want = "guest trap" // syndromes differ
			}
			out, status := tenderRun(t, tender, kernel, c.what)
			if status != c.status || !strings.HasPrefix(out, c.want) {
				t.Errorf("exit status %d, %q; want %d, %q", status, out, c.status, c.want)
			}
		})
	}
	seeds := map[string]bool{}
	for range 3 {
		out, status := tenderRun(t, tender, seeded, "seed")
		seeds[out] = true
		if status != 7 || !regexp.MustCompile(`^seed 0 [0-9a-f]{64}\n$`).MatchString(out) {
			t.Errorf("exit status %d, %q", status, out)
		}
	}
	if len(seeds) != 3 {
		t.Errorf("seeds are given twice: %v", seeds)
	}
	out, _ := tenderRun(t, tender, kernel, "wall")
	wall, err := strconv.ParseInt(strings.TrimSpace(out), 10, 64)
	if age := time.Since(time.Unix(0, wall)); err != nil || age < 0 || age > time.Minute {
		t.Errorf("wall clock %q is %v old: %v", out, age, err)
	}
}

func tenderRun(t *testing.T, tender, kernel, cmdline string) (console string, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, tender, "--mem=4", kernel, cmdline)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if said.Len() > 0 {
		t.Logf("tender: %s", said.Bytes())
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

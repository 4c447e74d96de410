package cli_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/tender/tendertest"
	"golang.org/x/sys/unix"
)

func seqpair(t *testing.T) (a, b *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	a, b = os.NewFile(uintptr(fds[0]), "a"), os.NewFile(uintptr(fds[1]), "b")
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

// onChannel runs the guest "channel" with end as its channel.
func onChannel(t *testing.T, end *os.File, arg string) (cmd *exec.Cmd, out, errs *bytes.Buffer) {
	t.Helper()
	out, errs = &bytes.Buffer{}, &bytes.Buffer{}
	cmd = exec.Command(tendertest.Tender(t), "--mem=2", "--channel:notes=@3", tendertest.Guest(t, "channel"), arg)
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = out, errs, []*os.File{end}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(5*time.Minute, func() { cmd.Process.Kill() })
	t.Cleanup(func() { timer.Stop() })
	return cmd, out, errs
}

// Two tenders, two guests, messages of 1 to 4096 octets both ways.
func TestChannel(t *testing.T) {
	tendertest.NeedKVM(t)
	a, b := seqpair(t)
	first, _, errs1 := onChannel(t, a, "first")
	second, _, errs2 := onChannel(t, b, "second")
	if err := first.Wait(); err != nil {
		t.Errorf("first: %v, %s", err, errs1)
	}
	if err := second.Wait(); err != nil {
		t.Errorf("second: %v, %s", err, errs2)
	}
}

// What a guest asks of a channel that cannot be is refused, and nothing makes it wait
// or ends it but pointers outside its memory.
func TestChannelHostile(t *testing.T) {
	tendertest.NeedKVM(t)
	const again, invalid = "1", "2"
	for _, c := range []struct {
		arg, out string
		gone     bool
		status   int
	}{
		{"limits", strings.Repeat(invalid, 5) + again + again, false, 0},
		{"full", again, false, 0},
		{"gone", again + again + again + "0", true, 0},
		{"outside", "", false, 1},
		{"wrap", "", false, 1},
	} {
		a, b := seqpair(t)
		if c.gone {
			b.Close()
		}
		cmd, out, errs := onChannel(t, a, c.arg)
		err := cmd.Wait()
		var exit *exec.ExitError
		status := 0
		if errors.As(err, &exit) {
			status = exit.ExitCode()
		}
		if status != c.status || out.String() != c.out {
			t.Errorf("%s: status %d, %q, %s", c.arg, status, out, errs)
		}
	}
}

func TestChannelArguments(t *testing.T) {
	tendertest.NeedKVM(t)
	prog, guest := tendertest.Tender(t), tendertest.Guest(t, "channel")
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for args, want := range map[string]string{
		"":                    "Device 'notes' of type CHANNEL declared but not attached.",
		"--channel:notes=3":   "Malformed argument to --channel",
		"--channel:notes=@-1": "Malformed argument to --channel",
		"--channel:notes=@99": "Could not attach channel: @99: bad file descriptor",
		"--channel:notes=@3":  "Could not attach channel: @3: socket operation on non-socket",
		"--channel:other=@3":  "Resource not declared in manifest: 'other'",
	} {
		list := append(strings.Fields(args), "--mem=2", guest, "limits")
		cmd := exec.Command(prog, list...)
		cmd.ExtraFiles = []*os.File{file}
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(strings.ToLower(string(out)), strings.ToLower(want)) {
			t.Errorf("%q: %v, %s", args, err, out)
		}
	}
}

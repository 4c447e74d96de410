package cli_test

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/tender/tendertest"
	"golang.org/x/sys/unix"
)

// save runs a guest until it has printed a line and writes its snapshot. Then a frame waits for
// the guest, if descriptor 3 is its network. The process is gone when save returns what it printed.
func save(t *testing.T, line string, args ...string) (printed string) {
	t.Helper()
	printed, said, status := saveBeside(t, line, func() {}, args...)
	if status != 0 || !strings.Contains(said, "snapshot: wrote ") {
		t.Fatalf("save: status %d, stderr %q", status, said)
	}
	return printed
}

// endless are more rounds than any test waits for: a frame ends the guest "clock-net", whose network
// is descriptor 3.
const (
	endless = "1000000000"
	network = "--net:net=@3"
)

// saveBeside is save that does something before, and fails for nothing.
func saveBeside(t *testing.T, line string, before func(), args ...string) (printed, stderr string, status int) {
	t.Helper()
	ours, theirs := seqpair(t)
	cmd := exec.Command(tendertest.Tender(t), args...)
	cmd.ExtraFiles = []*os.File{theirs}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	errs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(5*time.Minute, func() { cmd.Process.Kill() })
	defer timer.Stop()
	r := bufio.NewReader(out)
	for !strings.Contains(printed, line) {
		text, err := r.ReadString('\n')
		if printed += text; err != nil {
			said, _ := io.ReadAll(errs)
			t.Fatalf("%v before %q: %q, stderr %q", err, line, printed, said)
		}
	}
	before()
	if err := cmd.Process.Signal(unix.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(errs)
	first, _ := said.ReadString('\n') // that it is written
	if _, err := ours.Write([]byte("enough")); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(r)
	more, _ := io.ReadAll(said)
	_ = cmd.Wait() // the status says it
	return printed + string(rest), first + string(more), cmd.ProcessState.ExitCode()
}

// restored runs the guest "clock-net" from its snapshot until a frame ends it, which waits for it.
func restored(t *testing.T, prog, file string) (stdout, stderr string, status int) {
	t.Helper()
	ours, theirs := seqpair(t)
	if _, err := ours.Write([]byte("enough")); err != nil {
		t.Fatal(err)
	}
	return runWith(t, theirs, prog, "--restore="+file, network)
}

// A guest that was to end with its snapshot, which could not get its name, has
// not ended well.
func TestSnapshotWithoutName(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	gone := func() {
		if err := os.Remove(dir); err != nil {
			t.Fatal(err)
		}
	}
	_, stderr, status := saveBeside(t, "round 0 ", gone, "--mem=2", "--snapshot="+filepath.Join(dir, "s"), "--snapshot-exit",
		tendertest.Guest(t, "clock"), endless)
	if status != 1 || !strings.HasSuffix(stderr, ": No such file or directory\n") {
		t.Errorf("status %d, %q", status, stderr)
	}
}

// A guest goes on in a new process, behind the jail, with its clocks and its
// second vCPU; twice from the same file.
func TestRestore(t *testing.T) {
	guest, prog := tendertest.Guest(t, "clock-net"), tendertest.Tender(t)
	file := filepath.Join(t.TempDir(), "guest.snapshot")
	text := save(t, "round 3 ", "--mem=4", network, "--snapshot="+file, "--snapshot-exit", guest, endless)
	if strings.Contains(text, "jumps") {
		t.Fatalf("the guest did not end when it was saved: %q", text)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("snapshot: %v, %v", info, err)
	}
	for range 2 {
		stdout, stderr, status := restored(t, prog, file)
		if status != 0 || stderr != "" || !strings.HasSuffix(stdout, "jumps 0, beats went on\n") ||
			strings.Contains(stdout, "round 2 ") || !strings.Contains(stdout, "round ") {
			t.Errorf("restored: status %d, %q, stderr %q", status, stdout, stderr)
		}
	}
	// A guest that goes on after its snapshot; and a name that is taken.
	if text := save(t, "round 3 ", "--mem=4", network, "--snapshot="+file, guest, endless); !strings.HasSuffix(text, "jumps 0, beats went on\n") {
		t.Errorf("saved and gone on: %q", text)
	}
	if stdout, stderr, status := restored(t, prog, file); status != 0 || !strings.Contains(stdout, "round ") {
		t.Errorf("restored: status %d, %q, stderr %q", status, stdout, stderr)
	}
	names, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(names) != 1 {
		t.Errorf("%d files beside the snapshot, %v", len(names), err)
	}
}

// What cannot be restored is refused in one line that says why.
func TestRestoreRefused(t *testing.T) {
	guest, prog, dir := tendertest.Guest(t, "clock"), tendertest.Tender(t), t.TempDir()
	good := filepath.Join(dir, "good")
	save(t, "round 0 ", "--mem=2", "--snapshot="+good, "--snapshot-exit", guest, endless)
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	other := func(change func(b []byte) []byte) string {
		f, err := os.CreateTemp(dir, "other")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.Write(change(bytes.Clone(whole))); err != nil {
			t.Fatal(err)
		}
		return f.Name()
	}
	for _, c := range []struct{ file, option, want string }{
		{filepath.Join(dir, "absent"), "--mem=2", ": Could not open: No such file or directory\n"},
		{guest, "", ": is no snapshot\n"},
		{other(func(b []byte) []byte { b[8]++; return b }), "", ": snapshot has another version: 2, this tender reads 1\n"},
		{other(func(b []byte) []byte { return b[:100] }), "", ": snapshot is truncated\n"},
		{other(func(b []byte) []byte { return b[:len(b)-100] }), "", "snapshot is truncated\n"},
		{other(func(b []byte) []byte { b[60] ^= 1; return b }), "", ": snapshot is corrupted: its header does not have its digest\n"},
		{other(func(b []byte) []byte { b[len(b)-5000] ^= 1; return b }), "", "snapshot is corrupted: it does not have its digest\n"},
		{good, "--vcpus-max=1", "too many vCPUs: it declares 2, at most 1 are granted\n"},
		{good, "--mem=2", "--mem: the memory is the snapshot's\n"},
		{good, "--block:disk=" + guest, "Resource not declared in manifest: 'disk'\n"},
		{good, "--snapshot-exit", "--snapshot-exit needs --snapshot\n"},
	} {
		args := []string{"--restore=" + c.file}
		if c.option != "" {
			args = append(args, c.option)
		}
		stdout, stderr, status := run(t, prog, args...)
		if status != 1 || stdout != "" || !strings.Contains(stderr, c.want) {
			t.Errorf("%q: status %d, %q, stderr %q", args, status, stdout, stderr)
		}
	}
}

// A channel is attached to a restored guest by its name, as to a new one: what was sent
// meanwhile to an end that was kept is there, and another end does as well.
func TestRestoreWithChannel(t *testing.T) {
	guest, prog := tendertest.Guest(t, "channel"), tendertest.Tender(t)
	file := filepath.Join(t.TempDir(), "guest.snapshot")
	ours, theirs := seqpair(t)
	start := func(end *os.File, args ...string) (*exec.Cmd, *bytes.Buffer) {
		var said bytes.Buffer
		cmd := exec.Command(prog, append([]string{"--channel:notes=@3"}, args...)...)
		cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = &said, &said, []*os.File{end}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(5*time.Minute, func() { cmd.Process.Kill() })
		t.Cleanup(func() { timer.Stop() })
		return cmd, &said
	}
	send := func(to *os.File, message []byte) {
		t.Helper()
		if _, err := to.Write(message); err != nil {
			t.Fatal(err)
		}
	}
	answer := func(from *os.File, want []byte) {
		t.Helper()
		buf := make([]byte, 8192)
		n, err := from.Read(buf)
		if err != nil || !bytes.Equal(buf[:n], want) {
			t.Fatalf("answer %.20q of %d octets, %v", buf[:n], n, err)
		}
	}

	first, said := start(theirs, "--mem=2", "--snapshot="+file, "--snapshot-exit", guest, "second")
	send(ours, []byte("HAL"))
	answer(ours, []byte("IBM"))
	if err := first.Process.Signal(unix.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	if err := first.Wait(); err != nil || !strings.Contains(said.String(), "snapshot: wrote ") {
		t.Fatalf("save: %v, %q", err, said)
	}
	if _, stderr, status := run(t, prog, "--restore="+file); status != 1 || !strings.Contains(stderr, "Device 'notes' of type CHANNEL declared but not attached") {
		t.Errorf("restored without its channel: status %d, %q", status, stderr)
	}

	send(ours, []byte("meanwhile"))
	last := bytes.Repeat([]byte{1}, 4096) // after it the guest ends
	again, said := start(theirs, "--restore="+file)
	answer(ours, []byte("nfboxijmf"))
	send(ours, last)
	answer(ours, bytes.Repeat([]byte{2}, 4096))
	if err := again.Wait(); err != nil {
		t.Errorf("restored: %v, %q", err, said)
	}

	ours, theirs = seqpair(t)
	other, said := start(theirs, "--restore="+file)
	send(ours, last)
	answer(ours, bytes.Repeat([]byte{2}, 4096))
	if err := other.Wait(); err != nil {
		t.Errorf("restored on another channel: %v, %q", err, said)
	}
}

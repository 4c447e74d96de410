package cli_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/perilune/perilune/tender/tendertest"
)

// Readers on the socket see what the guest has printed and what it prints, in
// the jail, and standard output does too.
func TestConsole(t *testing.T) {
	prog, guest := tendertest.Tender(t), tendertest.Guest(t, "packet")
	for _, more := range [][]string{nil, {"--no-jail"}} {
		path := filepath.Join(t.TempDir(), "console")
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		var errs bytes.Buffer
		ours, theirs := seqpair(t)
		cmd := exec.Command(prog, append(more, "--mem=2", "--console=unix:"+path, "--net:radio=@3", guest, "late")...)
		cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = write, &errs, []*os.File{theirs}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		write.Close()
		timer := time.AfterFunc(5*time.Minute, func() { cmd.Process.Kill() })
		head := make([]byte, len("early\n"))
		if _, err := io.ReadFull(read, head); err != nil {
			t.Fatalf("%v, %s", err, errs.String())
		}
		var readers []net.Conn
		for range 3 {
			c, err := net.Dial("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			readers = append(readers, c)
		}
		readers[2].Close()
		for i, c := range readers[:2] {
			if _, err := io.ReadFull(c, head); err != nil || string(head) != "early\n" {
				t.Errorf("reader %d begins with %q, %v", i, head, err)
			}
		}
		if _, err := ours.Write([]byte("now")); err != nil {
			t.Fatal(err)
		}
		for i, c := range readers[:2] {
			if text, err := io.ReadAll(c); err != nil || string(text) != "late\n" {
				t.Errorf("reader %d: %q, %v", i, text, err)
			}
		}
		rest, _ := io.ReadAll(read)
		if err := cmd.Wait(); err != nil || string(rest) != "late\n" {
			t.Errorf("%v, stdout %q, stderr %q", err, rest, errs.String())
		}
		timer.Stop()
	}
}

func TestConsoleArgument(t *testing.T) {
	prog, guest := tendertest.Tender(t), tendertest.Guest(t, "hello")
	for _, arg := range []string{"", "unix:", "tcp:1234"} {
		out, err := exec.Command(prog, "--mem=2", "--console="+arg, guest).CombinedOutput()
		if err == nil || !bytes.Contains(out, []byte("Malformed argument to --console\n")) {
			t.Errorf("%q: %v, %s", arg, err, out)
		}
	}
	out, err := exec.Command(prog, "--mem=2", "--console=unix:/nowhere/console", guest).CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("console socket /nowhere/console: ")) {
		t.Errorf("%v, %s", err, out)
	}
}

package vm_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/client"
)

// flight is a `perilune sim` that runs beside the test, as in a first terminal.
type flight struct {
	t   *testing.T
	bin string
	cmd *exec.Cmd
	out bytes.Buffer
	ctx context.Context
	api *client.Client

	ended chan struct{} // closed when cmd has, by err
	err   error
}

// whole is for all of a flight: a dozen things, of which only a few can take long.
const whole = 5 * patience

func fly(t *testing.T) *flight {
	f := &flight{t: t, bin: perilune(t), ended: make(chan struct{})}
	ctx, cancel := context.WithTimeout(context.Background(), whole)
	t.Cleanup(cancel)
	f.ctx = ctx
	f.cmd = exec.Command(f.bin, "sim")
	f.cmd.Dir, f.cmd.Stdout, f.cmd.Stderr = root, &f.out, &f.out
	f.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := f.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(f.ended)
		f.err = f.cmd.Wait()
	}()
	t.Cleanup(func() { f.end() })
	for f.api == nil {
		if f.api, _ = client.Dial(filepath.Join(root, "out", "sim", "ground.sock")); f.api != nil {
			break
		}
		select {
		case <-f.ended:
			t.Fatalf("no station: %v\n%s", f.err, f.out.String())
		case <-ctx.Done():
			t.Fatalf("no station within %v", whole)
		case <-time.After(50 * time.Millisecond):
		}
	}
	return f
}

// end is Ctrl-C.
func (f *flight) end() error {
	if err := f.cmd.Process.Signal(syscall.SIGINT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-f.ended
	return f.err
}

// run is a command in the second terminal; it must succeed.
func (f *flight) run(dir string, args ...string) string {
	f.t.Helper()
	cmd := exec.CommandContext(f.ctx, f.bin, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		f.t.Fatalf("perilune %s: %v\n%s\nthe simulator said:\n%s", strings.Join(args, " "), err, out, f.console())
	}
	return string(out)
}

func (f *flight) console() string {
	data, err := os.ReadFile(filepath.Join(root, "out", "sim", "console.log"))
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// last is the number of the station's last event.
func (f *flight) last() uint64 {
	f.t.Helper()
	s, err := f.api.Status(f.ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	return s.Sequence
}

// wait returns the first event after since that match takes.
func (f *flight) wait(what string, since uint64, match func(client.Event) bool) client.Event {
	f.t.Helper()
	e, err := f.api.Wait(f.ctx, since, match)
	if err != nil {
		f.t.Fatalf("waiting for %s: %v\nconsole:\n%s", what, err, f.console())
	}
	return e
}

func named(name string) func(client.Event) bool {
	return func(e client.Event) bool { return e.Kind == client.KindEvent && e.Field("name") == name }
}

// beat waits for a packet of the beacon and returns its counter.
func (f *flight) beat(since uint64) uint32 {
	f.t.Helper()
	var n uint32
	f.wait("a beacon packet", since, func(e client.Event) bool {
		if e.Kind != client.KindTM || e.APID != 100 || e.Service != 128 || e.Subtype != 1 {
			return false
		}
		d, err := pus.DecodeTenantData(e.Data)
		if err != nil || len(d.Data) < 4 {
			return false
		}
		n = binary.BigEndian.Uint32(d.Data)
		return true
	})
	return n
}

var goesOn = regexp.MustCompile(`"guest goes on" guest=acme/beacon slot=1 pid=(\d+)`)
var slotStarted = regexp.MustCompile(`slot 1 \("acme/beacon"\): pid (\d+)`)

// TestSession is the handbook's session: four commands in a second terminal, faults, the
// death of flight, safe mode, and Ctrl-C.
func TestSession(t *testing.T) {
	f := fly(t)
	f.wait("the beacon", 0, named("guest started"))

	work, err := filepath.Abs(filepath.Join(root, "out", "test-session"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.RemoveAll(work), os.MkdirAll(work, 0o755)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(work) })
	f.run(work, "mission", "new", "probe")
	f.run(work, "mission", "build", "probe")
	f.run(work, "mission", "upload", "probe")
	f.run(work, "mission", "start", "probe")
	if out := f.run(work, "mission", "list"); !regexp.MustCompile(`borealis/probe +running`).MatchString(out) {
		t.Errorf("mission list:\n%s", out)
	}
	if out := f.run(work, "tc", "ping"); !strings.Contains(out, "TM[17,2]") {
		t.Errorf("tc ping: %s", out)
	}
	if out := f.run(work, "--json", "pass", "list"); !strings.Contains(out, `"station"`) && !strings.Contains(out, `"Station"`) {
		t.Errorf("pass list: %s", out)
	}

	f.resetInUpload(work)
	f.flightDies()
	f.safe()

	if err := f.end(); err != nil {
		t.Errorf("Ctrl-C: %v\n%s", err, f.out.String())
	}
	nothingLeft(t)
}

// resetInUpload resets the craft in the middle of an upload: it goes on where it was,
// and what the craft had is not sent again but for a tenth of the file and one window,
// the frames that FOP-1 may have on the way.
func (f *flight) resetInUpload(work string) {
	f.t.Helper()
	const size, pdu, window = 400_000, 900, 64 * 256
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(i * i >> 7)
	}
	if err := os.WriteFile(filepath.Join(work, "big.bin"), data, 0o644); err != nil {
		f.t.Fatal(err)
	}
	f.run(work, "file", "put", "big.bin", "--no-wait")
	var t client.Transfer
	since := f.last()
	for t.Done < size/2 {
		f.wait("half of the upload", since, func(e client.Event) bool {
			since = e.Seq
			return e.Kind == client.KindFileProgress
		})
		all, err := f.api.Transfers(f.ctx)
		if err != nil {
			f.t.Fatal(err)
		}
		for _, one := range all {
			if one.Name == "big.bin" {
				t = one
			}
		}
	}
	f.run(work, "sim", "fault", "reset")
	t, err := f.api.WaitTransfer(f.ctx, t.ID, nil)
	if err != nil {
		f.t.Fatalf("upload through a reset: %v\nconsole:\n%s", err, f.console())
	}
	if again := t.Retransmitted * pdu; t.Size != size || again > size/10+window {
		f.t.Errorf("%d octets of %d were sent again, at most %d", again, size, size/10+window)
	}
	f.t.Logf("after a reset %d PDUs of %d octets were sent again", t.Retransmitted, pdu)
	f.run(work, "file", "get", "big.bin", "--onboard", "-o", "back.bin")
	if back, err := os.ReadFile(filepath.Join(work, "back.bin")); err != nil || !bytes.Equal(back, data) {
		f.t.Errorf("%d octets came back, %v", len(back), err)
	}
}

// flightDies kills flight as a crash would: the tender keeps its pid, the guest counts on.
func (f *flight) flightDies() {
	f.t.Helper()
	before := f.beat(f.last())
	since := f.last()
	f.run(root, "sim", "fault", "kill-flight")
	restarted := f.wait("flight's return", since, named("flight restarted"))
	if after := f.beat(restarted.Seq); after <= before {
		f.t.Errorf("the beacon counted %d before flight died and %d after", before, after)
	}
	console := f.console()
	started, kept := slotStarted.FindAllStringSubmatch(console, -1), goesOn.FindStringSubmatch(console)
	if len(started) == 0 || kept == nil || started[len(started)-1][1] != kept[1] { // the last boot's
		f.t.Errorf("tender started as %v, went on as %v", started, kept)
	}
}

// safe kills flight twice more: after three deaths no guest runs, and ping still works.
func (f *flight) safe() {
	f.t.Helper()
	since := f.last()
	f.run(root, "sim", "fault", "kill-flight")
	again := f.wait("flight's return", since, named("flight restarted"))
	f.run(root, "sim", "fault", "kill-flight")
	f.wait("safe mode", again.Seq, named("safe entered"))
	f.wait("a report from safe mode", f.last(), func(e client.Event) bool {
		return e.Kind == client.KindTM && e.Service == 3 && strings.Contains(e.Text, "safe") && strings.Contains(e.Text, " 0 guests")
	})
	if out := f.run(root, "tc", "ping"); !strings.Contains(out, "TM[17,2]") {
		f.t.Errorf("tc ping in safe mode: %s", out)
	}
}

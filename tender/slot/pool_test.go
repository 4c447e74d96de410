package slot_test

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/spawn"
	"github.com/perilune/perilune/tender/tendertest"
	"github.com/perilune/perilune/tender/wire"
)

func TestMain(m *testing.M) { tendertest.Main(m) }

const slotUID = 54321

// pool is one started slot, past its Hello.
type pool struct {
	*spawn.Slot
	conn   *wire.Conn
	stderr *os.File
	status syscall.WaitStatus
	reaped bool
	kept   []wire.Recalled
}

func start(t *testing.T) *pool {
	t.Helper()
	tendertest.NeedKVM(t)
	kvm, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer kvm.Close()
	stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := spawn.Start(spawn.Spec{Path: tendertest.Tender(t), UID: slotUID, GID: slotUID, KVM: kvm, Stderr: stderr})
	if err != nil {
		t.Fatal(err)
	}
	p := &pool{Slot: s, stderr: stderr}
	t.Cleanup(func() {
		syscall.Kill(p.PID, syscall.SIGKILL)
		p.wait(t)
		p.Data.Close()
	})
	if p.conn, err = wire.NewConn(s.Control); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.conn.Close() })
	if m := p.next(t); m != (wire.Hello{Version: wire.Version, ABI: hvt.ABIVersion}) {
		t.Fatalf("first message %#v", m)
	}
	return p
}

func (p *pool) wait(t *testing.T) syscall.WaitStatus {
	t.Helper()
	for !p.reaped {
		_, err := syscall.Wait4(p.PID, &p.status, 0, nil)
		if err != nil && err != syscall.EINTR {
			t.Fatal(err)
		}
		p.reaped = err == nil
	}
	return p.status
}

func (p *pool) next(t *testing.T) wire.Message {
	t.Helper()
	p.conn.SetReadDeadline(time.Now().Add(3 * time.Minute))
	m, _, err := p.conn.Receive()
	if err != nil {
		log, _ := os.ReadFile(p.stderr.Name())
		t.Fatalf("receive: %v; slot ended with %#x and says %q", err, p.wait(t), log)
	}
	return m
}

// claim gives the slot a guest and waits until it runs.
func (p *pool) claim(t *testing.T, c wire.Claim, kernel string, more ...*os.File) {
	t.Helper()
	f, err := os.Open(kernel)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := p.conn.Send(c, append([]*os.File{f}, more...)...); err != nil {
		t.Fatal(err)
	}
}

func (p *pool) running(t *testing.T) {
	t.Helper()
	if m := p.next(t); m != (wire.Claimed{}) {
		t.Fatalf("after the claim: %#v", m)
	}
	if m := p.next(t); m != (wire.Started{}) {
		t.Fatalf("after Claimed: %#v", m)
	}
}

// finish collects console text until Exited, and holds the process to it.
func (p *pool) finish(t *testing.T) (text string, dropped int, e wire.Exited) {
	t.Helper()
	for {
		switch m := p.next(t).(type) {
		case wire.Console:
			dropped = int(m.Offset) - len(text)
			text += string(m.Data)
		case wire.Recalled:
			p.kept = append(p.kept, m)
		case wire.Exited:
			if _, _, err := p.conn.Receive(); err != io.EOF {
				t.Errorf("after Exited: %v", err)
			}
			if w := p.wait(t); !w.Exited() || w.ExitStatus() != int(m.Status) {
				t.Errorf("process ended with %#x, message says %d", w, m.Status)
			}
			return text, dropped, m
		default:
			t.Fatalf("unexpected %#v", m)
		}
	}
}

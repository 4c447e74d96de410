package scheduler_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/initproto"
	"github.com/perilune/perilune/missions/project"
	"github.com/perilune/perilune/missions/sdk"
	"github.com/perilune/perilune/tender/spawn"
	"github.com/perilune/perilune/tender/tendertest"
)

func TestMain(m *testing.M) { tendertest.Main(m) }

// realSlots makes the fake init start real tenders.
func (c *craftT) realSlots() {
	c.t.Helper()
	tendertest.NeedKVM(c.t)
	kvm, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { kvm.Close() })
	c.init.spec = &spawn.Spec{Path: tendertest.Tender(c.t), KVM: kvm, Stderr: os.Stderr}
}

// spawnReal starts a tender and reaps it.
func (f *fakeInit) spawnReal(m initproto.SlotRequest) (*fakeSlot, error) {
	spec := *f.spec
	// Each slot is another user, as on board: what one may have of threads is counted by user, and
	// tests run beside each other.
	spec.UID = 20000 + (16*os.Getpid()+int(m.ID)%16)%45000
	spec.GID = spec.UID
	slot, err := spawn.Start(spec)
	if err != nil {
		return nil, err
	}
	if f.tap != nil {
		if slot.Control, err = f.tap.insert(slot.Control); err != nil {
			return nil, err
		}
	}
	s := &fakeSlot{id: m.ID, pid: uint32(slot.PID), name: m.Name, control: slot.Control, data: slot.Data, real: true}
	f.slots[m.ID] = s
	go func() {
		var w unix.WaitStatus
		for {
			if _, err := unix.Wait4(slot.PID, &w, 0, nil); !errors.Is(err, unix.EINTR) {
				break
			}
		}
		if f.tap != nil {
			f.tap.ended.Lock()
			defer f.tap.ended.Unlock()
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		s.control.Close()
		s.data.Close()
		delete(f.slots, s.id)
		signal := uint8(0)
		if w.Signaled() {
			signal = uint8(w.Signal())
		}
		_ = f.conn.Send(initproto.SlotExited{ID: s.id, Status: uint8(w.ExitStatus()), Signal: signal}) // flight may be gone
	}()
	return s, nil
}

// example builds and packs an example mission as part of the image.
func (c *craftT) example(name string) {
	c.t.Helper()
	p, err := project.Open(filepath.Join("..", "missions", "examples", name))
	if err != nil {
		c.t.Fatal(err)
	}
	key, err := c.dev.Tenant(p.Mission.Tenant)
	if err != nil {
		c.t.Fatal(err)
	}
	_, err = p.Build(c.t.Context(), filepath.Join(c.dir, "image", name+".tar"), []string{runtime.GOARCH}, key)
	if errors.Is(err, sdk.ErrTools) {
		c.t.Skip(err)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// The real beacon in the real tender: its telemetry comes down, a telecommand is
// answered, a restart of flight does not touch it, and init's kill is reported.
func TestBeaconOnKVM(t *testing.T) {
	c := newCraft(t, 1e-4)
	c.realSlots()
	c.example("beacon")
	c.boot()
	c.ground.event(pus.EventGuestStarted, "acme/beacon")
	first := c.ground.counted("beacon", 0, 0)
	tc, err := pus.TenantData{Mission: "beacon", Data: []byte("echo me")}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	c.ground.verified(c.ground.command(100, 128, 1, tc), pus.CompletionSuccess)
	c.ground.wait("answer", func(tm pus.Telemetry) bool {
		d, err := pus.DecodeTenantData(tm.Payload)
		return isBeacon(tm) && err == nil && string(d.Data) == "echo me"
	})
	pid := c.init.slot("acme/beacon").pid
	c.halt()
	time.Sleep(1200 * time.Millisecond) // it sends meanwhile
	c.ground.forget()
	c.fly(initproto.Welcome{Boots: 1, Restarts: 1})
	next := c.ground.counted("beacon after the restart", 0, 0)
	if s := c.init.slot("acme/beacon"); s == nil || s.pid != pid || next <= first {
		t.Fatalf("after the restart: slot %+v, pid was %d, counter %d then %d", s, pid, first, next)
	}
	if err := syscall.Kill(int(pid), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	c.ground.event(pus.EventGuestExited, "killed by signal 9")
	c.ground.verified(c.ground.function(pus.FunctionMissionStart, "acme", "beacon"), pus.CompletionSuccess)
	c.ground.verified(c.ground.function(pus.FunctionMissionStop, "acme", "beacon"), pus.CompletionSuccess)
}

// A guest that aborts is reported with its status, and its neighbour has no gap.
func TestAbortOnKVM(t *testing.T) {
	c := newCraft(t, 0)
	c.realSlots()
	c.example("beacon")
	c.example("abort")
	c.boot()
	c.ground.wait("beacon", isBeacon)
	var tenant string
	if p, err := project.Open(filepath.Join("..", "missions", "examples", "abort")); err != nil {
		t.Fatal(err)
	} else {
		tenant = p.Mission.Tenant
	}
	c.ground.verified(c.ground.function(pus.FunctionMissionStart, tenant, "abort"), pus.CompletionSuccess)
	c.ground.event(pus.EventGuestExited, tenant+"/abort: status 255, abort")
	c.ground.mu.Lock()
	n := len(c.ground.tm)
	c.ground.mu.Unlock()
	c.ground.wait("beacon after the abort", func(tm pus.Telemetry) bool { n--; return n < 0 && isBeacon(tm) })
	c.ground.mu.Lock()
	defer c.ground.mu.Unlock()
	last := -1
	for _, tm := range c.ground.tm {
		if tm.APID != 100 {
			continue
		}
		if last >= 0 && int(tm.Seq) != (last+1)%16384 {
			t.Errorf("sequence %d after %d", tm.Seq, last)
		}
		last = int(tm.Seq)
	}
}

// A guest's text is there when it is asked for: while the guest runs, after a restart
// of flight, and after the guest has ended.
func TestConsoleOnKVM(t *testing.T) {
	c := newCraft(t, 0)
	c.realSlots()
	c.example("abort")
	c.example("beacon")
	c.boot()
	c.ground.event(pus.EventGuestStarted, "acme/beacon")
	read := func(tenant, mission string) string {
		t.Helper()
		c.ground.forget()
		c.ground.verified(c.ground.function(pus.FunctionConsoleRead, tenant, mission, "0"), pus.CompletionSuccess)
		var text string
		c.ground.wait("console", func(tm pus.Telemetry) bool {
			r, err := pus.DecodeConsoleText(tm.Payload)
			if tm.Service != pus.ServiceTenant || tm.Subtype != pus.TenantConsole || err != nil || !r.Answer || r.Mission != mission {
				return false
			}
			text = string(r.Text)
			return r.Start == 0 && r.Offset == 0 && r.End == uint64(len(text)) && r.Run != 0
		})
		return text
	}
	c.ground.wait("the beacon's packet", isBeacon) // its text comes before it
	first := read("acme", "beacon")
	if first == "" {
		t.Error("the beacon has printed nothing")
	}
	c.halt()
	c.fly(initproto.Welcome{Boots: 1, Restarts: 1})
	c.ground.event(pus.EventFlightRestarted, "restart 1")
	if again := read("acme", "beacon"); again != first {
		t.Errorf("after the restart of flight %q, before it %q", again, first)
	}
	p, err := project.Open(filepath.Join("..", "missions", "examples", "abort"))
	if err != nil {
		t.Fatal(err)
	}
	c.ground.verified(c.ground.function(pus.FunctionMissionStart, p.Mission.Tenant, "abort"), pus.CompletionSuccess)
	c.ground.event(pus.EventGuestExited, "abort: status 255")
	if text := read(p.Mission.Tenant, "abort"); text == "" {
		t.Error("of the guest that aborted no text is left")
	}
	for _, bad := range [][]string{{"acme", "nobody", "0"}, {"acme", "beacon", "-1"}, {"acme", "beacon"}} {
		id := c.ground.function(pus.FunctionConsoleRead, bad...)
		c.ground.wait("refusal", func(tm pus.Telemetry) bool {
			v, err := pus.DecodeVerification(tm.Subtype, tm.Payload)
			return tm.Service == pus.ServiceVerification && err == nil && v.Request == id && v.Failed()
		})
	}
}

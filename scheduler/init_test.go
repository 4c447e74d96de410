package scheduler_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/internal/initproto"
	"github.com/perilune/perilune/tender/spawn"
	"github.com/perilune/perilune/tender/wire"
)

// fakeInit starts fake tenders and keeps their sockets.
type fakeInit struct {
	t    *testing.T
	run  func(*fakeSlot)
	spec *spawn.Spec // of real tenders; nil: fake ones
	tap  *tap        // between flight and real tenders; may be nil

	mu      sync.Mutex
	conn    *initproto.Conn
	slots   map[uint32]*fakeSlot
	kept    map[string][]*os.File
	pids    uint32
	healthy int
	leaves  int
	reboots []string // reasons
}

// fakeSlot is a fake tender: its own ends, and the ends that init keeps for flight.
type fakeSlot struct {
	id, pid       uint32
	name          string
	control, data *os.File // flight's ends
	ctl           *wire.Conn
	packets       *os.File
	claim         wire.Claim
	stopped       chan struct{}
	real          bool
}

// kill ends the tender.
func (s *fakeSlot) kill() {
	if s.real {
		_ = unix.Kill(int(s.pid), unix.SIGKILL) // it may have ended
		return
	}
	s.ctl.Close()
	s.packets.Close()
}

func pair(t *testing.T) (a, b *os.File) {
	t.Helper()
	a, b, err := pairOfFiles()
	if err != nil {
		t.Error(err)
	}
	return a, b
}

func pairOfFiles() (a, b *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	return os.NewFile(uintptr(fds[0]), "a"), os.NewFile(uintptr(fds[1]), "b"), nil
}

func (f *fakeInit) serve(conn *initproto.Conn, w initproto.Welcome) <-chan struct{} {
	f.mu.Lock()
	f.conn = conn
	w.KeptSlots, w.KeptFiles = uint32(len(f.slots)), uint32(len(f.kept))
	err := conn.Send(w)
	for _, s := range f.slots {
		err = errors.Join(err, conn.Send(initproto.SlotReady{ID: s.id, PID: s.pid, Name: s.name, Kept: true}, s.control, s.data))
	}
	for name, files := range f.kept {
		err = errors.Join(err, conn.Send(initproto.Kept{Name: name}, files...))
	}
	f.mu.Unlock()
	if err != nil {
		f.t.Error(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			m, files, err := conn.Receive()
			if err != nil {
				return
			}
			f.take(m, files)
		}
	}()
	return done
}

func (f *fakeInit) take(m initproto.Message, files []*os.File) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch m := m.(type) {
	case initproto.SlotRequest:
		if f.spec != nil {
			s, err := f.spawnReal(m)
			if err != nil {
				f.t.Error(err)
				return
			}
			_ = f.conn.Send(initproto.SlotReady{ID: s.id, PID: s.pid, Name: s.name}, s.control, s.data) // flight may be gone
			return
		}
		s := f.spawn(m)
		_ = f.conn.Send(initproto.SlotReady{ID: s.id, PID: s.pid, Name: s.name}, s.control, s.data) // flight may be gone
		go f.live(s)
	case initproto.SlotKill:
		if s := f.slots[m.ID]; s != nil {
			s.kill()
		}
	case initproto.Keep:
		if len(files) != 2 {
			f.t.Errorf("keep %q: %d files", m.Name, len(files))
		}
		f.kept[m.Name] = files
	case initproto.Forget:
		for _, file := range f.kept[m.Name] {
			file.Close()
		}
		delete(f.kept, m.Name)
	case initproto.Health:
		f.healthy++
	case initproto.SafeLeave:
		f.leaves++
	case initproto.Reboot:
		f.reboots = append(f.reboots, m.Reason)
	}
}

func (f *fakeInit) spawn(m initproto.SlotRequest) *fakeSlot {
	f.pids++
	s := &fakeSlot{id: m.ID, pid: 4000 + f.pids, name: m.Name, stopped: make(chan struct{})}
	var theirs *os.File
	s.control, theirs = pair(f.t)
	s.data, s.packets = pair(f.t)
	var err error
	if s.ctl, err = wire.NewConn(theirs); err != nil {
		f.t.Error(err)
	}
	f.slots[m.ID] = s
	return s
}

// live is the life of a tender: claim, guest, end.
func (f *fakeInit) live(s *fakeSlot) {
	defer func() {
		s.ctl.Close()
		s.packets.Close()
		f.mu.Lock()
		defer f.mu.Unlock()
		s.control.Close()
		s.data.Close()
		delete(f.slots, s.id)
		_ = f.conn.Send(initproto.SlotExited{ID: s.id}) // flight may be gone
	}()
	if s.ctl.Send(wire.Hello{Version: wire.Version, ABI: 2}) != nil {
		return
	}
	m, files, err := s.ctl.Receive()
	if err != nil {
		return // it is killed, before a flight program that is gone has claimed it
	}
	claim, ok := m.(wire.Claim)
	if !ok || len(files) != claim.Files() {
		f.t.Errorf("claim: %T with %d files", m, len(files))
		return
	}
	for _, file := range files {
		file.Close()
	}
	s.claim = claim
	if errors.Join(s.ctl.Send(wire.Claimed{}), s.ctl.Send(wire.Started{})) != nil {
		return
	}
	go func() {
		defer close(s.stopped)
		for {
			m, _, err := s.ctl.Receive()
			if _, stop := m.(wire.Stop); stop || err != nil {
				return
			}
		}
	}()
	f.run(s)
}

func (f *fakeInit) killAll() {
	f.mu.Lock()
	for _, s := range f.slots {
		s.kill()
	}
	f.mu.Unlock()
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(time.Millisecond) {
		f.mu.Lock()
		n := len(f.slots)
		f.mu.Unlock()
		if n == 0 {
			return
		}
	}
}

// slot finds the running slot of a guest.
func (f *fakeInit) slot(name string) *fakeSlot {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.slots {
		if s.name == name {
			return s
		}
	}
	return nil
}

// beacon is a guest that counts, answers telecommands, and ends when told to.
func beacon(s *fakeSlot) {
	_ = s.ctl.Send(wire.Console{Data: []byte("beacon is up\n")})
	count := uint16(0)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	commands := make(chan []byte)
	go func() {
		buf := make([]byte, hvt.PacketMax)
		for {
			n, err := s.packets.Read(buf)
			if err != nil {
				close(commands)
				return
			}
			commands <- slices.Clone(buf[:n])
		}
	}()
	for {
		select {
		case <-tick.C:
			_, err := s.packets.Write([]byte{hvt.PacketTelemetry, byte(count >> 8), byte(count)})
			if err != nil && !errors.Is(err, unix.EAGAIN) {
				return
			}
			count++
		case c, ok := <-commands:
			if !ok {
				return
			}
			if exit := command(s, c[1:]); exit != nil {
				_ = s.ctl.Send(*exit)
				return
			}
		case <-s.stopped:
			_ = s.ctl.Send(wire.Exited{Kind: wire.Killed, Reason: "stopped"})
			return
		}
	}
}

func command(s *fakeSlot, c []byte) *wire.Exited {
	switch {
	case string(c) == "abort":
		return &wire.Exited{Status: 255, Kind: wire.Abort, Reason: "asked to"}
	case strings.HasPrefix(string(c), "product "):
		name, size := "", 0
		if _, err := fmt.Sscanf(string(c), "product %s %d", &name, &size); err != nil {
			return nil
		}
		product(s.packets, name, size)
	default:
		_, _ = s.packets.Write(append([]byte{hvt.PacketTelemetry}, c...))
	}
	return nil
}

func product(w io.Writer, name string, size int) {
	_, _ = w.Write(append([]byte{hvt.PacketProductBegin}, name...))
	for at := 0; at < size; {
		n := min(4000, size-at)
		b := make([]byte, n+1)
		b[0] = hvt.PacketProductData
		for i := range n {
			b[i+1] = byte(at + i)
		}
		if _, err := w.Write(b); err != nil {
			return
		}
		at += n
	}
	end := []byte{hvt.PacketProductEnd, 0, 0, 0, 0, 0, 0, 0, 0}
	for i := range 8 {
		end[1+i] = byte(size >> (8 * i))
	}
	_, _ = w.Write(end)
}

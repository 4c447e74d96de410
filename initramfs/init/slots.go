package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/internal/initproto"
	"github.com/perilune/perilune/tender/spawn"
)

// Limits that flight cannot exceed by asking.
const (
	maxSlots    = 64
	maxSlotMem  = 64 << 30 // octets
	defaultPids = 64       // a tender's Go runtime needs some threads
	maxSlotPids = 1024
	maxSlotCPU  = 6400 // percent of one core
	maxSlotIO   = 1 << 40
)

// slot is one running tender. init keeps both sockets, so that they outlive
// flight.
type slot struct {
	seat          uint32 // what its uid and its cgroup are called by
	id            uint32 // flight's number for it, once it has a guest
	pid           int
	name          string
	control, data *os.File
	cgroup        string
	reported      bool // flight hears of its end, and its successor inherits it
	dying         bool // it was killed
	eager         bool // it still has the weight of one that starts
}

func (s *slot) ready(kept bool) initproto.SlotReady {
	return initproto.SlotReady{ID: s.id, PID: uint32(s.pid), Name: s.name, Kept: kept}
}

// slots by their number.
type slots map[uint32]*slot

func newSlots() slots { return slots{} }

// startSlot answers a request with SlotReady or SlotFailed.
func (s *supervisor) startSlot(r initproto.SlotRequest) {
	s.reap() // what has ended in the pool must not be handed over
	slot, err := s.spawnSlot(r)
	if err != nil {
		logf("slot %d (%q): %v", r.ID, r.Name, err)
		s.tell(initproto.SlotFailed{ID: r.ID, Reason: clip(err.Error())})
		return
	}
	s.slots[r.ID] = slot
	logf("slot %d (%q): pid %d", r.ID, r.Name, slot.pid)
	s.tell(slot.ready(false), slot.control, slot.data)
}

func (s *supervisor) spawnSlot(r initproto.SlotRequest) (*slot, error) {
	switch {
	case s.mode == initproto.Safe:
		return nil, errors.New("safe mode: no guests")
	case r.ID > initproto.MaxSlotID:
		return nil, fmt.Errorf("slot number %d is above %d", r.ID, initproto.MaxSlotID)
	case s.slots[r.ID] != nil:
		return nil, errors.New("slot number in use")
	case len(s.slots) >= maxSlots:
		return nil, fmt.Errorf("%d slots run already", maxSlots)
	case r.MemoryMax <= 0 || r.MemoryMax > maxSlotMem:
		return nil, fmt.Errorf("memory of %d octets", r.MemoryMax)
	case r.CPUPercent > maxSlotCPU || r.Pids > maxSlotPids:
		return nil, fmt.Errorf("cpu of %d %% or %d threads", r.CPUPercent, r.Pids)
	case r.IOMax > maxSlotIO:
		return nil, fmt.Errorf("%d octets a second of the disk", r.IOMax)
	case s.kvm == nil:
		return nil, errors.New("no /dev/kvm on this craft")
	}
	limits, err := s.limits(r)
	if err != nil {
		return nil, err
	}
	slot := s.claim(limits)
	if slot == nil {
		if slot, err = s.startTender(limits); err != nil {
			return nil, err
		}
	}
	slot.id, slot.name, slot.reported = r.ID, r.Name, true
	return slot, nil
}

// limits are the walls of a request that has passed its checks.
func (s *supervisor) limits(r initproto.SlotRequest) (spawn.Limits, error) {
	l := spawn.Limits{MemoryMax: r.MemoryMax, CPUMaxPercent: int(r.CPUPercent), PidsMax: int(r.Pids), IOMax: r.IOMax}
	if l.PidsMax == 0 {
		l.PidsMax = defaultPids
	}
	if l.IOMax > 0 {
		var err error
		if l.IODevice, err = s.disk(); err != nil {
			return l, fmt.Errorf("limit the use of the disk: %w", err)
		}
	}
	return l, nil
}

// startTender starts a slot in the first free seat.
func (s *supervisor) startTender(limits spawn.Limits) (*slot, error) {
	seat := s.freeSeat()
	uid, cgroup := initproto.SlotUID+int(seat), s.cgroups.slot(seat)
	started, err := s.spawn(spawn.Spec{
		Path: s.tenderPath, UID: uid, GID: uid, Cgroup: cgroup, Limits: limits, KVM: s.kvm, Stderr: s.console,
	})
	if err != nil {
		return nil, err
	}
	return &slot{seat: seat, pid: started.PID, cgroup: cgroup, control: started.Control, data: started.Data}, nil
}

// freeSeat is the lowest that nobody has, so that no two slots share a uid.
func (s *supervisor) freeSeat() uint32 {
	taken := map[uint32]bool{}
	for _, slot := range s.slots {
		taken[slot.seat] = true
	}
	for _, slot := range s.pool.idle {
		taken[slot.seat] = true
	}
	seat := uint32(1)
	for taken[seat] {
		seat++
	}
	return seat
}

// kept are the slots a new flight inherits, in order.
func (t slots) kept() []*slot {
	var list []*slot
	for _, s := range t {
		if s.reported {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b *slot) int { return int(a.id) - int(b.id) })
	return list
}

func (t slots) kill(id uint32) {
	if s := t[id]; s != nil {
		s.kill()
	}
}

// killAll ends all slots; no flight hears of them again.
func (t slots) killAll() {
	for _, s := range t {
		s.reported = false
		s.kill()
	}
}

func (s *slot) kill() {
	s.dying = true
	if err := unix.Kill(s.pid, unix.SIGKILL); err != nil {
		logf("slot %d: %v", s.id, err)
	}
	if s.cgroup != "" {
		if err := killAll(s.cgroup); err != nil {
			logf("slot %d: %v", s.id, err)
		}
	}
}

// ended takes the slot of a process that has ended off the list and clears
// up after it; nil if the process was no slot.
func (t slots) ended(pid int) *slot {
	for _, s := range t {
		if s.pid != pid {
			continue
		}
		delete(t, s.id)
		s.clear()
		return s
	}
	return nil
}

// clear clears up after a slot whose process has ended.
func (s *slot) clear() {
	s.control.Close()
	s.data.Close()
	if s.cgroup != "" {
		if err := removeCgroup(s.cgroup); err != nil {
			logf("slot %d: %v", s.id, err)
		}
	}
}

// removeCgroup ends what is left in the folder; the kernel needs a moment
// before it lets go of it.
func removeCgroup(dir string) error {
	_ = killAll(dir)
	var err error
	for range 20 {
		if err = os.Remove(dir); err == nil || !errors.Is(err, unix.EBUSY) {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
	return err
}

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
)

// slot is one running tender. init keeps both sockets, so that they outlive
// flight.
type slot struct {
	id            uint32
	pid           int
	name          string
	control, data *os.File
	cgroup        string
	reported      bool // flight hears of its end, and its successor inherits it
}

func (s *slot) ready(kept bool) initproto.SlotReady {
	return initproto.SlotReady{ID: s.id, PID: uint32(s.pid), Name: s.name, Kept: kept}
}

// slots by their number.
type slots map[uint32]*slot

func newSlots() slots { return slots{} }

// startSlot answers a request with SlotReady or SlotFailed.
func (s *supervisor) startSlot(r initproto.SlotRequest) {
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
	case s.kvm == nil:
		return nil, errors.New("no /dev/kvm on this craft")
	}
	if r.Pids == 0 {
		r.Pids = defaultPids
	}
	cgroup := s.cgroups.slot(r.ID)
	started, err := s.spawn(spawn.Spec{
		Path: s.tenderPath, UID: initproto.SlotUID + int(r.ID), GID: initproto.SlotUID + int(r.ID), Cgroup: cgroup,
		Limits: spawn.Limits{MemoryMax: r.MemoryMax, CPUMaxPercent: int(r.CPUPercent), PidsMax: int(r.Pids)},
		KVM:    s.kvm, Stderr: s.console,
	})
	if err != nil {
		return nil, err
	}
	return &slot{
		id: r.ID, pid: started.PID, name: r.Name, cgroup: cgroup, reported: true,
		control: started.Control, data: started.Data,
	}, nil
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
		s.control.Close()
		s.data.Close()
		if s.cgroup != "" {
			if err := removeCgroup(s.cgroup); err != nil {
				logf("slot %d: %v", s.id, err)
			}
		}
		return s
	}
	return nil
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

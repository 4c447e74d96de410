package main

import (
	"slices"
	"time"

	"github.com/perilune/perilune/internal/initproto"
	"github.com/perilune/perilune/tender/spawn"
)

// maxPool bounds what flight can ask for: a slot that waits costs a megabyte.
const maxPool = 16

// Weights of slots against each other; all together weigh less than flight.
const (
	eagerWeight = 10000 // while a slot waits, and while its guest starts
	calmWeight  = 100   // the kernel's own
)

// idleLimits hold a slot that waits; the guest's own take their place when it
// is claimed. Guests that run must not make one wait that starts.
var idleLimits = spawn.Limits{MemoryMax: 32 << 20, PidsMax: defaultPids, CPUWeight: eagerWeight}

// pool is the slots that were started ahead of requests: their virtual
// machines are made, their jails shut. They know no guest yet, and flight does
// not know of them.
type pool struct {
	size  int // how many flight wants
	idle  []*slot
	pause time.Duration    // before the next start; grows while starts fail
	due   <-chan time.Time // when to look at the pool again; nil: it is as it should be
	calm  <-chan time.Time // when to take back the weight of those that were claimed
}

// setPool takes flight's wish. It outlives this flight program.
func (s *supervisor) setPool(size uint32) {
	s.pool.size = int(min(size, maxPool))
	for i, slot := range s.pool.idle {
		if i >= s.pool.size {
			slot.kill()
		}
	}
	s.refill()
}

// refill starts one slot that is missing, and comes back for the next one.
func (s *supervisor) refill() {
	p := &s.pool
	p.due = nil
	if s.mode == initproto.Safe || s.kvm == nil || len(p.idle) >= p.size {
		return
	}
	slot, err := s.startTender(idleLimits)
	if err != nil {
		logf("pool: %v", err)
		p.failed(s.times)
		return
	}
	p.idle = append(p.idle, slot)
	p.due = time.After(s.times.refill)
}

// failed waits longer before each further start, up to a limit.
func (p *pool) failed(t times) {
	p.pause = min(max(2*p.pause, t.refill), t.maxRefill)
	p.due = time.After(p.pause)
}

// claim gives the slot that has waited longest, with the guest's limits around
// it; nil if none is left. Its place is filled a moment later: the guest that
// starts goes first.
func (s *supervisor) claim(limits spawn.Limits) *slot {
	p := &s.pool
	for i, slot := range p.idle {
		if slot.dying {
			continue
		}
		if slot.cgroup != "" {
			if err := spawn.Limit(slot.cgroup, limits); err != nil {
				logf("pool: pid %d: %v", slot.pid, err)
				slot.kill()
				continue
			}
		}
		p.idle = slices.Delete(p.idle, i, i+1)
		p.pause = 0
		logf("pool: pid %d gets a guest", slot.pid)
		p.due = time.After(s.times.refill)
		if p.calm == nil {
			p.calm = time.After(s.times.refill)
		}
		slot.eager = true
		return slot
	}
	return nil
}

// calmDown makes guests that have started equals of the others.
func (s *supervisor) calmDown() {
	s.pool.calm = nil
	for _, slot := range s.slots {
		if !slot.eager || slot.cgroup == "" {
			continue
		}
		slot.eager = false
		if err := spawn.Limit(slot.cgroup, spawn.Limits{CPUWeight: calmWeight}); err != nil {
			logf("slot %d: %v", slot.id, err)
		}
	}
}

// idleEnded takes the slot of a process that has ended off the pool; false if it was
// none of them. One that nobody ended is replaced, with growing patience.
func (s *supervisor) idleEnded(pid int, how string) bool {
	p := &s.pool
	i := slices.IndexFunc(p.idle, func(slot *slot) bool { return slot.pid == pid })
	if i < 0 {
		return false
	}
	slot := p.idle[i]
	p.idle = slices.Delete(p.idle, i, i+1)
	slot.clear()
	if slot.dying {
		p.due = time.After(s.times.refill)
		return true
	}
	logf("pool: pid %d waited for a guest and %s", pid, how)
	p.failed(s.times)
	return true
}

func (p *pool) killAll() {
	for _, slot := range p.idle {
		slot.kill()
	}
}

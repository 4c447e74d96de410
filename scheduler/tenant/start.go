package tenant

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/missions/store"
	"github.com/perilune/perilune/tender/wire"
)

// overhead is the memory of a tender beside its guest's, in octets.
const overhead = 64 << 20

func refuse(code pus.Failure, format string, args ...any) *pus.Refusal {
	return &pus.Refusal{Code: code, Text: fmt.Sprintf(format, args...)}
}

// Start runs the mission id and returns when its guest executes, or cannot. A refusal
// is an event too.
func (m *Manager) Start(ctx context.Context, id ids.Guest) error { return m.start(ctx, id, false) }

func (m *Manager) start(ctx context.Context, id ids.Guest, resume bool) error {
	g, in, err := m.admit(id, resume)
	if err != nil {
		m.cfg.Event(pus.EventMedium, pus.EventGuestRefused, fmt.Sprintf("%v: %v", id, err))
		return err
	}
	defer m.launching.Done()
	m.set(g, pus.GuestStarting, 0, "")
	err = m.launch(ctx, g, in)
	if err == nil {
		text := fmt.Sprintf("%v %s, slot %d, pid %d", id, in.Version, g.slot, g.pid)
		if resume {
			text += ", resumed"
		}
		m.cfg.Event(pus.EventInfo, pus.EventGuestStarted, text)
		return nil
	}
	m.abandon(g)
	if resume {
		m.set(g, pus.GuestSuspended, 0, err.Error())
	} else {
		m.set(g, pus.GuestRefused, -1, err.Error())
	}
	m.cfg.Event(pus.EventMedium, pus.EventGuestRefused, fmt.Sprintf("%v: %v", id, err))
	return err
}

// admit checks that id may run, or resume, and reserves a slot's number for it.
func (m *Manager) admit(id ids.Guest, resume bool) (*guest, *store.Installed, error) {
	in := m.cfg.Mission(id)
	m.mu.Lock()
	defer m.mu.Unlock()
	t, known := m.cfg.Tenants[id.Tenant]
	switch old := m.guests[id]; {
	case m.closed != "":
		return nil, nil, refuse(pus.FailureNotNow, "no guests: %s", m.closed)
	case !known:
		return nil, nil, refuse(pus.FailureUnknownName, "no tenant %q", id.Tenant)
	case in == nil:
		return nil, nil, refuse(pus.FailureUnknownName, "no active mission %q of %q", id.Mission, id.Tenant)
	case old != nil && old.active():
		return nil, nil, refuse(pus.FailureRefused, "it runs already")
	}
	if _, unclear := m.unclear[id]; unclear {
		return nil, nil, refuse(pus.FailureNotNow, "it was being saved, and what came of it is looked at when flight starts")
	}
	if err := m.suspensionOf(in, resume); err != nil {
		return nil, nil, err
	}
	running := 0
	for other, g := range m.guests {
		if other.Tenant == id.Tenant && g.active() {
			running++
		}
	}
	memory, quota := in.Mission.Guest.Memory, in.Grant.Quota
	if most := min(t.Guests, quota.Guests); running >= most {
		return nil, nil, refuse(pus.FailureNotPermitted, "grant.quota: %d guests run, %q may have %d", running, id.Tenant, most)
	}
	if most := min(t.MemoryMiB, quota.MemoryMiB); memory > most {
		return nil, nil, refuse(pus.FailureNotPermitted, "grant.quota: it wants %d MiB, %q may have %d", memory, id.Tenant, most)
	}
	if most := min(t.VCPUs, quota.Processors()); in.Mission.Guest.VCPUs > most {
		return nil, nil, refuse(pus.FailureNotPermitted, "%s: it wants %d vCPUs, %q may have %d", missions.RuleVCPUs, in.Mission.Guest.VCPUs, id.Tenant, most)
	}
	slot, ok := m.freeSlot()
	if !ok {
		return nil, nil, refuse(pus.FailureFull, "no free slot")
	}
	g := newGuest(id, t, slot, entry{Digest: in.Digest, Version: in.Version, MemoryMiB: memory,
		Anew: in.Mission.Guest.Restart == missions.RestartAnew, Grace: in.Mission.Guest.Grace})
	g.state, g.resumed = pus.GuestStarting, resume
	m.guests[id], m.slots[slot] = g, g
	m.launching.Add(1)
	return g, in, nil
}

// suspensionOf checks that a mission resumes only what it left, and does not begin anew
// by mistake. m.mu is held.
func (m *Manager) suspensionOf(in *store.Installed, resume bool) error {
	s, is := m.suspended[in.Guest()]
	switch {
	case resume && !is:
		return refuse(pus.FailureUnknownName, "it is not suspended")
	case resume && s.Digest != in.Digest:
		r := refuse(pus.FailureNotPermitted, "snapshot.mismatch: version %s was suspended, %s is active: start it anew", s.Version, in.Version)
		r.Err = errUnfit
		return r
	case !resume && is && s.Digest == in.Digest:
		return refuse(pus.FailureRefused, "it is suspended: resume it, or stop it to start it anew")
	}
	return nil
}

// launch gets a slot, claims it, and sees the guest start.
func (m *Manager) launch(ctx context.Context, g *guest, in *store.Installed) error {
	m.setNoSlot(g, true) // until init is asked
	claim, files, err := m.claim(in)
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	if err != nil {
		return err
	}
	joined, ends, err := m.join(g, in)
	claim.Devices, files = append(claim.Devices, joined...), append(files, ends...)
	if err != nil {
		return err
	}
	snapshots, err := m.snapshots(g, &claim)
	files = append(files, snapshots...)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, claimWithin)
	defer cancel()
	// The account says "starting" before the slot exists: who finds it so after a
	// crash knows that the guest has not run.
	if err := m.record(g, false); err != nil {
		return err
	}
	m.setNoSlot(g, false)
	slot, err := m.cfg.Slots.Request(ctx, g.slot, g.id.String(),
		Limits{Memory: int64(g.memory)<<20 + overhead, IO: int64(g.tenant.DiskMiBps) << 20})
	if err != nil {
		if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
			m.setNoSlot(g, true) // init said that it will not make it, in time or at the last moment
		}
		return refuse(pus.FailureRefused, "slot: %v", err)
	}
	if err := m.attach(g, slot); err != nil {
		return err
	}
	if err := m.handshake(ctx, g, claim, files); err != nil {
		return err
	}
	if err := m.mayRun(); err != nil {
		return err
	}
	if err := m.record(g, true); err != nil {
		return err
	}
	if m.Suspended(g.id) { // it goes on now, or another version has begun
		if err := m.discard(g.id); err != nil {
			return err
		}
	}
	m.set(g, pus.GuestRunning, 0, "")
	m.serve(g)
	return nil
}

func (m *Manager) setNoSlot(g *guest, none bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	g.noSlot = none
}

// mayRun says why guests may not.
func (m *Manager) mayRun() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed != "" {
		return refuse(pus.FailureNotNow, "no guests: %s", m.closed)
	}
	return nil
}

// attach makes the slot's sockets g's.
func (m *Manager) attach(g *guest, slot *Slot) error {
	ctl, err := wire.NewConn(slot.Control)
	if err != nil {
		slot.Control.Close()
		slot.Data.Close()
		return err
	}
	data, err := newPacketConn(slot.Data)
	if err != nil {
		return errors.Join(err, ctl.Close())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	g.ctl, g.data, g.pid = ctl, data, slot.PID
	return nil
}

// handshake waits for Hello, claims, and waits for Started.
func (m *Manager) handshake(ctx context.Context, g *guest, claim wire.Claim, files []*os.File) error {
	stop := context.AfterFunc(ctx, func() { _ = g.ctl.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	receive := func() (wire.Message, error) {
		msg, extra, err := g.ctl.Receive()
		for _, f := range extra {
			f.Close()
		}
		if errors.Is(err, io.EOF) {
			return nil, refuse(pus.FailureRefused, "the tender ended before its guest began")
		}
		return msg, err
	}
	msg, err := receive()
	if err != nil {
		return fmt.Errorf("wait for the tender: %w", err)
	}
	if h, ok := msg.(wire.Hello); !ok || h.Version != wire.Version {
		return refuse(pus.FailureInternal, "the tender says %T %v, want Hello of version %d", msg, msg, wire.Version)
	}
	if err := g.ctl.Send(claim, files...); err != nil {
		return fmt.Errorf("claim the slot: %w", err)
	}
	for {
		msg, err := receive()
		if err != nil {
			return fmt.Errorf("wait for the guest: %w", err)
		}
		switch msg := msg.(type) {
		case wire.Claimed:
		case wire.Started:
			return nil
		case wire.Refused:
			r := refuse(pus.FailureNotPermitted, "%s: %s", msg.Rule, msg.Reason)
			if strings.HasPrefix(msg.Rule, "snapshot.") {
				r.Err = errUnfit
			}
			return r
		default:
			return refuse(pus.FailureInternal, "the tender says %T before its guest runs", msg)
		}
	}
}

// claim opens what the guest gets: its program, and a file for each block device.
func (m *Manager) claim(in *store.Installed) (c wire.Claim, files []*os.File, err error) {
	kernel, err := os.Open(in.Kernel)
	if err != nil {
		return c, nil, err
	}
	files = append(files, kernel)
	c = wire.Claim{Guest: in.Guest().String(), MemMiB: uint32(in.Mission.Guest.Memory), Cmdline: in.Mission.Guest.Args}
	for _, b := range in.Mission.Block {
		blob, ok := in.Blobs[path.Base(b.File)]
		if !ok {
			return c, files, fmt.Errorf("block device %q: no blob %q", b.Name, b.File)
		}
		f, err := m.openBlock(in, b.Name, blob, b.ReadOnly)
		if err != nil {
			return c, files, fmt.Errorf("block device %q: %w", b.Name, err)
		}
		files = append(files, f)
		c.Devices = append(c.Devices, wire.Device{Name: b.Name, Type: uint8(hvt.Block), Source: wire.File,
			SectorSize: uint32(b.SectorSize), ReadOnly: b.ReadOnly})
	}
	for _, p := range in.Mission.Packet {
		c.Devices = append(c.Devices, wire.Device{Name: p.Name, Type: uint8(hvt.Net), Source: wire.SlotPacket, MTU: hvt.PacketMTU})
	}
	return c, files, nil
}

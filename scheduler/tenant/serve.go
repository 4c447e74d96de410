package tenant

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/tender/wire"
)

// serve reads what a running guest and its tender say, until the guest is over.
func (m *Manager) serve(g *guest) {
	ctl, data := g.ctl, g.data
	m.run.Go(func() { m.readPackets(g, data) })
	m.run.Go(func() { m.readControl(g, ctl) })
}

// readControl ends with the guest, and ends the guest's account.
func (m *Manager) readControl(g *guest, ctl *wire.Conn) {
	console := newConsole(m, g)
	var last *wire.Exited
	for last == nil {
		msg, files, err := ctl.Receive()
		for _, f := range files {
			f.Close()
		}
		if err != nil {
			if !errors.Is(err, io.EOF) && !m.leaving() {
				m.cfg.Log.Warn("tender", "guest", g.id, "err", err)
			}
			break
		}
		switch msg := msg.(type) {
		case wire.Console:
			console.text(msg)
		case wire.Recalled:
			g.takeRecalled(msg)
		case wire.Saved:
			m.takeSaved(g, msg)
		case wire.Unsaved:
			m.takeUnsaved(g, msg)
		case wire.Exited:
			last = &msg
		}
	}
	console.flush()
	g.left.endAt(console.next)
	m.over(g, last)
}

// over reports how the guest ended. Without a word of the tender, init's word counts.
func (m *Manager) over(g *guest, last *wire.Exited) {
	defer close(g.done)
	if m.leaving() {
		return
	}
	status, how := int16(-1), "its tender vanished"
	if last != nil {
		status, how = int16(last.Status), last.Kind.String()
		if last.Reason != "" {
			how += ": " + last.Reason
		}
	}
	select {
	case e := <-g.exited:
		if last == nil && e.signal != 0 {
			how = fmt.Sprintf("its tender was killed by signal %d", e.signal)
		} else if last == nil {
			status, how = int16(e.status), "its tender ended without a word"
		}
	case <-time.After(reapWithin):
		if err := m.cfg.Slots.Kill(g.slot); err != nil {
			m.cfg.Log.Error("kill slot", "slot", g.slot, "err", err)
		}
	}
	m.lookForSaved(g)
	m.forget(g)
	if s := m.orderDone(g); s != nil {
		m.set(g, pus.GuestSuspended, 0, "")
		m.cfg.Event(pus.EventInfo, pus.EventGuestSuspended, fmt.Sprintf("%v %s", g.id, g.bundle))
		if s.GoesOn { // flight died in a restart of the craft, which is off
			m.run.Go(func() { m.goOn(m.life, g.id) })
		}
		return
	}
	m.set(g, pus.GuestExited, status, how)
	var severity uint8 = pus.EventInfo
	if status != 0 {
		severity = pus.EventMedium
	}
	m.cfg.Event(severity, pus.EventGuestExited, fmt.Sprintf("%v: status %d, %s", g.id, status, how))
}

// goesOn says whether a guest whose socket ended may go on later.
func (m *Manager) goesOn(g *guest) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.detached || g.saving != nil
}

// leaving says whether sockets close because this program ends.
func (m *Manager) leaving() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.detached
}

// Stop ends the guest id and waits until it is over; its mission may want to be asked first.
// Of one that is suspended it gives up the snapshot.
func (m *Manager) Stop(ctx context.Context, id ids.Guest) error { return m.stop(ctx, id, true) }

func (m *Manager) stop(ctx context.Context, id ids.Guest, ask bool) error {
	m.mu.Lock()
	g := m.guests[id]
	if g == nil || g.state != pus.GuestRunning || g.ctl == nil {
		m.mu.Unlock()
		if was, err := m.stopSuspended(id); was {
			return err
		}
		return refuse(pus.FailureUnknownName, "%v does not run", id)
	}
	ctl, data, o := g.ctl, g.data, g.saving
	m.mu.Unlock()
	m.giveUpSaving(g, o, refuse(pus.FailureRefused, "it is ended, not saved"))
	if ask && g.grace > 0 && data.TrySend([]byte{hvt.PacketStop}) == nil {
		select {
		case <-g.done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(g.grace) * time.Second):
		}
	}
	_ = ctl.SetWriteDeadline(time.Now().Add(time.Second))
	if err := ctl.Send(wire.Stop{}); err == nil {
		select {
		case <-g.done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(stopWithin):
		}
	}
	if err := m.cfg.Slots.Kill(g.slot); err != nil {
		return fmt.Errorf("stop %v: %w", id, err)
	}
	select {
	case <-g.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(2 * reapWithin):
		return refuse(pus.FailureInternal, "%v was killed and is still there", id)
	}
}

// Command hands data to a running guest as the user data of one telecommand.
func (m *Manager) Command(id ids.Guest, data []byte) error {
	m.mu.Lock()
	g := m.guests[id]
	var conn *packetConn
	if g != nil && g.state == pus.GuestRunning {
		conn = g.data
	}
	m.mu.Unlock()
	switch {
	case conn == nil:
		return refuse(pus.FailureUnknownName, "%v does not run", id)
	case len(data)+1 > hvt.PacketMax:
		return refuse(pus.FailureBadLength, "%d octets, at most %d", len(data), hvt.PacketMax-1)
	}
	err := conn.TrySend(append([]byte{hvt.PacketTelecommand}, data...))
	if errors.Is(err, errWouldBlock) {
		return refuse(pus.FailureFull, "%v does not read its telecommands", id)
	}
	return err
}

package tenant

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/perilune/perilune/bus"
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
		case wire.Exited:
			last = &msg
		}
	}
	console.flush()
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
	m.forget(g)
	m.set(g, pus.GuestExited, status, how)
	var severity uint8 = pus.EventInfo
	if status != 0 {
		severity = pus.EventMedium
	}
	m.cfg.Event(severity, pus.EventGuestExited, fmt.Sprintf("%v: status %d, %s", g.id, status, how))
}

// leaving says whether sockets close because this program ends.
func (m *Manager) leaving() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.detached
}

// Stop ends the guest id and waits until it is over.
func (m *Manager) Stop(ctx context.Context, id ids.Guest) error {
	m.mu.Lock()
	g := m.guests[id]
	if g == nil || g.state != pus.GuestRunning || g.ctl == nil {
		m.mu.Unlock()
		return refuse(pus.FailureUnknownName, "%v does not run", id)
	}
	ctl := g.ctl
	m.mu.Unlock()
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

// Bounds of console text, in octets.
const (
	consoleRate  = 1024 // a second
	consoleBurst = 8192
	consoleText  = 800 // in one report
)

// console passes on a guest's text, in measure: a flood costs the flooder its text.
type console struct {
	m       *Manager
	g       *guest
	level   float64
	at      time.Time
	dropped uint32
	lost    uint32 // as the tender counts, in all
}

func newConsole(m *Manager, g *guest) *console {
	return &console{m: m, g: g, level: consoleBurst, at: m.cfg.Clock.Now()}
}

func (c *console) text(msg wire.Console) {
	c.dropped += msg.Dropped - c.lost
	c.lost = msg.Dropped
	now := c.m.cfg.Clock.Now()
	c.level = min(consoleBurst, c.level+consoleRate*max(0, now.Sub(c.at).Seconds()))
	c.at = now
	text := msg.Data
	if len(text) > int(c.level) {
		c.dropped += uint32(len(text) - int(c.level))
		text = text[:int(c.level)]
	}
	c.level -= float64(len(text))
	for len(text) > 0 {
		n := min(len(text), consoleText)
		c.send(text[:n])
		text = text[n:]
	}
}

func (c *console) send(text []byte) {
	c.m.cfg.Publish(bus.Console{Guest: c.g.id.String(), Text: string(text), Dropped: c.dropped, Time: c.m.cfg.Clock.Now()})
	c.dropped = 0
	data, err := pus.TenantData{Mission: c.g.id.Mission, Data: text}.Encode()
	if err == nil {
		err = c.m.cfg.Send(c.g.tenant.APID, pus.ServiceTenant, pus.TenantConsole, data)
	}
	if err != nil {
		c.dropped += uint32(len(text))
	}
}

// flush says at the end what was dropped and not yet told.
func (c *console) flush() {
	if c.dropped > 0 {
		c.m.cfg.Publish(bus.Console{Guest: c.g.id.String(), Dropped: c.dropped, Time: c.m.cfg.Clock.Now()})
	}
}

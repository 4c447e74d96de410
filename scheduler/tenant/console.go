package tenant

import (
	"math"
	"time"

	"github.com/perilune/perilune/bus"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/tender/wire"
)

// Bounds of console text that goes down as it comes, in octets. What is above them
// stays on board, where console.read finds it.
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
	next    uint64 // offset of what the tender will send next
	begun   bool   // next is known; a guest that was adopted is amid its text
	dropped uint32 // not yet told
}

func newConsole(m *Manager, g *guest) *console {
	return &console{m: m, g: g, level: consoleBurst, at: m.cfg.Clock.Now(), begun: !g.adopted}
}

func (c *console) text(msg wire.Console) {
	if c.begun && msg.Offset > c.next {
		c.drop(msg.Offset - c.next)
	}
	c.begun = true
	c.next = msg.Offset + uint64(len(msg.Data))
	now := c.m.cfg.Clock.Now()
	c.level = min(consoleBurst, c.level+consoleRate*max(0, now.Sub(c.at).Seconds()))
	c.at = now
	text := msg.Data
	if len(text) > int(c.level) {
		c.drop(uint64(len(text) - int(c.level)))
		text = text[:int(c.level)]
	}
	c.level -= float64(len(text))
	for at := msg.Offset; len(text) > 0; {
		n := min(len(text), consoleText)
		c.send(at, text[:n])
		text, at = text[n:], at+uint64(n)
	}
}

func (c *console) drop(n uint64) {
	c.dropped = uint32(min(uint64(c.dropped)+min(n, math.MaxUint32), math.MaxUint32))
}

func (c *console) send(at uint64, text []byte) {
	c.m.cfg.Publish(bus.Console{Guest: c.g.id.String(), Text: string(text), Dropped: c.dropped, Time: c.m.cfg.Clock.Now()})
	c.dropped = 0
	end := at + uint64(len(text))
	err := c.m.report(c.g, false, wire.Recalled{Start: oldest(end), Offset: at, End: end, Data: text})
	if err != nil {
		c.drop(uint64(len(text)))
	}
}

// report sends one packet of console text.
func (m *Manager) report(g *guest, answer bool, r wire.Recalled) error {
	data, err := pus.ConsoleText{Mission: g.id.Mission, Answer: answer, Run: uint32(g.pid), Start: r.Start, Offset: r.Offset, End: r.End, Text: r.Data}.Encode()
	if err != nil {
		return err
	}
	return m.cfg.Send(g.tenant.APID, pus.ServiceTenant, pus.TenantConsole, data)
}

// flush says at the end what was dropped and not yet told.
func (c *console) flush() {
	if c.dropped > 0 {
		c.m.cfg.Publish(bus.Console{Guest: c.g.id.String(), Dropped: c.dropped, Time: c.m.cfg.Clock.Now()})
	}
}

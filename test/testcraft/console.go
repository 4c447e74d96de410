package testcraft

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/tender/console"
)

// printed is what a mission of the craft has printed.
type printed struct {
	console.History
	run uint32
}

// keep keeps text that a mission printed, and says where it begins.
func (c *Craft) keep(g ids.Guest, text string) (at uint64) {
	p := c.printed[g]
	if p == nil {
		p = &printed{run: 1}
		c.printed[g] = p
	}
	_, at = p.Bounds()
	p.Write([]byte(text))
	return at
}

// console keeps text that a mission printed, and sends it.
func (c *Craft) console(g ids.Guest, text string) {
	c.reportConsole(g, false, c.keep(g, text), len(text))
}

// reportConsole sends at most most octets of what is kept from offset on, in at least
// one packet.
func (c *Craft) reportConsole(g ids.Guest, answer bool, offset uint64, most int) {
	p := c.printed[g]
	for first := true; first || most > 0; first = false {
		text := make([]byte, min(most, 800))
		n, from := p.ReadAt(text, offset)
		start, end := p.Bounds()
		if n == 0 && !first {
			return
		}
		data, err := pus.ConsoleText{Mission: g.Mission, Answer: answer, Run: p.run, Start: start, Offset: from, End: end, Text: text[:n]}.Encode()
		if err != nil {
			panic(err)
		}
		c.report(1, c.cfg.Tenants[g.Tenant], pus.ServiceTenant, pus.TenantConsole, data)
		offset, most = from+uint64(n), most-n
	}
}

// readConsole answers console.read.
func (c *Craft) readConsole(args []string) error {
	if len(args) != 3 {
		return errors.New("wants three arguments")
	}
	g := ids.Guest{Tenant: args[0], Mission: args[1]}
	offset, err := strconv.ParseUint(args[2], 10, 64)
	if err != nil {
		return err
	}
	if c.printed[g] == nil {
		return fmt.Errorf("%v has not run", g)
	}
	c.reportConsole(g, true, offset, 8192)
	return nil
}

// Keep makes a mission say something that is only kept, not sent.
func (c *Craft) Keep(g ids.Guest, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(g, text)
}

// Print makes a mission say something.
func (c *Craft) Print(g ids.Guest, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.console(g, text)
}

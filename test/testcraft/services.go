package testcraft

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/spp"
	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/missions/database"
	"github.com/perilune/perilune/plan/orbit"
)

// housekeeping is how often the craft reports.
const housekeeping = 200 * time.Millisecond

// packet takes a packet from the link; the lock is held.
func (c *Craft) packet(_ ccsds.VCID, packet []byte) {
	var p spp.Packet
	if p.DecodeFromBytes(packet, nil) != nil {
		return
	}
	if p.APID == 2 {
		// A PDU of no use is no fault of the test.
		_ = c.entity.Receive(time.Now(), p.Payload)
		return
	}
	c.command(packet)
}

func (c *Craft) command(packet []byte) {
	if c.mute {
		return
	}
	tc, err := pus.ParseTC(packet)
	if err == nil {
		err = tc.Check(database.Default().Form)
	}
	if err != nil {
		var r *pus.Refusal
		if errors.As(err, &r) && r.Known {
			c.verify(r.Request, pus.AcceptanceFailure, r)
		}
		return
	}
	if old, ok := c.reports[tc.Request]; ok && tc.Service != pus.ServiceTest && tc.Service != pus.ServiceTime {
		// Sent again for want of a report: what was said is said again, nothing is done.
		for _, v := range old {
			data, err := v.Encode()
			if err != nil {
				panic(err)
			}
			c.reportAgain(v.Request, data, v.Subtype)
		}
		return
	}
	delete(c.reports, tc.Request)
	c.received = append(c.received, tc)
	c.verify(tc.Request, pus.AcceptanceSuccess, nil)
	c.verify(tc.Request, pus.StartSuccess, nil)
	if err := c.perform(tc); err != nil {
		c.verify(tc.Request, pus.CompletionFailure, err)
		return
	}
	c.verify(tc.Request, pus.CompletionSuccess, nil)
}

func (c *Craft) perform(tc pus.Telecommand) error {
	switch tc.Service {
	case pus.ServiceTest:
		c.report(0, 1, pus.ServiceTest, pus.IAmAlive, nil)
	case pus.ServiceTime:
		t, err := pus.DecodeTimeSetting(tc.Payload)
		if err != nil {
			return err
		}
		c.offset, c.quality = time.Until(t.Time.Time()), t.Quality
	case pus.ServiceSchedule:
		in, err := database.Default().Form.DecodeInsertion(tc.Payload)
		if err != nil {
			return err
		}
		for _, a := range in.Activities {
			a.Request = append([]byte(nil), a.Request...)
			c.plan = append(c.plan, a)
		}
	case pus.ServiceSecurity:
		reply, err := c.space.Procedure(tc.Payload)
		if err != nil {
			c.event(pus.EventKeysRefused, "%v", err)
			return err
		}
		if reply != nil {
			c.report(0, 1, pus.ServiceSecurity, pus.SecurityReply, reply)
		}
	case pus.ServiceFunction:
		f, err := pus.DecodeFunction(tc.Payload)
		if err != nil {
			return err
		}
		return c.function(f)
	}
	return nil
}

func (c *Craft) function(f pus.Function) error {
	switch f.Name {
	case pus.FunctionBundleActivate:
		return c.activate(f.Arguments)
	case pus.FunctionMissionStart, pus.FunctionMissionStop, pus.FunctionMissionSuspend, pus.FunctionMissionResume:
		if len(f.Arguments) != 2 {
			return errors.New("wants two arguments")
		}
		g := ids.Guest{Tenant: f.Arguments[0], Mission: f.Arguments[1]}
		in := c.store.Get(g)
		if in == nil {
			return fmt.Errorf("no mission %v on board", g)
		}
		row := c.row(g)
		row.State = pus.GuestStopped
		if f.Name == pus.FunctionMissionResume && c.running[g].State != pus.GuestSuspended {
			return fmt.Errorf("%v is not suspended", g)
		}
		if f.Name == pus.FunctionMissionSuspend {
			row.State = pus.GuestSuspended
			c.event(pus.EventGuestSuspended, "%v 1.0", g)
		} else if f.Name != pus.FunctionMissionStop {
			row.State = pus.GuestRunning
			c.event(pus.EventGuestStarted, "%v 1.0, slot 1, pid 42", g)
			if old := c.printed[g]; old != nil {
				c.printed[g] = &printed{run: old.run + 1}
			}
			c.console(g, "hello from "+g.Mission+"\n")
		} else {
			c.event(pus.EventGuestExited, "%v: status 0, stopped", g)
		}
		c.running[g] = row
	case pus.FunctionConsoleRead:
		return c.readConsole(f.Arguments)
	case pus.FunctionMissionList:
		c.guests()
	case pus.FunctionOrbitSet:
		if len(f.Arguments) != 2 {
			return errors.New("wants two arguments")
		}
		tle, err := orbit.ParseTLE(f.Arguments[0], f.Arguments[1])
		if err != nil {
			return err
		}
		c.event(pus.EventOrbitSet, "elements of %s", tle.Epoch.Format(time.RFC3339))
	case pus.FunctionCraftRestart:
		if len(f.Arguments) != 1 {
			return errors.New("wants one argument")
		}
		c.event(pus.EventCraftRestarts, "ordered: %s", f.Arguments[0])
	default:
		return fmt.Errorf("no function %q", f.Name)
	}
	return nil
}

func (c *Craft) row(g ids.Guest) pus.Guest {
	row := pus.Guest{Tenant: g.Tenant, Mission: g.Mission, MemoryMiB: 16}
	if in := c.store.Get(g); in != nil {
		row.MemoryMiB = uint16(in.Mission.Guest.Memory)
		_, digits, _ := strings.Cut(in.Digest, ":")
		if digest, err := hex.DecodeString(digits); err == nil {
			copy(row.Digest[:], digest)
		}
	}
	return row
}

func (c *Craft) activate(args []string) error {
	if len(args) != 2 {
		return errors.New("wants two arguments")
	}
	order, err := os.ReadFile(filepath.Join(c.cfg.Dir, "in", filepath.Clean("/"+args[1])))
	if err != nil {
		return err
	}
	in, err := c.store.Activate(filepath.Join(c.cfg.Dir, "in", filepath.Clean("/"+args[0])), string(order))
	if err != nil {
		c.event(pus.EventBundleRefused, "%s: %v", args[0], err)
		return err
	}
	c.running[in.Guest()] = c.row(in.Guest())
	c.event(pus.EventBundleActivated, "%v %s", in.Guest(), in.Digest)
	c.guests()
	return nil
}

// Mute makes the craft ignore telecommands; the link goes on.
func (c *Craft) Mute(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mute = on
}

func (c *Craft) guests() {
	var rows []pus.Guest
	for _, row := range c.running {
		rows = append(rows, row)
	}
	data, err := pus.EncodeGuests(rows)
	if err != nil {
		panic(err)
	}
	c.report(0, 1, pus.ServiceHousekeeping, pus.HousekeepingReport, pus.EncodeReport(pus.SIDGuests, data))
}

// work does what is due.
func (c *Craft) work(now time.Time) {
	c.later = slices.DeleteFunc(c.later, func(l later) bool {
		if l.at.After(now) {
			return false
		}
		c.send(l.vc, l.packet)
		return true
	})
	if c.quality.Valid() {
		var rest []pus.Activity
		for _, a := range c.plan {
			if a.Release > c.instant(now) {
				rest = append(rest, a)
				continue
			}
			c.command(a.Request)
		}
		c.plan = rest
	}
	if now.Sub(c.lastHK) < housekeeping {
		return
	}
	c.lastHK = now
	h := pus.Housekeeping{UptimeS: uint32(now.Sub(c.started).Seconds()), Quality: uint8(c.quality), Boots: 1, Pending: uint16(len(c.plan)), Guests: uint8(len(c.running))}
	if c.quality.Valid() {
		h.ScheduleEnabled = 1
	}
	c.report(0, 1, pus.ServiceHousekeeping, pus.HousekeepingReport, pus.EncodeReport(pus.SIDFlight, h.Encode()))
}

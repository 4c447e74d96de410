package station

import (
	"slices"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/internal/client"
)

// The uplink is reliable, the reports that come down are not: a TM frame that noise
// destroys takes them with it. So a telecommand of which the craft has every frame and
// says nothing is sent once more as the same packet. The craft knows it by its sequence
// count: it reports again and does nothing twice.
const (
	repeatAfter = 10 * time.Second // the default; each further time waits twice as long
	maxRepeats  = 8
)

// due is when c is sent again; zero for never.
func (c *command) due(first time.Duration) time.Time {
	if c.packet == nil || c.bd && !c.insist || c.repeats >= maxRepeats || c.answered() || c.onBoard.IsZero() {
		return time.Time{}
	}
	return c.onBoard.Add(first << c.repeats)
}

// answered says whether all has come that is to come: the last report, and for a ping
// the answer, which is a packet of its own.
func (c *command) answered() bool {
	return c.Stage == client.StageFailed || c.Stage == client.StageCompleted && (c.Service != pus.ServiceTest || c.pong)
}

// repeat sends again what is due and says when the next one is. It waits while
// nothing can be heard.
func (s *Station) repeat(now time.Time) time.Time {
	var next time.Time
	if s.link.State != link.Lock.String() {
		return next
	}
	for _, c := range s.commands {
		due := c.due(s.cfg.Repeat)
		if !due.IsZero() && !due.After(now) {
			s.again(c, now)
			due = c.due(s.cfg.Repeat)
		}
		next = soonest(next, due)
	}
	return next
}

// again queues the packet of c once more. An old time would be worse than none: the
// clock's packet is made anew, under its old sequence count.
func (s *Station) again(c *command, now time.Time) {
	c.repeats++
	c.onBoard = now
	if c.Service == pus.ServiceTime {
		data, err := pus.TimeSetting{Time: timecode.FromTime(now), Quality: timecode.Set}.Encode()
		if err == nil {
			c.packet, err = pus.BuildTC(ccsds.APID(c.APID), c.Packet, pus.AckAll, c.Service, c.Subtype, sourceID, data)
		}
		if err != nil {
			s.cfg.Log.Warn("set time again", "err", err)
			return
		}
	}
	e := commandEvent(client.KindRepeated, c)
	e.Fields["times"] = c.repeats
	s.record(e)
	if err := s.ground.Send(c.vc, c.packet, c.bd, c); err != nil {
		s.cfg.Log.Warn("send again", "command", c.ID, "err", err)
	}
}

// duplicates recognises telemetry packets that come twice: a craft may repeat what is
// important.
type duplicates struct {
	seen map[uint16][]sameness
}

// sameness is what makes two packets of one application process the same. Counts begin
// anew with each start of flight, and time with each boot.
type sameness struct {
	seq, checksum uint16
	time          timecode.Instant
}

// maxSeen is how many packets of an application process are remembered.
const maxSeen = 512

// has says whether the packet came before, and remembers it.
func (d *duplicates) has(tm *pus.Telemetry) bool {
	if d.seen == nil {
		d.seen = map[uint16][]sameness{}
	}
	key := sameness{tm.Seq, tm.PEC, tm.Time}
	list := d.seen[uint16(tm.APID)]
	if slices.Contains(list, key) {
		return true
	}
	if len(list) >= maxSeen {
		list = slices.Delete(list, 0, 1)
	}
	d.seen[uint16(tm.APID)] = append(list, key)
	return false
}

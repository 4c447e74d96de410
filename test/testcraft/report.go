package testcraft

import (
	"fmt"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/spp"
	"github.com/perilune/perilune/ccsds/timecode"
)

func raw(apid ccsds.APID, seq uint16, data []byte) []byte {
	p, err := spp.Append(nil, &spp.Packet{APID: apid, SeqFlags: spp.Unsegmented, SeqCount: seq}, data)
	if err != nil {
		panic(err) // a test that makes such a packet is wrong
	}
	return p
}

func (c *Craft) count(apid uint16) uint16 {
	n := c.seq[apid]
	c.seq[apid] = (n + 1) & 0x3FFF
	return n
}

func (c *Craft) send(vc ccsds.VCID, packet []byte) {
	// A full queue loses the packet, as on a craft.
	_ = c.space.Send(vc, packet)
}

func (c *Craft) instant(now time.Time) timecode.Instant { return timecode.FromTime(now.Add(c.offset)) }

func (c *Craft) report(vc ccsds.VCID, apid uint16, service, subtype uint8, data []byte) {
	p, err := pus.BuildTM(ccsds.APID(apid), c.count(apid), service, subtype, 0, 0, c.instant(time.Now()), c.quality, data)
	if err != nil {
		panic(err)
	}
	c.send(vc, p)
	if service == pus.ServiceVerification || service == pus.ServiceEvent {
		for _, d := range again {
			c.later = append(c.later, later{time.Now().Add(d), vc, p})
		}
	}
}

// again is when a report is sent once more, for the noise, as a craft does with what nobody on
// the ground asks for. One frame in eight is lost at the demonstration's noise: of a million reports
// three are lost each time.
var again = []time.Duration{400 * time.Millisecond, 1200 * time.Millisecond, 3 * time.Second, 6 * time.Second, 12 * time.Second}

// later is a packet for then.
type later struct {
	at     time.Time
	vc     ccsds.VCID
	packet []byte
}

func (c *Craft) event(id pus.EventID, format string, args ...any) {
	data, err := pus.Event{Severity: pus.EventInfo, ID: id, Text: fmt.Sprintf(format, args...)}.Encode()
	if err != nil {
		panic(err)
	}
	c.report(0, 1, pus.ServiceEvent, pus.EventInfo, data)
}

func (c *Craft) verify(request pus.RequestID, subtype uint8, failure error) {
	v := pus.Verification{Subtype: subtype, Request: request}
	if failure != nil {
		v.Code, v.Text = pus.FailureNotPermitted, failure.Error()
	}
	data, err := v.Encode()
	if err != nil {
		panic(err)
	}
	c.reports[request] = append(c.reports[request], v)
	c.reportAgain(request, data, subtype)
}

func (c *Craft) reportAgain(request pus.RequestID, data []byte, subtype uint8) {
	c.report(0, uint16(request.APID()), pus.ServiceVerification, subtype, data)
}

package station

import (
	"fmt"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/client"
)

// upPart is how many octets of a telecommand a part has that goes up.
const upPart = 900

// large takes a part of a report that came in parts; the report is read as if it had come
// whole.
func (s *Station) large(e *client.Event, tm pus.Telemetry) (packet []byte, err error) {
	if tm.Subtype == 16 {
		return nil, named(s.cfg.Database, e, tm)
	}
	k := pus.Kind{TM: true, Service: tm.Service, Subtype: tm.Subtype}
	body, err := pus.DecodeMessage(k, tm.Payload)
	if err != nil {
		return nil, err
	}
	p, ok := body.(pus.LargePart)
	if !ok {
		return nil, fmt.Errorf("%s is no part", k)
	}
	e.Text = fmt.Sprintf("part %d of large packet %d, %d octets", p.Number, p.Transaction, len(p.Data))
	e.Data = nil // the whole will have it
	packet, lost, err := s.parts.Add(k, p)
	for _, n := range lost {
		e.Text += fmt.Sprintf("; large packet %d is given up", n)
	}
	return packet, err
}

// inParts sends a telecommand in parts (service 13). What becomes of the whole is told by
// reports of its own. The caller holds the lock.
func (s *Station) inParts(whole *command, packet []byte, r client.Request) (client.Command, error) {
	n, err := s.cfg.Counters.NextOf("large-packets")
	if err != nil {
		return client.Command{}, err
	}
	parts, kinds := pus.SplitLarge(false, uint16(n), packet, upPart)
	whole.vc, whole.bd = ccsds.VCID(r.VC), r.BD
	s.remember(whole)
	s.record(commandEvent(client.KindQueued, whole))
	for i := range parts {
		data, err := pus.EncodeMessage(kinds[i], parts[i])
		if err != nil {
			return client.Command{}, fmt.Errorf("%w: %w", errRequest, err)
		}
		c, outer, err := s.build(client.Request{APID: apidFlight, Service: kinds[i].Service, Subtype: kinds[i].Subtype, Data: data})
		if err != nil {
			return client.Command{}, err
		}
		c.Text = fmt.Sprintf("part %d of %d of %s", i+1, len(parts), whole.Text)
		c.whole = whole
		if err := s.submit(c, outer, r); err != nil {
			return client.Command{}, err
		}
	}
	return whole.Command, nil
}

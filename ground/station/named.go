package station

import (
	"errors"
	"fmt"
	"strings"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/missions/database"
)

// vcReplay is the downlink virtual channel of what the craft has stored.
const vcReplay = 3

// named reads a message by the mission database: a structure's parameters, or the body of
// a message of a standard service with the parameters in it under their names.
func named(d *database.Database, e *client.Event, tm pus.Telemetry) error {
	if tm.Service == pus.ServiceHousekeeping && tm.Subtype == pus.HousekeepingReport {
		sid, data, err := pus.DecodeReport(tm.Payload)
		if err != nil {
			return err
		}
		e.Fields["sid"] = sid
		structure := d.Structure(sid)
		if structure == nil {
			e.Text = fmt.Sprintf("structure %d, made on board, %d octets", sid, len(data))
			return nil
		}
		values, err := d.Decode(structure, data)
		e.Text = structure.Name + ": " + database.Format(values)
		e.Fields["values"] = values
		return err
	}
	body, err := d.Form.Decode(pus.Kind{TM: true, Service: tm.Service, Subtype: tm.Subtype}, tm.Payload)
	if err != nil {
		return err
	}
	e.Fields["body"] = body
	if e.Text, err = inWords(d, body); err != nil {
		return err
	}
	return nil
}

// measured adds the values of a structure that has a text of its own, and to the text what
// is out of its limits.
func measured(d *database.Database, e *client.Event, sid uint16, data []byte) error {
	structure := d.Structure(sid)
	if structure == nil {
		return nil
	}
	values, err := d.Decode(structure, data)
	e.Fields["values"] = values
	for _, v := range values {
		if v.Alarm != "" {
			e.Text += ", " + v.String()
		}
	}
	return err
}

// inWords writes a message, the parameters in it by name, in units.
func inWords(d *database.Database, body any) (string, error) {
	switch b := body.(type) {
	case pus.ParameterValues:
		var values []database.Value
		var errs []error
		for _, p := range b.Values {
			v, err := valueOf(d, p.Parameter, p.Value)
			values, errs = append(values, v), append(errs, err)
		}
		return database.Format(values), errors.Join(errs...)
	case pus.Transitions:
		var words []string
		var errs []error
		for _, t := range b.Transitions {
			v, err := valueOf(d, t.Parameter, t.Value)
			words, errs = append(words, fmt.Sprintf("definition %d: %v, status %d after %d", t.ID, v, t.Now, t.Before)), append(errs, err)
		}
		return strings.Join(words, "; "), errors.Join(errs...)
	}
	return fmt.Sprintf("%+v", body), nil
}

func valueOf(d *database.Database, id uint16, octets []byte) (database.Value, error) {
	p := d.ParameterByID(id)
	if p == nil {
		return database.Value{Name: fmt.Sprintf("parameter %d", id), Value: fmt.Sprintf("%x", octets)}, nil
	}
	v, _, err := p.Decode(octets)
	return v, err
}

// eventValues reads the fields of an event; an event of the craft's own database has its name
// from there.
func (s *Station) eventValues(e *client.Event, ev pus.Event) error {
	of := s.cfg.Database.EventByID(uint16(ev.ID))
	if of == nil {
		return nil
	}
	e.Fields["name"] = of.Name
	values, err := of.Decode(ev.Data)
	if len(values) > 0 {
		e.Fields["values"] = values
	}
	return err
}

// missionValues reads a mission's report by the craft's own database.
func (s *Station) missionValues(e *client.Event, d pus.TenantData) error {
	of := s.cfg.Database.TelemetryOf(e.APID, d.Mission)
	if of == nil {
		return nil
	}
	values, err := s.cfg.Database.DecodeTelemetry(of, d.Data)
	if err != nil {
		return err
	}
	e.Text, e.Fields["values"] = d.Mission+": "+database.Format(values), values
	return nil
}

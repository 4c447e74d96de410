package station

import (
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/gopacket"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/spp"
	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/internal/ids"
)

// packet takes one packet from the downlink; its first bit lies at bit or a frame later.
func (s *Station) packet(vc ccsds.VCID, packet []byte, bit uint64) {
	s.link.Packets++
	e := client.Event{Kind: client.KindTM, VC: uint8(vc), Stream: client.StreamDown, Bit: bit}
	var p spp.Packet
	if err := p.DecodeFromBytes(packet, gopacket.NilDecodeFeedback); err != nil {
		e.Text = err.Error()
		s.record(e)
		return
	}
	e.APID = uint16(p.APID)
	if p.APID == apidFiles {
		if s.trusts(e, vcFilesDown) == refused {
			return
		}
		// What comes of a file's packets is told by the events of the file.
		if err := s.cfg.Files.Receive(s.now(), p.Payload, bit); err != nil && s.seldom("file packet") {
			e.Text = err.Error()
			s.record(e)
		}
		s.poke()
		return
	}
	tm, err := pus.ParseTM(packet)
	if err != nil {
		e.Text, e.Data = err.Error(), p.Payload
		s.record(e)
		return
	}
	how := s.trusts(e, home(tm.Service))
	if how == refused || how == taken && s.twice.has(&tm) {
		return
	}
	e.Service, e.Subtype, e.Data = tm.Service, tm.Subtype, tm.Payload
	e.Fields = map[string]any{
		"seq": tm.Seq, "length": len(packet), "count": tm.Count,
		"time": tm.Time.Time().Format(time.RFC3339Nano), "quality": tm.Quality.String(),
	}
	if tenant, ok := s.cfg.Tenants[e.APID]; ok {
		e.Fields["tenant"] = tenant
	}
	if e.VC == vcReplay {
		e.Fields["replayed"] = true
	}
	var whole []byte
	switch {
	case how == shown:
		err = s.show(&e, tm)
	case tm.Service == pus.ServiceLarge:
		whole, err = s.large(&e, tm)
	default:
		err = s.decode(&e, tm)
	}
	if err != nil {
		e.Text = err.Error()
	}
	s.record(e)
	if whole != nil {
		s.packet(vc, whole, bit)
	}
}

// decode reads the message of a telemetry packet into e and the station's picture.
func (s *Station) decode(e *client.Event, tm pus.Telemetry) error {
	switch tm.Service {
	case pus.ServiceVerification:
		return s.verification(e, tm)
	case pus.ServiceHousekeeping:
		if e.VC == vcReplay || tm.Subtype != pus.HousekeepingReport {
			return named(s.cfg.Database, e, tm) // the past, or no report: nothing of it is the picture of now
		}
		return s.housekeeping(e, tm)
	case pus.ServiceEvent:
		if tm.Subtype > pus.EventHigh {
			return named(s.cfg.Database, e, tm)
		}
		ev, err := pus.DecodeEvent(tm.Subtype, tm.Payload)
		if err != nil {
			return err
		}
		e.Kind, e.Text = client.KindEvent, ev.Text
		e.Fields["id"], e.Fields["name"], e.Fields["severity"] = uint16(ev.ID), ev.ID.String(), severities[ev.Severity]
		maps.Copy(e.Fields, eventFields(ev))
		if err := s.eventValues(e, ev); err != nil {
			return err
		}
		if ev.ID == pus.EventBundleActivated {
			s.installed(e)
		}
	case pus.ServiceTime:
		t, err := pus.DecodeTimeSetting(tm.Payload)
		if err != nil {
			return err
		}
		e.Text = fmt.Sprintf("time %s, %s", t.Time, t.Quality)
	case pus.ServiceSecurity:
		return s.security(e, tm)
	case pus.ServiceTest:
		e.Text = "alive"
		for _, c := range s.commands {
			c.pong = c.pong || c.Radiated > 0
		}
	case pus.ServiceTenant:
		if tm.Subtype == pus.TenantConsole {
			return console(e, tm)
		}
		d, err := pus.DecodeTenantData(tm.Payload)
		if err != nil {
			return err
		}
		e.Fields["mission"] = d.Mission
		e.Text = d.Mission + ": " + preview(d.Data)
		return s.missionValues(e, d)
	default:
		return named(s.cfg.Database, e, tm)
	}
	return nil
}

// console reads a report of console text.
func console(e *client.Event, tm pus.Telemetry) error {
	t, err := pus.DecodeConsoleText(tm.Payload)
	if err != nil {
		return err
	}
	e.Kind, e.Text, e.Data = client.KindConsole, string(t.Text), t.Text
	e.Fields["mission"], e.Fields["run"], e.Fields["answer"] = t.Mission, t.Run, t.Answer
	e.Fields["start"], e.Fields["offset"], e.Fields["end"] = t.Start, t.Offset, t.End
	return nil
}

// number finds the figures that flight writes into the texts of its events.
var number = regexp.MustCompile(`\b(status|slot|pid) (-?\d+)\b`)

// eventFields is what an event's text tells to a program: about a guest its name and
// figures, about a refusal the rule.
func eventFields(ev pus.Event) map[string]any {
	fields := map[string]any{}
	switch ev.ID {
	case pus.EventGuestStarted, pus.EventGuestExited, pus.EventGuestRefused, pus.EventGuestSuspended:
		name, _, _ := strings.Cut(ev.Text, " ")
		if g, err := ids.ParseGuest(strings.TrimSuffix(name, ":")); err == nil {
			fields["tenant"], fields["mission"] = g.Tenant, g.Mission
		}
		for _, m := range number.FindAllStringSubmatch(ev.Text, -1) {
			if n, err := strconv.Atoi(m[2]); err == nil {
				fields[m[1]] = n
			}
		}
	}
	if ev.ID == pus.EventBundleActivated {
		// "tenant/mission version sha256:…"
		if word := strings.Fields(ev.Text); len(word) > 1 {
			if g, err := ids.ParseGuest(word[0]); err == nil {
				fields["tenant"], fields["mission"], fields["digest"] = g.Tenant, g.Mission, word[len(word)-1]
			}
		}
	}
	if rule := client.RuleOf(ev.Text); rule != "" {
		fields["rule"] = rule
	}
	return fields
}

var severities = map[uint8]string{
	pus.EventInfo: "info", pus.EventLow: "low", pus.EventMedium: "medium", pus.EventHigh: "high",
}

// preview shows a tenant's data as text if it is text, else its first octets.
func preview(data []byte) string {
	const most = 32
	text := true
	for _, b := range data {
		text = text && (b >= ' ' && b < 0x7F || b == '\n' || b == '\t')
	}
	switch {
	case text:
		return strings.TrimSpace(string(data))
	case len(data) > most:
		return hex.EncodeToString(data[:most]) + "…"
	}
	return hex.EncodeToString(data)
}

func (s *Station) housekeeping(e *client.Event, tm pus.Telemetry) error {
	sid, data, err := pus.DecodeReport(tm.Payload)
	if err != nil {
		return err
	}
	e.Fields["sid"] = sid
	switch sid {
	case pus.SIDFlight:
		h, err := pus.DecodeHousekeeping(data)
		if err != nil {
			return err
		}
		s.health = health(h, s.now())
		e.Text = fmt.Sprintf("%s, up %v, boot %d, %d guests, time %s", s.health.Mode, time.Duration(h.UptimeS)*time.Second, h.Boots, h.Guests, s.health.TimeQuality)
		maps.Copy(e.Fields, map[string]any{
			"uptime_s": h.UptimeS, "time_quality": s.health.TimeQuality, "mode": s.health.Mode, "boots": h.Boots,
			"flight_restarts": h.FlightRestarts, "frames_up": h.FramesUp, "refused_up": h.RefusedUp, "sdls_floor": h.SDLSFloor,
			"schedule_enabled": h.ScheduleEnabled != 0, "pending": h.Pending, "guests": h.Guests,
		})
		if h.Mode == pus.ModeSafe {
			s.noGuests()
		}
		s.considerTime()
	case pus.SIDGuests:
		guests, err := pus.DecodeGuests(data)
		if err != nil {
			return err
		}
		s.noGuests()
		var text []string
		for _, g := range guests {
			c := guest(g, s.now())
			s.guests[c.Tenant+"/"+c.Mission] = c
			text = append(text, c.Tenant+"/"+c.Mission+" "+c.State)
		}
		e.Text = strings.Join(text, ", ")
	default:
		return named(s.cfg.Database, e, tm)
	}
	return measured(s.cfg.Database, e, sid, data)
}

func health(h pus.Housekeeping, at time.Time) *client.Housekeeping {
	mode := "normal"
	if h.Mode == pus.ModeSafe {
		mode = "safe"
	}
	return &client.Housekeeping{
		At: at.UTC(), UptimeS: h.UptimeS, TimeQuality: timecode.Quality(h.Quality).String(), Mode: mode,
		Boots: h.Boots, FlightRestarts: h.FlightRestarts, FramesUp: h.FramesUp, RefusedUp: h.RefusedUp,
		SDLSFloor: h.SDLSFloor, ScheduleEnabled: h.ScheduleEnabled != 0, Pending: h.Pending, Guests: h.Guests,
	}
}

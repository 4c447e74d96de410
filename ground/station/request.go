package station

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/internal/client"
)

// errRequest is wrapped by complaints about what a user asked for.
var errRequest = errors.New("bad request")

// sourceID is who sends, in the telecommands of this station.
const sourceID = 1

// Send makes a telecommand of r and queues it for radiation.
func (s *Station) Send(r client.Request) (client.Command, error) {
	if err := s.complete(&r); err != nil {
		return client.Command{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, packet, err := s.build(r)
	if err != nil {
		return client.Command{}, err
	}
	if !r.At.IsZero() || r.Place != nil {
		if c, packet, err = s.insertion(c, packet, r); err != nil {
			return client.Command{}, err
		}
	}
	if r.Large {
		return s.inParts(c, packet, r)
	}
	return c.Command, s.submit(c, packet, r)
}

// submit queues a packet. The caller holds the lock.
func (s *Station) submit(c *command, packet []byte, r client.Request) error {
	c.vc, c.bd, c.packet = ccsds.VCID(r.VC), r.BD, packet
	c.insist = r.BD && r.Service == pus.ServiceSecurity
	s.remember(c)
	s.record(commandEvent(client.KindQueued, c))
	if c.child != nil {
		s.remember(c.child)
	}
	if err := s.ground.Send(c.vc, packet, c.bd, c); err != nil {
		c.Reason = err.Error()
		s.fail(c)
		return fmt.Errorf("send %s: %w", c.Text, err)
	}
	s.poke()
	return nil
}

// complete fills in what a request leaves open and checks the rest.
func (s *Station) complete(r *client.Request) error {
	var err error
	switch {
	case r.Function != "":
		r.Service, r.Subtype = pus.ServiceFunction, pus.PerformFunction
		r.Data, err = pus.Function{Name: r.Function, Arguments: r.Arguments}.Encode()
	case r.Mission != "":
		r.Service, r.Subtype = pus.ServiceTenant, pus.TenantCommand
		if r.APID == 0 {
			r.APID, err = s.apidOf(r.Tenant)
		}
		if err == nil {
			r.Data, err = pus.TenantData{Mission: r.Mission, Data: r.Data}.Encode()
		}
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errRequest, err)
	}
	if r.APID == 0 {
		r.APID = apidFlight
	}
	switch {
	case r.Service == 0 || r.Subtype == 0:
		return fmt.Errorf("%w: it names no service and subtype", errRequest)
	case r.APID == apidFiles || !ccsds.APID(r.APID).Valid() || ccsds.APID(r.APID) == ccsds.IdleAPID:
		return fmt.Errorf("%w: APID %d takes no telecommands", errRequest, r.APID)
	case r.VC > vcRecovery:
		return fmt.Errorf("%w: there is no uplink virtual channel %d", errRequest, r.VC)
	case r.VC == vcRecovery && !r.BD:
		return fmt.Errorf("%w: virtual channel %d is for the bypass service only", errRequest, r.VC)
	}
	return nil
}

func (s *Station) apidOf(tenant string) (uint16, error) {
	for apid, name := range s.cfg.Tenants {
		if name == tenant {
			return apid, nil
		}
	}
	there := slices.Sorted(maps.Values(s.cfg.Tenants))
	return 0, fmt.Errorf("no tenant %q on %s: there are %s", tenant, s.cfg.Craft, strings.Join(there, ", "))
}

// build makes the packet of a request. The caller holds the lock.
func (s *Station) build(r client.Request) (*command, []byte, error) {
	seq, err := s.cfg.Counters.NextOf(fmt.Sprintf("packets-%d", r.APID))
	if err != nil {
		return nil, nil, err
	}
	id, err := s.cfg.Counters.NextOf("commands")
	if err != nil {
		return nil, nil, err
	}
	packet, err := pus.BuildTC(ccsds.APID(r.APID), uint16(seq&0x3FFF), pus.AckAll, r.Service, r.Subtype, sourceID, r.Data)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errRequest, err)
	}
	c := &command{Command: client.Command{
		ID: id, APID: r.APID, Service: r.Service, Subtype: r.Subtype, Packet: uint16(seq & 0x3FFF), Text: describe(r),
	}}
	request, _ := pus.RequestIDOf(packet)
	c.request = uint32(request)
	return c, packet, nil
}

// insertion wraps a request in TC[11,4] or TC[22,4].
func (s *Station) insertion(child *command, packet []byte, r client.Request) (*command, []byte, error) {
	service, data, err := s.scheduled(packet, r)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errRequest, err)
	}
	c, outer, err := s.build(client.Request{APID: apidFlight, Service: service, Subtype: pus.ScheduleInsert, Data: data})
	if err != nil {
		return nil, nil, err
	}
	if r.Place != nil {
		c.Text = fmt.Sprintf("schedule %s at orbit %d, %g°", child.Text, r.Place.Orbit, r.Place.AngleDeg)
	} else {
		c.Text = fmt.Sprintf("schedule %s at %s", child.Text, r.At.UTC().Format(time.RFC3339))
		c.Release, child.Release = r.At.UTC(), r.At.UTC()
	}
	c.child, c.Child = child, child.ID
	return c, outer, nil
}

// scheduled is the message that puts a request into a schedule, and its service.
func (s *Station) scheduled(packet []byte, r client.Request) (uint8, []byte, error) {
	form := s.cfg.Database.Form
	if r.Place == nil {
		data, err := form.EncodeInsertion(pus.Insertion{
			SubSchedule: r.SubSchedule, Activities: []pus.Activity{{Group: r.Group, Release: timecode.FromTime(r.At), Request: packet}},
		})
		return pus.ServiceSchedule, data, err
	}
	if !r.At.IsZero() {
		return 0, nil, errors.New("it waits for a time or for a place, not for both")
	}
	at, err := pus.PositionAt(r.Place.Orbit, r.Place.AngleDeg)
	if err != nil {
		return 0, nil, err
	}
	data, err := form.Encode(pus.Kind{Service: pus.ServicePosition, Subtype: pus.ScheduleInsert}, pus.PositionInsert{
		SubSchedule: r.SubSchedule, Activities: []pus.PositionActivity{{Group: r.Group, Release: at, Request: packet}},
	})
	return pus.ServicePosition, data, err
}

// describe is a request in words.
func describe(r client.Request) string {
	switch {
	case r.Name != "":
		return r.Name
	case r.Function != "":
		return strings.TrimSpace(r.Function + " " + strings.Join(r.Arguments, " "))
	case r.Mission != "":
		return fmt.Sprintf("data for %s/%s", r.Tenant, r.Mission)
	case r.Service == pus.ServiceTest && r.Subtype == pus.AreYouAlive:
		return "ping"
	case r.Service == pus.ServiceTime && r.Subtype == pus.SetTime:
		return "set time"
	}
	return fmt.Sprintf("TC[%d,%d]", r.Service, r.Subtype)
}

// SetTime sends the station's time.
func (s *Station) SetTime() (client.Command, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.setTime()
}

// setTime needs the lock.
func (s *Station) setTime() (client.Command, error) {
	data, err := pus.TimeSetting{Time: timecode.FromTime(s.now()), Quality: timecode.Set}.Encode()
	if err != nil {
		return client.Command{}, err
	}
	r := client.Request{APID: apidFlight, Service: pus.ServiceTime, Subtype: pus.SetTime, Data: data}
	c, packet, err := s.build(r)
	if err != nil {
		return client.Command{}, err
	}
	if r.Large {
		return s.inParts(c, packet, r)
	}
	return c.Command, s.submit(c, packet, r)
}

// considerTime sets the craft's clock if that is ours to do and it runs free. The
// caller holds the lock.
func (s *Station) considerTime() {
	if !s.cfg.AutoTime || s.health.TimeQuality != timecode.Free.String() {
		return
	}
	// One that got lost, with a reset of the craft for instance, is not waited for.
	if c := s.find(s.autoTime); c != nil && !c.Done() && s.now().Sub(c.Queued) < time.Minute {
		return
	}
	c, err := s.setTime()
	if err != nil {
		s.cfg.Log.Warn("set time", "err", err)
		return
	}
	s.autoTime = c.ID
}

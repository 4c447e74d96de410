// Package router is the crossing of packets on board. What comes up goes by its APID
// to the services, to the file transfers, or is refused. What goes down gets what its
// maker must not choose: APID, sequence count, time and its quality, and a place in a
// queue that is bounded.
//
//	up    APID 1 and tenants' → services   2 → files   other → TM[1,2] and an event
//	down  VC 0 flight, VC 1 tenants in turn, VC 2 files as the link has room, VC 3 what was stored
package router

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/perilune/perilune/bus"
	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/spp"
	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/internal/clock"
)

// APIDs of the craft itself.
const (
	APIDFlight ccsds.APID = 1
	APIDFiles  ccsds.APID = 2
)

// Virtual channels of the downlink; VCFiles bears CFDP.
const (
	vcFlight ccsds.VCID = 0
	vcTenant ccsds.VCID = 1
	VCFiles  ccsds.VCID = 2
	vcReplay ccsds.VCID = 3
)

// Bounds of the queues in packets. A tenant's flood drops its own packets only.
const (
	flightQueue = 512
	tenantQueue = 128
	filesAhead  = 4 // PDUs in the link's queue: a late one is better chosen by CFDP
)

// A TM frame that noise destroys takes its packets with it, and nobody asks for them
// again. Verification reports and events say things once: the same packets are sent
// again after a while, and the ground passes over those that it has.
var repeatAfter = []time.Duration{2 * time.Second, 8 * time.Second, 20 * time.Second}

// repeated are the services whose reports say a thing once; a part that is lost would cost
// all of its packet.
var repeated = []uint8{pus.ServiceVerification, pus.ServiceEvent, pus.ServiceLarge}

// maxRepeats bounds the packets that wait to be sent again.
const maxRepeats = 512

// ErrQuota says that a tenant has used up its octets of telemetry for now.
var ErrQuota = errors.New("telemetry quota is used up")

// Time is on-board time.
type Time interface {
	Now() (timecode.Instant, timecode.Quality)
}

// Sink takes packets for the link.
type Sink interface {
	Room(vc ccsds.VCID) int
	Send(vc ccsds.VCID, packet []byte) error
}

// Config connects a Router.
type Config struct {
	Clock   clock.Clock
	Time    Time
	Publish func(bus.Event)
	Tenants map[ccsds.APID]int // octets of telemetry a second by tenants' APID

	Services func(packet []byte)                                             // telecommands to flight and to tenants
	Files    func(pdu []byte)                                                // CFDP PDUs
	NextPDU  func() ([]byte, bool)                                           // the next CFDP PDU to send
	Forward  func(apid ccsds.APID, service, subtype uint8, data []byte) bool // whether a report goes down at once; nil: all do
	Keep     func(timecode.Instant, []byte)                                  // telemetry to store; nil: none
	Stored   func() ([]byte, bool)                                           // the next stored packet to send again; nil: none
	Unknown  func(packet []byte, reason string)                              // packets for nobody
}

// Router is safe for concurrent use.
type Router struct {
	cfg Config

	mu          sync.Mutex
	seq         spp.Counter
	counts      map[message]uint16
	queues      map[ccsds.APID]*queue
	order       []ccsds.APID // of tenants, whose turn is first
	buckets     map[ccsds.APID]*bucket
	repeats     []repeat
	transaction uint16 // of the last packet that went in parts
	depth       int    // of the link's queue for files, learnt when it is empty
}

// repeat is a packet that is sent again at an instant of the machine's clock.
type repeat struct {
	at     time.Time
	packet []byte
}

type message struct {
	apid             ccsds.APID
	service, subtype uint8
}

// New makes a router.
func New(cfg Config) *Router {
	r := &Router{cfg: cfg, counts: map[message]uint16{}, queues: map[ccsds.APID]*queue{}, buckets: map[ccsds.APID]*bucket{}}
	r.queues[APIDFlight] = &queue{limit: flightQueue}
	now := cfg.Clock.Now()
	for apid, rate := range cfg.Tenants {
		r.queues[apid] = &queue{limit: tenantQueue}
		r.order = append(r.order, apid)
		r.buckets[apid] = newBucket(rate, now)
	}
	return r
}

// Uplink takes a packet that came up on vc.
func (r *Router) Uplink(vc ccsds.VCID, packet []byte) {
	n, err := spp.TotalLength(packet)
	if err != nil || n != len(packet) {
		r.cfg.Unknown(packet, fmt.Sprintf("no space packet: %d octets", len(packet)))
		return
	}
	id, _ := pus.RequestIDOf(packet)
	apid := ccsds.APID(id.APID())
	if apid == ccsds.IdleAPID {
		return
	}
	if apid != APIDFiles { // file data is no event, and there is much of it
		r.cfg.Publish(bus.Telecommand{APID: uint16(apid), VC: uint8(vc), Packet: packet, Time: r.cfg.Clock.Now()})
	}
	_, tenant := r.buckets[apid]
	switch {
	case apid == APIDFlight || tenant:
		r.cfg.Services(packet)
	case apid == APIDFiles:
		r.cfg.Files(packet[spp.HeaderLength:])
	default:
		r.cfg.Unknown(packet, fmt.Sprintf("nobody has APID %d", apid))
	}
}

// Flight queues a report of the craft itself.
func (r *Router) Flight(service, subtype uint8, data []byte) error {
	return r.send(APIDFlight, vcFlight, service, subtype, data)
}

// Tenant queues a report under a tenant's APID, or returns ErrQuota.
func (r *Router) Tenant(apid ccsds.APID, service, subtype uint8, data []byte) error {
	r.mu.Lock()
	b := r.buckets[apid]
	ok := b != nil && b.take(len(data), r.cfg.Clock.Now())
	r.mu.Unlock()
	switch {
	case b == nil:
		return fmt.Errorf("telemetry of APID %d: no tenant has it", apid)
	case !ok:
		return ErrQuota
	}
	return r.send(apid, vcTenant, service, subtype, data)
}

func (r *Router) send(apid ccsds.APID, vc ccsds.VCID, service, subtype uint8, data []byte) error {
	large := apid == APIDFlight && len(data) > largeAbove
	down := r.cfg.Forward == nil || r.cfg.Forward(apid, service, subtype, data)
	r.mu.Lock()
	at, quality := r.cfg.Time.Now()
	kind := message{apid, service, subtype}
	packet, err := pus.BuildTM(apid, r.seq.Next(apid), service, subtype, r.counts[kind], 0, at, quality, data)
	r.counts[kind]++
	if err == nil && down && !large {
		r.queues[apid].push(packet)
		if apid == APIDFlight && (slices.Contains(repeated, service)) {
			r.repeatLater(packet)
		}
	}
	r.mu.Unlock()
	if err != nil {
		return err
	}
	if large {
		if !down {
			return nil
		}
		return r.sendLarge(packet)
	}
	if r.cfg.Keep != nil {
		r.cfg.Keep(at, packet)
	}
	r.cfg.Publish(bus.Telemetry{VC: uint8(vc), APID: uint16(apid), Packet: packet, Time: r.cfg.Clock.Now()})
	return nil
}

// Dropped is how many packets full queues have cost since the start.
func (r *Router) Dropped() (n uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, q := range r.queues {
		n += q.dropped
	}
	return n
}

// Waiting is how many packets are queued for APID.
func (r *Router) Waiting(apid ccsds.APID) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if q := r.queues[apid]; q != nil {
		return len(q.packets)
	}
	return 0
}

package router

import (
	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/spp"
)

// repeatLater notes that packet is to be sent again. r.mu is held.
func (r *Router) repeatLater(packet []byte) {
	now := r.cfg.Clock.Now()
	for _, d := range repeatAfter {
		if len(r.repeats) < maxRepeats {
			r.repeats = append(r.repeats, repeat{now.Add(d), packet})
		}
	}
}

// repeatNow queues what is to be sent again by now.
func (r *Router) repeatNow() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.repeats) == 0 {
		return
	}
	now := r.cfg.Clock.Now()
	later := r.repeats[:0]
	for _, p := range r.repeats {
		if p.at.After(now) {
			later = append(later, p)
		} else if q := r.queues[APIDFlight]; len(q.packets) < q.limit/2 {
			q.push(p.packet)
		}
	}
	r.repeats = later
}

// Fill moves what waits into the link's queues, as far as they have room.
func (r *Router) Fill(link Sink) {
	r.repeatNow()
	for room := link.Room(vcFlight); room > 0; room-- {
		p := r.pop(APIDFlight)
		if p == nil {
			break
		}
		if link.Send(vcFlight, p) != nil {
			r.unpop(APIDFlight, p)
			break
		}
	}
	for room := link.Room(vcTenant); room > 0; room-- {
		apid, p := r.nextTenant()
		if p == nil {
			break
		}
		if link.Send(vcTenant, p) != nil {
			r.unpop(apid, p)
			break
		}
	}
	r.fillFiles(link)
	r.fillReplay(link)
}

// fillReplay sends stored packets again, as they are.
func (r *Router) fillReplay(link Sink) {
	if r.cfg.Stored == nil {
		return
	}
	for room := link.Room(vcReplay); room > 0; room-- {
		p, ok := r.cfg.Stored()
		if !ok || link.Send(vcReplay, p) != nil {
			return // the ground asks again for what it lacks
		}
	}
}

// fillFiles keeps few PDUs ahead of the link: which one comes next is better decided
// late.
func (r *Router) fillFiles(link Sink) {
	room := link.Room(VCFiles)
	r.depth = max(r.depth, room)
	for ahead := r.depth - room; ahead < min(filesAhead, r.depth); ahead++ {
		pdu, ok := r.cfg.NextPDU()
		if !ok {
			return
		}
		r.mu.Lock()
		seq := r.seq.Next(APIDFiles)
		r.mu.Unlock()
		p, err := spp.Append(nil, &spp.Packet{APID: APIDFiles, SeqFlags: spp.Unsegmented, SeqCount: seq}, pdu)
		if err != nil || link.Send(VCFiles, p) != nil {
			return // CFDP finds out and sends it again
		}
	}
}

func (r *Router) pop(apid ccsds.APID) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.queues[apid].pop()
}

func (r *Router) unpop(apid ccsds.APID, p []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queues[apid].unpop(p)
}

// nextTenant takes a packet of the next tenant in turn that has one.
func (r *Router) nextTenant() (ccsds.APID, []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for range r.order {
		apid := r.order[0]
		r.order = append(r.order[1:], apid)
		if p := r.queues[apid].pop(); p != nil {
			return apid, p
		}
	}
	return 0, nil
}

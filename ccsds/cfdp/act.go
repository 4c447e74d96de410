package cfdp

import (
	"errors"
	"math"
)

// Actor is a Filestore that carries out filestore requests. Names come from
// the other side: none may lead out of the root. No file may grow beyond maxSize octets.
// Without it, or where the entity does not serve, all requests are answered as not performed.
type Actor interface {
	Act(f FilestoreRequest, maxSize uint64) (RequestStatus, error)
}

// act carries out the filestore requests of the metadata, in order; behind one
// that failed or that cannot be read none is performed (§4.9.5). It is called once for a transaction:
// the record says so before the first request, for a rename that is done twice
// fails and an append harms. It returns the fields for the Finished PDU.
func (r *receiver) act() []TLV {
	actor, ok := r.e.cfg.Store.(Actor)
	requests, sound := r.requests()
	if len(requests) == 0 {
		return nil
	}
	if !ok || !r.e.cfg.Serve {
		return r.answer(requests, nil, "")
	}
	r.acting = true
	r.save()
	var done []FilestoreResponse
	for _, f := range requests[:sound] {
		status, err := actor.Act(f, r.e.cfg.Limits.MaxFileSize)
		answer := FilestoreResponse{FilestoreRequest: f, Status: status}
		if err != nil {
			answer.Message = err.Error()
		}
		done = append(done, answer)
		if status != RequestDone {
			break
		}
	}
	if len(done) == sound && sound < len(requests) {
		done = append(done, FilestoreResponse{FilestoreRequest: requests[sound], Status: RequestNotPerformed, Message: "cannot be read"})
	}
	return r.answer(requests, done, "")
}

// answer makes the response fields: those of done, and for the rest of the
// requests that they were not performed, and why. What does not fit the
// Finished PDU is left out.
func (r *receiver) answer(requests []FilestoreRequest, done []FilestoreResponse, why string) []TLV {
	var all []TLV
	room := r.e.cfg.MaxPDU - r.head.Length() - 16 // directive and fault location
	for i, f := range requests {
		answer := FilestoreResponse{FilestoreRequest: f, Status: RequestNotPerformed, Message: why}
		if i < len(done) {
			answer = done[i]
		}
		r.info.Responses = append(r.info.Responses, answer)
		// A message may cost the next answer its room.
		answer.Message = answer.Message[:min(len(answer.Message), room/(2*len(requests)))]
		if t, err := answer.TLV(); err == nil && len(t.Value)+2 <= room {
			room -= len(t.Value) + 2
			all = append(all, t)
		}
	}
	return all
}

// requests are the filestore requests of the metadata, and how many come before the first that
// cannot be read; of that one there is what could be.
func (r *receiver) requests() (all []FilestoreRequest, sound int) {
	if r.meta == nil {
		return nil, 0
	}
	var bad error
	for _, t := range r.meta.TLVs {
		if t.Type != TLVFilestoreRequest {
			continue
		}
		f, err := DecodeFilestoreRequest(t.Value)
		if all, bad = append(all, f), errors.Join(bad, err); bad == nil {
			sound++
		}
	}
	return all, sound
}

// requestsFit says whether the answers will fit a Finished PDU of size octets.
func requestsFit(requests []FilestoreRequest, size int) bool {
	n := 0
	for _, f := range requests {
		n += 2 + 1 + 1 + len(f.First) + 1 + len(f.Second) + 1
		if 4+len(f.First)+len(f.Second) > math.MaxUint8 {
			return false
		}
	}
	return n <= size
}

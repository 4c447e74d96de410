package modules

import (
	"errors"
	"fmt"

	"github.com/perilune/perilune/hvt"
)

// NetRing serves the requests of a net ring: it sends at once and keeps the
// buffers for frames to come, oldest first.
type NetRing struct {
	d      *Net
	mem    Memory
	stop   int
	posted []hvt.Submission // a circle
	head   int
	count  int
}

// NewNetRing lets a guest with this memory use d by a ring of this depth.
// Sending to a full socket waits until stop becomes readable.
func NewNetRing(d *Net, mem Memory, depth uint32, stop int) *NetRing {
	return &NetRing{d: d, mem: mem, stop: stop, posted: make([]hvt.Submission, depth)}
}

// Submit sends frames and keeps buffers. The answer is ResultInvalid for a
// request that no such device could serve, ResultUnspecified when the host
// does not take the frame. A buffer that is not the guest's is an error.
func (r *NetRing) Submit(batch []hvt.Submission, done func(hvt.Completion)) error {
	for _, s := range batch {
		if s.Op == hvt.RingReceive && s.Len > 0 && r.count < len(r.posted) {
			if _, err := r.mem.Writable(s.Data, uint64(s.Len)); err != nil {
				return err
			}
			r.posted[(r.head+r.count)%len(r.posted)] = s
			r.count++
			continue
		}
		c := hvt.Completion{ID: s.ID, Result: hvt.ResultInvalid}
		if s.Op == hvt.RingSend && s.Len > 0 {
			var fatal *FatalError
			result, err := r.d.Write(r.mem, hvt.NetIO{Data: s.Data, Len: uint64(s.Len)}, r.stop)
			switch {
			case errors.As(err, &fatal):
				result = hvt.ResultUnspecified
			case err != nil:
				return err
			}
			c.Result = result
		}
		done(c)
	}
	return nil
}

// Progress fills the oldest buffers with the frames that are there.
func (r *NetRing) Progress(done func(hvt.Completion)) error {
	for r.Waits() >= 0 {
		s := r.posted[r.head]
		n, result, err := r.d.Read(r.mem, hvt.NetIO{Data: s.Data, Len: uint64(s.Len)})
		if err != nil {
			return err
		}
		if result == hvt.ResultAgain {
			return nil
		}
		r.head, r.count = (r.head+1)%len(r.posted), r.count-1
		done(hvt.Completion{ID: s.ID, Result: result, Len: uint32(n)})
	}
	return nil
}

// Waits is the device while there are buffers for it and its peer is there.
func (r *NetRing) Waits() int {
	if r.count == 0 || r.d.closed.Load() {
		return -1
	}
	return r.d.fd
}

// Kept lists the buffers that wait for frames, oldest first.
func (r *NetRing) Kept() []hvt.Submission {
	out := make([]hvt.Submission, r.count)
	for i := range out {
		out[i] = r.posted[(r.head+i)%len(r.posted)]
	}
	return out
}

// Keep gives a new ring the buffers that another one kept.
func (r *NetRing) Keep(list []hvt.Submission) error {
	if len(list) > len(r.posted) {
		return fmt.Errorf("%d buffers in a ring of %d", len(list), len(r.posted))
	}
	for _, s := range list {
		if s.Op != hvt.RingReceive || s.Len == 0 {
			return fmt.Errorf("request %d of a ring is no buffer", s.ID)
		}
		if _, err := r.mem.Writable(s.Data, uint64(s.Len)); err != nil {
			return err
		}
	}
	r.head, r.count = 0, copy(r.posted, list)
	return nil
}

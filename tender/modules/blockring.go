package modules

import (
	"github.com/perilune/perilune/hvt"
	"golang.org/x/sys/unix"
)

// mergeMax is how many requests on neighbouring sectors become one call.
const mergeMax = 8

// BlockRing serves the requests of a block ring, one after the other.
type BlockRing struct {
	d    *Block
	mem  Memory
	bufs [mergeMax][]byte
}

// NewBlockRing lets a guest with this memory use d by a ring.
func NewBlockRing(d *Block, mem Memory) *BlockRing { return &BlockRing{d: d, mem: mem} }

// Submit answers each request: ResultInvalid for one that is not on whole
// sectors inside the device or longer than hvt.MaxRingTransfer,
// ResultUnspecified for a write to a read-only device or when the host's file
// fails. A buffer that is not the guest's is an error.
func (r *BlockRing) Submit(batch []hvt.Submission, done func(hvt.Completion)) error {
	for len(batch) > 0 {
		n, err := r.merge(batch)
		if err != nil {
			return err
		}
		if n == 0 {
			done(hvt.Completion{ID: batch[0].ID, Result: hvt.ResultInvalid})
			batch = batch[1:]
			continue
		}
		r.serve(batch[:n], done)
		batch = batch[n:]
	}
	return nil
}

// merge checks the first request and those right behind it on the device, and
// collects their buffers. n is 0 when the first one is invalid.
func (r *BlockRing) merge(batch []hvt.Submission) (n int, err error) {
	for n < min(len(batch), mergeMax) {
		s := batch[n]
		if !r.valid(s) || n > 0 && (s.Op != batch[0].Op || s.Offset != batch[n-1].Offset+uint64(batch[n-1].Len)) {
			return n, nil
		}
		if s.Op == hvt.RingRead {
			r.bufs[n], err = r.mem.Writable(s.Data, uint64(s.Len))
		} else {
			r.bufs[n], err = r.mem.Readable(s.Data, uint64(s.Len))
		}
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

func (r *BlockRing) valid(s hvt.Submission) bool {
	return (s.Op == hvt.RingRead || s.Op == hvt.RingWrite) && s.Len > 0 && s.Len <= hvt.MaxRingTransfer &&
		r.d.inside(hvt.BlockIO{Offset: s.Offset, Len: uint64(s.Len)})
}

func (r *BlockRing) serve(batch []hvt.Submission, done func(hvt.Completion)) {
	ok := false
	if len(batch) > 1 {
		ok = r.transfer(batch) // as one; if it fails, each for itself
	}
	for i, s := range batch {
		c := hvt.Completion{ID: s.ID, Len: s.Len}
		if !ok && !r.single(s, r.bufs[i]) {
			c.Result, c.Len = hvt.ResultUnspecified, 0
		}
		done(c)
	}
}

func (r *BlockRing) single(s hvt.Submission, b []byte) bool {
	n, err := 0, error(nil)
	switch {
	case s.Op == hvt.RingRead:
		n, err = retry(func() (int, error) { return unix.Pread(r.d.fd, b, int64(s.Offset)) })
	case r.d.readOnly:
		err = unix.EROFS
	default:
		n, err = retry(func() (int, error) { return unix.Pwrite(r.d.fd, b, int64(s.Offset)) })
	}
	return err == nil && n == len(b)
}

func (r *BlockRing) transfer(batch []hvt.Submission) bool {
	bufs, size := r.bufs[:len(batch)], 0
	for _, b := range bufs {
		size += len(b)
	}
	n, err := 0, error(nil)
	switch {
	case batch[0].Op == hvt.RingRead:
		n, err = retry(func() (int, error) { return unix.Preadv(r.d.fd, bufs, int64(batch[0].Offset)) })
	case r.d.readOnly:
		err = unix.EROFS
	default:
		n, err = retry(func() (int, error) { return unix.Pwritev(r.d.fd, bufs, int64(batch[0].Offset)) })
	}
	return err == nil && n == size
}

// Progress has nothing to do: no request waits.
func (r *BlockRing) Progress(func(hvt.Completion)) error { return nil }

// Waits is never.
func (r *BlockRing) Waits() int { return -1 }

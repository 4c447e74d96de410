package depot

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"sync"

	"github.com/perilune/perilune/ccsds/pus"
)

const (
	maxCopies = 4
	chunk     = 256 << 10 // octets between two looks at what the ground wants
	// partDir is where CFDP has what is not complete: it sweeps there at the start.
	partDir = ".cfdp-part"
)

// Steering of copies under way.
const (
	Suspend = iota
	Resume
	Abort
)

// copies are those under way.
type copies struct {
	all  map[uint16]*copying
	wake *sync.Cond
}

func (c *copies) init(mu *sync.Mutex) {
	c.all, c.wake = map[uint16]*copying{}, sync.NewCond(mu)
}

type copying struct {
	from, to           string
	done, size         int64
	suspended, aborted bool
}

// places are both ends of a copy.
func places(f pus.FileCopy) (from, to string, err error) {
	if from, err = place(f.From.Repository, f.From.Name); err == nil {
		to, err = place(f.To.Repository, f.To.Name)
	}
	return from, to, err
}

// Move is TC[23,15]: at once, for there is one file system.
func (d *Depot) Move(f pus.FileCopy) error {
	from, to, err := places(f)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.look(from, false); err != nil {
		return err
	}
	return d.move(from, to)
}

// Copy is TC[23,14]; it returns when the copy is complete, or was aborted. The copy is not
// locked. Nothing is seen under its name before it is complete.
func (d *Depot) Copy(f pus.FileCopy) error {
	from, to, err := places(f)
	if err != nil {
		return err
	}
	c, err := d.beginCopy(f.Operation, from, to)
	if err != nil {
		return err
	}
	part := path.Join(partDir, fmt.Sprintf("copy-%d", f.Operation))
	err = d.copyOut(c, part)
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.copies.all, f.Operation)
	if err == nil {
		err = d.free(to)
	}
	if err == nil {
		err = d.remark(func(m map[string]mark) { delete(m, to) }, func() error { return d.root.Rename(part, to) })
	}
	if err != nil {
		_ = d.root.Remove(part) // it may not be there
		return err
	}
	return d.sync(to)
}

func (d *Depot) beginCopy(operation uint16, from, to string) (*copying, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	st, err := d.look(from, false)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(d.free(to), d.room(1, uint64(st.Size()))); err != nil {
		return nil, err
	}
	switch {
	case d.copies.all[operation] != nil:
		return nil, refuse(pus.FailureRefused, "operation %d is under way", operation)
	case len(d.copies.all) >= maxCopies:
		return nil, refuse(pus.FailureFull, "%d copies are under way, at most %d", len(d.copies.all), maxCopies)
	}
	c := &copying{from: from, to: to, size: st.Size()}
	d.copies.all[operation] = c
	return c, nil
}

// copyOut writes the unfinished copy.
func (d *Depot) copyOut(c *copying, part string) error {
	r, err := d.root.Open(c.from)
	if err != nil {
		return gone(c.from, err)
	}
	defer r.Close()
	if err := d.root.Mkdir(partDir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	w, err := d.root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return gone(c.to, err)
	}
	for err == nil {
		if err = d.turn(c); err != nil {
			break
		}
		var n int64
		n, err = io.CopyN(w, io.LimitReader(r, c.size-c.done), chunk)
		d.mu.Lock()
		c.done += n
		d.mu.Unlock()
	}
	if errors.Is(err, io.EOF) {
		if err = nil; c.done < c.size {
			err = refuse(pus.FailureRefused, "%s became shorter while it was copied", c.from)
		}
	}
	return errors.Join(err, w.Sync(), w.Close())
}

// turn waits while the copy is suspended, and refuses to go on when it was aborted.
func (d *Depot) turn(c *copying) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c.suspended && !c.aborted {
		d.copies.wake.Wait()
	}
	if c.aborted {
		return refuse(pus.FailureRefused, "aborted at %d of %d octets", c.done, c.size)
	}
	return nil
}

// Steer is TC[23,16] to TC[23,18]; all operations or none. No numbers are all.
func (d *Depot) Steer(operations []uint16, what int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range operations {
		if d.copies.all[id] == nil {
			return refuse(pus.FailureUnknownName, "no operation %d under way", id)
		}
	}
	for id, c := range d.copies.all {
		if len(operations) == 0 || slices.Contains(operations, id) {
			c.steer(what)
		}
	}
	d.copies.wake.Broadcast()
	return nil
}

// SteerIn is TC[23,19] to TC[23,21]: copies out of a repository or into it.
func (d *Depot) SteerIn(repository string, what int) error {
	if _, err := folder(repository); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.copies.all {
		if repositoryOf(c.from) == repository || repositoryOf(c.to) == repository {
			c.steer(what)
		}
	}
	d.copies.wake.Broadcast()
	return nil
}

func (c *copying) steer(what int) {
	c.suspended = what == Suspend
	c.aborted = c.aborted || what == Abort
}

// Progress is TM[23,23]: copies under way, by number.
func (d *Depot) Progress() (out []pus.FileCopyState) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, c := range d.copies.all {
		out = append(out, pus.FileCopyState{Operation: id, Done: uint8(100 * c.done / max(1, c.size))})
	}
	slices.SortFunc(out, func(a, b pus.FileCopyState) int { return int(a.Operation) - int(b.Operation) })
	return out
}

// Close ends all copies and lets go of the root.
func (d *Depot) Close() error {
	d.mu.Lock()
	for _, c := range d.copies.all {
		c.aborted = true
	}
	d.copies.wake.Broadcast()
	d.mu.Unlock()
	return d.root.Close()
}

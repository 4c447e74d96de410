// Package radio is the craft's radio as flight sees it: a port that takes and gives
// bits, eight to an octet, most significant first, without any framing.
//
// A Radio keeps its port open by itself. A port that fails, hangs up or is not there
// yet costs bits, never the program: it is opened again until the radio is closed.
package radio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

// Times of a radio. A port is a device on the machine itself, so these are wall-clock
// times and no part of any protocol.
const (
	reopenAfter = 250 * time.Millisecond
	writeWithin = 500 * time.Millisecond
)

// ErrBusy says that the port took less than was offered within half a second; the
// rest may be offered again.
var ErrBusy = errors.New("radio port is busy")

// Port is an open bit stream. A SetWriteDeadline method, if there is one, is used so
// that a write can be given up.
type Port = io.ReadWriteCloser

// Radio is a port that is kept open. Receive and Write may run at the same time.
type Radio struct {
	open func(context.Context) (Port, error)
	log  *slog.Logger

	mu     sync.Mutex
	port   Port
	failed error // of the last try, so that a fault is logged once
	next   time.Time
}

// New makes a radio on the port that address names: the path of a serial device, or
// "unix:PATH" for a stream socket to connect to. It does not open it yet.
func New(address string, log *slog.Logger) *Radio {
	return NewFunc(func(ctx context.Context) (Port, error) { return dial(ctx, address) }, log)
}

// NewFunc makes a radio on a port that open opens.
func NewFunc(open func(context.Context) (Port, error), log *slog.Logger) *Radio {
	return &Radio{open: open, log: log}
}

func dial(ctx context.Context, address string) (Port, error) {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
	// Without O_CREATE: a port that is missing must not become a file.
	return os.OpenFile(address, os.O_RDWR, 0)
}

// Receive reads bits and hands them to fn, which must not keep them, until ctx ends;
// it returns ctx's error.
func (r *Radio) Receive(ctx context.Context, fn func(bits []byte)) error {
	stop := context.AfterFunc(ctx, r.drop)
	defer stop()
	buf := make([]byte, 4096)
	for ctx.Err() == nil {
		p := r.get(ctx)
		if p == nil {
			pause(ctx, reopenAfter)
			continue
		}
		n, err := p.Read(buf)
		if n > 0 {
			fn(buf[:n])
		}
		switch {
		case err == nil && n > 0:
		case errors.Is(err, io.EOF) && isDevice(p), err == nil:
			// A virtio port whose other end is not connected reads as ended; it goes
			// on when somebody connects.
			pause(ctx, reopenAfter)
		default:
			r.fail(p, fmt.Errorf("read: %w", err))
		}
	}
	return ctx.Err()
}

// Write sends bits and says how many octets the port took. ErrBusy and every other
// error mean that the rest did not leave; the caller may offer it again.
func (r *Radio) Write(ctx context.Context, bits []byte) (int, error) {
	p := r.get(ctx)
	if p == nil {
		pause(ctx, reopenAfter)
		return 0, errors.Join(ErrBusy, ctx.Err())
	}
	if d, ok := p.(interface{ SetWriteDeadline(time.Time) error }); ok {
		// A port that knows no deadlines blocks; that is its right.
		_ = d.SetWriteDeadline(time.Now().Add(writeWithin))
	}
	n, err := p.Write(bits)
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, ErrBusy
	default:
		r.fail(p, fmt.Errorf("write: %w", err))
		return n, errors.Join(ErrBusy, ctx.Err())
	}
}

// get returns the open port, opening it if it is time to try.
func (r *Radio) get(ctx context.Context) Port {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.port != nil || ctx.Err() != nil || time.Now().Before(r.next) {
		return r.port
	}
	p, err := r.open(ctx)
	if err != nil {
		r.next = time.Now().Add(reopenAfter)
		r.report(fmt.Errorf("open: %w", err))
		return nil
	}
	r.port, r.failed = p, nil
	r.log.Info("radio port is open")
	return p
}

// fail closes p, unless another has taken its place.
func (r *Radio) fail(p Port, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.port != p {
		return
	}
	r.port, r.next = nil, time.Now().Add(reopenAfter)
	_ = p.Close()
	r.report(err)
}

// report logs a failure, but not the same one again and again.
func (r *Radio) report(err error) {
	if r.failed == nil || r.failed.Error() != err.Error() {
		r.log.Warn("radio port", "err", err)
	}
	r.failed = err
}

// drop closes the port, so that a blocked read ends.
func (r *Radio) drop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.port != nil {
		_ = r.port.Close()
		r.port = nil
	}
}

func isDevice(p Port) bool {
	f, ok := p.(*os.File)
	if !ok {
		return false
	}
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeDevice != 0
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

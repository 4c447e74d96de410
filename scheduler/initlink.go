package scheduler

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/perilune/perilune/internal/initproto"
	"github.com/perilune/perilune/scheduler/tenant"
)

// errNoInit says that there is nobody to ask for slots.
var errNoInit = errors.New("no init")

// welcomeWithin bounds the wait for init's first words. It is long since everything
// else on the machine starts at the same time.
const welcomeWithin = time.Minute

// initLink is flight's end of the socket to init, which is the only root on board.
type initLink struct {
	conn    *initproto.Conn // nil: flight runs without init
	log     *slog.Logger
	welcome initproto.Welcome
	kept    []*tenant.Slot
	pairs   []tenant.Pair
	exited  func(id uint32, status, signal uint8)

	mu      sync.Mutex
	waiting map[uint32]chan answer
}

type answer struct {
	slot *tenant.Slot
	err  error
}

// greet reads init's welcome and takes the slots that outlived an earlier program.
func greet(ctx context.Context, conn *initproto.Conn, log *slog.Logger) (*initLink, error) {
	l := &initLink{conn: conn, log: log, waiting: map[uint32]chan answer{}}
	if conn == nil {
		return l, nil
	}
	if err := conn.SetReadDeadline(time.Now().Add(welcomeWithin)); err != nil {
		return nil, fmt.Errorf("init: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	msg, files, err := conn.Receive()
	closeAll(files)
	if err != nil {
		return nil, fmt.Errorf("init: wait for its welcome: %w", errors.Join(err, ctx.Err()))
	}
	w, ok := msg.(initproto.Welcome)
	if !ok {
		return nil, fmt.Errorf("init: it says %T, want Welcome", msg)
	}
	l.welcome = w
	for range w.KeptSlots {
		msg, files, err := conn.Receive()
		if err != nil {
			return nil, fmt.Errorf("init: wait for kept slots: %w", errors.Join(err, ctx.Err()))
		}
		if s := slotOf(msg, files); s != nil {
			l.kept = append(l.kept, s)
		}
	}
	for range w.KeptFiles {
		msg, files, err := conn.Receive()
		if err != nil {
			return nil, fmt.Errorf("init: wait for kept files: %w", errors.Join(err, ctx.Err()))
		}
		if k, ok := msg.(initproto.Kept); ok && len(files) == 2 {
			l.pairs = append(l.pairs, tenant.Pair{Name: k.Name, Files: [2]*os.File(files)})
		} else {
			closeAll(files)
		}
	}
	return l, conn.SetReadDeadline(time.Time{})
}

// slotOf reads a SlotReady, or closes what came with something else.
func slotOf(msg initproto.Message, files []*os.File) *tenant.Slot {
	r, ok := msg.(initproto.SlotReady)
	if !ok || len(files) != 2 {
		closeAll(files)
		return nil
	}
	return &tenant.Slot{ID: r.ID, PID: int(r.PID), Name: r.Name, Control: files[0], Data: files[1]}
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// run hears init until ctx ends. When init hangs up, flight has no business to be.
func (l *initLink) run(ctx context.Context) error {
	if l.conn == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	stop := context.AfterFunc(ctx, func() { _ = l.conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	for {
		msg, files, err := l.conn.Receive()
		switch {
		case ctx.Err() != nil:
			closeAll(files)
			return ctx.Err()
		case errors.Is(err, io.EOF):
			return errors.New("init hung up")
		case errors.Is(err, initproto.ErrMessage):
			l.log.Error("init", "err", err)
			continue
		case err != nil:
			return err
		}
		l.take(msg, files)
	}
}

func (l *initLink) take(msg initproto.Message, files []*os.File) {
	switch msg := msg.(type) {
	case initproto.SlotReady:
		s := slotOf(msg, files)
		if s == nil {
			l.answer(msg.ID, answer{err: errors.New("init sent no sockets")})
			return
		}
		if !l.answer(msg.ID, answer{slot: s}) {
			// Nobody waits for it any more.
			closeAll(files)
			if err := l.Kill(msg.ID); err != nil {
				l.log.Error("init", "err", err)
			}
		}
		return
	case initproto.SlotFailed:
		if !l.answer(msg.ID, answer{err: errors.New(msg.Reason)}) && l.exited != nil {
			// Nobody waits for it any more, or knows that there will be none: its number is free.
			l.exited(msg.ID, 0, 0)
		}
	case initproto.SlotExited:
		if l.exited != nil {
			l.exited(msg.ID, msg.Status, msg.Signal)
		}
		// One that dies before it was handed over has an answer too. It comes last: with it the
		// number may be another slot's.
		l.answer(msg.ID, answer{err: fmt.Errorf("its tender ended with status %d, signal %d", msg.Status, msg.Signal)})
	default:
		l.log.Error("init says something odd", "message", fmt.Sprintf("%T", msg))
	}
	closeAll(files)
}

func (l *initLink) answer(id uint32, a answer) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	ch, ok := l.waiting[id]
	if ok {
		delete(l.waiting, id)
		ch <- a // holds one
	}
	return ok
}

// keepPool asks init for slots that wait for guests.
func (l *initLink) keepPool(size int) error {
	if l.conn == nil {
		return nil
	}
	return l.conn.Send(initproto.Pool{Size: uint32(size)})
}

// Request asks for a slot and waits for it.
func (l *initLink) Request(ctx context.Context, id uint32, name string, limits tenant.Limits) (*tenant.Slot, error) {
	if l.conn == nil {
		return nil, errNoInit
	}
	ch := make(chan answer, 1)
	l.mu.Lock()
	l.waiting[id] = ch
	l.mu.Unlock()
	if err := l.conn.Send(initproto.SlotRequest{ID: id, Name: name, MemoryMax: limits.Memory, IOMax: uint64(limits.IO)}); err != nil {
		l.mu.Lock()
		delete(l.waiting, id)
		l.mu.Unlock()
		return nil, err
	}
	select {
	case a := <-ch:
		return a.slot, a.err
	case <-ctx.Done():
		l.mu.Lock()
		delete(l.waiting, id)
		l.mu.Unlock()
		select {
		case a := <-ch: // it came at the last moment
			return a.slot, a.err
		default:
		}
		return nil, fmt.Errorf("init gives no slot: %w", ctx.Err())
	}
}

// Kill ends a slot.
func (l *initLink) Kill(id uint32) error {
	if l.conn == nil {
		return errNoInit
	}
	return l.conn.Send(initproto.SlotKill{ID: id})
}

// Keep gives init files to hold over a restart of flight.
func (l *initLink) Keep(name string, files ...*os.File) error {
	if l.conn == nil {
		return errNoInit
	}
	return l.conn.Send(initproto.Keep{Name: name}, files...)
}

// Forget ends a Keep.
func (l *initLink) Forget(name string) error {
	if l.conn == nil {
		return errNoInit
	}
	return l.conn.Send(initproto.Forget{Name: name})
}

func (l *initLink) healthy() error {
	if l.conn == nil {
		return nil
	}
	return l.conn.Send(initproto.Health{})
}

// reboot asks init to restart the craft.
func (l *initLink) reboot(reason string) error {
	if l.conn == nil {
		return errNoInit
	}
	return l.conn.Send(initproto.Reboot{Reason: reason})
}

func (l *initLink) safeLeave() error {
	if l.conn == nil {
		return errNoInit
	}
	return l.conn.Send(initproto.SafeLeave{})
}

package tenant

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/tender/wire"
)

const (
	// consoleAnswer bounds what one console.read brings down, in octets.
	consoleAnswer = 8192
	// consoleKept is how much text a tender keeps, in octets.
	consoleKept = 64 << 10
	// recallWithin bounds how long a tender may take to answer.
	recallWithin = 2 * time.Second
)

// oldest is where the kept text begins when that of a running guest ends at end.
func oldest(end uint64) uint64 { return end - min(end, consoleKept) }

// Console sends the ground the console text of id from offset on: of a guest that
// runs, what its tender keeps; of one that is over, what that handed over. At least one
// report goes out, an empty one if there is no text.
func (m *Manager) Console(ctx context.Context, id ids.Guest, offset uint64) error {
	m.mu.Lock()
	g := m.guests[id]
	m.mu.Unlock()
	if g == nil {
		return refuse(pus.FailureUnknownName, "%v has not run since the craft started", id)
	}
	for sent := 0; sent < consoleAnswer; {
		r, err := m.recalled(ctx, g, offset)
		if err != nil {
			return err
		}
		if err := m.sendRecalled(g, r); err != nil {
			return refuse(pus.FailureFull, "console of %v: %v: ask again later", id, err)
		}
		sent += len(r.Data)
		if offset = r.Offset + uint64(len(r.Data)); len(r.Data) == 0 || offset >= r.End {
			return nil
		}
	}
	return nil
}

// sendRecalled sends r in as many packets as it takes, but at least one.
func (m *Manager) sendRecalled(g *guest, r wire.Recalled) error {
	for {
		part := r
		part.Data = r.Data[:min(len(r.Data), consoleText)]
		if err := m.report(g, true, part); err != nil {
			return err
		}
		r.Data = r.Data[len(part.Data):]
		r.Offset += uint64(len(part.Data))
		if len(r.Data) == 0 {
			return nil
		}
	}
}

// recalled gets a piece of g's text.
func (m *Manager) recalled(ctx context.Context, g *guest, offset uint64) (wire.Recalled, error) {
	m.mu.Lock()
	ctl := g.ctl
	if g.state != pus.GuestRunning {
		ctl = nil
	}
	m.mu.Unlock()
	if ctl == nil {
		return g.left.read(offset), nil
	}
	r, err := g.recall.ask(ctx, ctl, offset, g.done)
	if errors.Is(err, errOver) {
		return g.left.read(offset), nil
	}
	return r, err
}

// errOver says that the guest ended before its tender answered.
var errOver = errors.New("the guest is over")

// recall asks a tender for text, one question at a time.
type recall struct {
	asking *sync.Mutex
	answer chan wire.Recalled // holds one
}

func newRecall() recall { return recall{&sync.Mutex{}, make(chan wire.Recalled, 1)} }

func (r recall) ask(ctx context.Context, ctl *wire.Conn, offset uint64, over <-chan struct{}) (wire.Recalled, error) {
	r.asking.Lock()
	defer r.asking.Unlock()
	// One that is gone takes no question; then the guest is over, or soon will be.
	if err := ctl.TrySend(wire.Recall{Offset: offset}); errors.Is(err, os.ErrDeadlineExceeded) {
		return wire.Recalled{}, refuse(pus.FailureFull, "its tender takes no question: ask again later")
	}
	patience := time.After(recallWithin)
	for {
		select {
		case a := <-r.answer:
			// One that is late, to an earlier question, is passed over.
			if a.Offset == offset || a.Offset == a.Start && a.Start > offset || a.Offset == a.End && a.End < offset {
				return a, nil
			}
		case <-over:
			return wire.Recalled{}, errOver
		case <-ctx.Done():
			return wire.Recalled{}, ctx.Err()
		case <-patience:
			return wire.Recalled{}, refuse(pus.FailureFull, "its tender does not answer: ask again later")
		}
	}
}

// takeRecalled takes what the tender says of its text.
func (g *guest) takeRecalled(r wire.Recalled) {
	if r.Last {
		g.left.add(r)
		return
	}
	select {
	case g.recall.answer <- r:
	default: // nobody asked
	}
}

// kept is the text of a guest that is over. It has its own lock.
type kept struct {
	mu    sync.Mutex
	start uint64
	text  []byte
}

// add takes the next part, if it is the next and there is room for it.
func (k *kept) add(r wire.Recalled) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.text) == 0 {
		k.start = r.Offset
	}
	if r.Offset == k.start+uint64(len(k.text)) && len(k.text)+len(r.Data) <= consoleKept {
		k.text = append(k.text, r.Data...)
	}
}

// endAt is told how far the guest's text went. A tender that was killed has handed
// over nothing: then the text is gone, and only its length is known.
func (k *kept) endAt(end uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.text) == 0 {
		k.start = end
	}
}

func (k *kept) read(offset uint64) wire.Recalled {
	k.mu.Lock()
	defer k.mu.Unlock()
	end := k.start + uint64(len(k.text))
	from := min(max(offset, k.start), end)
	text := k.text[from-k.start:]
	return wire.Recalled{Start: k.start, Offset: from, End: end, Data: text[:min(len(text), wire.MaxConsole)]}
}

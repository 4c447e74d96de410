package files

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/internal/client"
)

// Transfers lists the transfers, oldest first.
func (f *Files) Transfers() []client.Transfer {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]client.Transfer, len(f.all))
	for i, t := range f.all {
		out[i] = *t
	}
	return out
}

// Wait waits until a transfer is over.
func (f *Files) Wait(ctx context.Context, id string) (client.Transfer, error) {
	f.mu.Lock()
	t, ok := f.byID[id]
	if !ok || t.State != client.TransferActive {
		defer f.mu.Unlock()
		if !ok {
			return client.Transfer{}, fmt.Errorf("transfer %s is not known", id)
		}
		return *t, nil
	}
	ch := make(chan client.Transfer, 1)
	f.waits[id] = append(f.waits[id], ch)
	f.mu.Unlock()
	select {
	case t := <-ch:
		return t, nil
	case <-ctx.Done():
		return client.Transfer{}, ctx.Err()
	}
}

// update brings our view of a transaction up to date.
func (f *Files) update(i cfdp.Info) *client.Transfer {
	id := i.ID.String()
	t, ok := f.byID[id]
	if !ok {
		t = &client.Transfer{ID: id, Up: i.Source, State: client.TransferActive, Started: f.now.UTC()}
		f.byID[id] = t
		f.all = append(f.all, t)
		f.forget()
	}
	switch {
	case t.Asks != "": // it has the name of what it asks for
	case i.DestName == "":
		t.Name = "(no file)"
	default:
		t.Name = i.DestName
	}
	t.Size, t.Done, t.NAKs, t.Retransmitted = i.Size, i.Done, i.NAKs, i.Retransmitted
	t.Class, t.Priority, t.Suspended = i.Class, int(i.Priority), i.Suspended
	t.Changed = f.now.UTC()
	return t
}

// forget drops the oldest transfer that is over when there are too many.
func (f *Files) forget() {
	if len(f.all) <= maxTransfers {
		return
	}
	for k, t := range f.all {
		if t.State != client.TransferActive {
			delete(f.byID, t.ID)
			f.all = append(f.all[:k], f.all[k+1:]...)
			return
		}
	}
}

func (f *Files) started(i cfdp.Info) { f.tell(client.KindFileStarted, f.update(i), nil) }

func (f *Files) progress(i cfdp.Info) { f.tell(client.KindFileProgress, f.update(i), nil) }

func (f *Files) nak(id cfdp.TransactionID, segments []cfdp.Segment) {
	t, ok := f.byID[id.String()]
	if !ok {
		return
	}
	t.NAKs++
	f.tell(client.KindFileNAK, t, map[string]any{"segments": len(segments)})
}

func (f *Files) finished(i cfdp.Info) {
	t := f.update(i)
	if !i.Source {
		f.answered(i)
	}
	if _, asked := f.asks[t.ID]; asked && t.Up && i.Condition == cfdp.NoError {
		f.asks[t.ID] = true
		f.tell(client.KindFileProgress, t, nil) // the answer is still to come
		return
	}
	f.settle(i, t)
}

// settle ends our view of a transaction.
func (f *Files) settle(i cfdp.Info, t *client.Transfer) {
	t.State, t.Condition = client.TransferFinished, i.Condition.String()
	if i.Condition != cfdp.NoError {
		t.State = client.TransferFailed
	}
	if t.Up && i.Condition == cfdp.FilestoreRejection {
		t.Refused = true
		if _, asked := f.asks[t.ID]; asked {
			t.Condition = "it is not there, or not to be read (" + t.Condition + ")"
		}
	}
	for _, r := range i.Responses {
		t.Answers = append(t.Answers, r.String())
		if r.Status != cfdp.RequestDone && t.State == client.TransferFinished {
			t.State, t.Condition, t.Refused = client.TransferFailed, r.String(), true
		}
	}
	switch {
	case t.Up && i.Name == "":
	case t.Up:
		if err := os.Remove(f.outboxPath(i.Name)); err != nil {
			f.cfg.Log.Warn("outbox", "err", err)
		}
	case t.State == client.TransferFinished && i.DestName != "" && !strings.HasPrefix(i.DestName, listings):
		if err := f.provenance(t); err != nil {
			f.cfg.Log.Error("received file without provenance", "name", t.Name, "err", err)
		}
	}
	f.tell(client.KindFileFinished, t, map[string]any{"condition": t.Condition, "sha256": t.SHA256, "path": t.Path})
	for _, ch := range f.waits[t.ID] {
		ch <- *t
	}
	delete(f.waits, t.ID)
	delete(f.asks, t.ID)
}

// tell records an event about a transfer.
func (f *Files) tell(kind string, t *client.Transfer, more map[string]any) {
	way := "down"
	if t.Up {
		way = "up"
	}
	fields := map[string]any{"direction": way, "name": t.Name, "size": t.Size, "done": t.Done, "naks": t.NAKs, "retransmitted": t.Retransmitted}
	for k, v := range more {
		fields[k] = v
	}
	e := client.Event{Kind: kind, File: t.ID, Text: fmt.Sprintf("%s %s %d/%d", way, t.Name, t.Done, t.Size), Fields: fields}
	if f.bit != 0 {
		e.Stream, e.Bit = client.StreamDown, f.bit
	}
	f.cfg.Event(e)
}

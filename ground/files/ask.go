package files

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/internal/client"
)

// inactivity is for how long nothing may come down before questions are given up; as
// transfers are, unless the timers say otherwise.
const inactivity = 30 * time.Minute

// listings is where listings of folders on board come down. They are read once and
// are no products.
const listings = "~listing/"

// actions are the changes of the file store on board.
var actions = map[string]cfdp.Action{
	"create": cfdp.ActionCreateFile, "delete": cfdp.ActionDeleteFile, "rename": cfdp.ActionRenameFile,
	"append": cfdp.ActionAppendFile, "replace": cfdp.ActionReplaceFile,
	"mkdir": cfdp.ActionCreateDirectory, "rmdir": cfdp.ActionRemoveDirectory,
}

// Ask begins a transfer without a file that asks the craft for something. It is over
// when the answer has come; what is asked for comes by a transfer of its own before.
func (f *Files) Ask(now time.Time, a client.Ask) (client.Transfer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = now
	p, name, err := f.question(a)
	var id cfdp.TransactionID
	if err == nil {
		id, err = f.entity.Put(now, p)
	}
	if err != nil {
		return client.Transfer{}, fmt.Errorf("ask for %s %s: %w", a.Kind, a.Name, err)
	}
	t := f.byID[id.String()]
	t.Asks, t.Name = a.Kind, name
	if a.Kind != client.AskChange {
		f.asks[t.ID] = false
	}
	return *t, nil
}

// giveUp ends the questions that are there and have no answer, when nothing has come down
// for the inactivity limit. It says when to look again, zero for never.
func (f *Files) giveUp() time.Time {
	open := false
	for _, there := range f.asks {
		open = open || there
	}
	if f.frozen || !open {
		return time.Time{}
	}
	if at := f.heard.Add(cmp.Or(f.cfg.Timers.Inactivity, inactivity)); f.now.Before(at) {
		return at
	}
	for id, there := range f.asks {
		if there {
			f.unanswered(id, cfdp.InactivityDetected)
		}
	}
	return time.Time{}
}

// unanswered ends a question that is there and whose answer nobody waits for any more.
func (f *Files) unanswered(id string, why cfdp.Condition) {
	f.settle(cfdp.Info{Source: true, Condition: why}, f.byID[id])
}

// question makes the request, and the name under which the answer comes.
func (f *Files) question(a client.Ask) (p cfdp.Put, name string, err error) {
	switch a.Kind {
	case client.AskGet:
		p, err = cfdp.Proxy(EntityCraft, cfdp.Put{Dest: EntityGround, Source: a.Name, DestName: a.Name, Class: a.Class})
		return p, a.Name, err
	case client.AskList:
		f.listed++
		name = fmt.Sprintf("%s%d-%d", listings, f.now.UnixNano(), f.listed)
		p, err = cfdp.Listing(EntityCraft, a.Name, name)
		return p, name, err
	case client.AskChange:
		p = cfdp.Put{Dest: EntityCraft}
		for _, c := range a.Changes {
			action, ok := actions[c.Action]
			if !ok {
				return p, "", fmt.Errorf("%w: change %q", fs.ErrInvalid, c.Action)
			}
			p.Requests = append(p.Requests, cfdp.FilestoreRequest{Action: action, First: c.First, Second: c.Second})
			name = c.First
		}
		if len(p.Requests) == 0 {
			return p, "", fmt.Errorf("%w: no changes", fs.ErrInvalid)
		}
		return p, name, nil
	}
	return p, "", fmt.Errorf("%w: kind %q", fs.ErrInvalid, a.Kind)
}

// answered ends the questions that a transaction from the craft answers.
func (f *Files) answered(i cfdp.Info) {
	var origin cfdp.TransactionID
	var condition *cfdp.Condition
	for _, v := range i.Messages {
		m, ok, err := cfdp.DecodeMessage(v)
		if !ok || err != nil {
			continue
		}
		switch m.Type {
		case cfdp.MessageOriginating:
			origin = m.ID
		case cfdp.MessageProxyPutResponse:
			condition = &m.Faulty
		case cfdp.MessageListingResponse:
			condition = &i.Condition
			if m.Flag && i.Condition == cfdp.NoError {
				condition = new(cfdp.Condition)
				*condition = cfdp.FilestoreRejection
			}
		}
	}
	t := f.byID[origin.String()]
	if t == nil {
		return
	}
	if _, asked := f.asks[t.ID]; condition == nil || !asked {
		return
	}
	f.settle(cfdp.Info{ID: origin, Source: true, Condition: *condition}, t)
}

// Control suspends, resumes or cancels a transfer, whichever way it goes.
func (f *Files) Control(now time.Time, id, verb string) (client.Transfer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = now
	t, ok := f.byID[id]
	if !ok {
		return client.Transfer{}, fmt.Errorf("transfer %s: %w, see 'perilune file list --transfers'", id, cfdp.ErrUnknown)
	}
	var tid cfdp.TransactionID
	if _, err := fmt.Sscanf(id, "%d-%d", &tid.Source, &tid.Sequence); err != nil {
		return client.Transfer{}, fmt.Errorf("transfer %s: %w", id, fs.ErrInvalid)
	}
	if verb == "cancel" && f.asks[id] {
		f.unanswered(id, cfdp.CancelReceived)
		return *t, nil
	}
	var err error
	switch verb {
	case "suspend":
		err = f.entity.Suspend(tid)
	case "resume":
		err = f.entity.Resume(tid)
	case "cancel":
		err = f.entity.Cancel(tid)
	default:
		err = fmt.Errorf("%w: %q, want suspend, resume or cancel", fs.ErrInvalid, verb)
	}
	if errors.Is(err, cfdp.ErrUnknown) {
		err = fmt.Errorf("it is over: %w", err)
	}
	if err != nil {
		return *t, fmt.Errorf("%s transfer %s: %w", verb, id, err)
	}
	for _, i := range f.entity.Transactions() {
		if i.ID == tid {
			f.update(i)
		}
	}
	return *t, nil
}

package cfdp

import (
	"errors"
	"slices"
)

// Lister is a Filestore that can tell what is in a directory.
type Lister interface {
	List(dir string) ([]byte, error)
}

// user carries out what the messages of a transaction that has arrived ask of
// this entity, where it is configured to serve its peers (727.0-B-5 §6). An
// answer is a transaction of its own, without a file or with a listing.
func (e *Entity) user(i Info) {
	if !e.cfg.Serve {
		return
	}
	var all []Message
	for _, v := range i.Messages {
		if m, ok, err := DecodeMessage(v); ok && err == nil {
			all = append(all, m)
		}
	}
	for _, m := range all {
		switch m.Type {
		case MessageProxyPut:
			e.proxy(i, m, all)
		case MessageProxyCancel:
			e.proxyCancel(all)
		case MessageListing:
			e.listing(i, m)
		case MessageReport, MessageSuspend, MessageResume:
			e.remote(i, m)
		}
	}
}

// answer sends a message back, with the id of the transaction that asked.
func (e *Entity) answer(to TransactionID, p Put, messages ...Message) {
	p.Dest, p.Served = to.Source, true
	for _, m := range append(messages, Message{Type: MessageOriginating, ID: to, EntityLength: idLength(to.Source, entityLength),
		SequenceLength: idLength(to.Sequence, sequenceLength)}) {
		if err := p.Message(m); err != nil {
			return // a name that is too long: who asked for it knows
		}
	}
	e.serve(p)
}

// serve sends what the other side asked for. It hears that a put has failed before it began.
func (e *Entity) serve(p Put) {
	err := e.begin(e.clock.last, p)
	switch {
	case err == nil:
	case p.Origin != nil:
		e.proxyDone(*p.Origin, closedTransaction{Condition: FilestoreRejection, Incomplete: true, Status: FileUnreported})
	default:
		e.failed(err)
	}
}

// idLength is the number of octets for an id that a wider peer gave.
func idLength(v uint64, usual uint8) uint8 {
	for usual < 8 && v>>(8*usual) != 0 {
		usual++
	}
	return usual
}

// proxy carries out a put that the other side asks for.
func (e *Entity) proxy(i Info, m Message, all []Message) {
	var bad error
	p := Put{Dest: m.Dest.Value, Source: m.First, DestName: m.Second, Class: i.Class, Served: true, Origin: &i.ID, Priority: e.cfg.ServePriority}
	for _, o := range all {
		switch o.Type {
		case MessageProxyMessage:
			p.Messages = append(p.Messages, o.Value)
		case MessageProxyRequest:
			f, err := DecodeFilestoreRequest(o.Value)
			p.Requests, bad = append(p.Requests, f), errors.Join(bad, err)
		case MessageProxyFault:
			p.Faults = append(p.Faults, FaultHandler{o.Faulty, o.Handler})
		case MessageProxyMode:
			p.Class = 2 - int(o.Mode)
		case MessageProxyClosure:
			p.Closure = o.Flag
		case MessageProxySegmentation:
			p.Records = o.Flag
		case MessageProxyFlowLabel:
			p.FlowLabel = o.Value
		}
	}
	err := errors.Join(bad, p.Message(Message{Type: MessageOriginating, ID: i.ID, EntityLength: idLength(i.ID.Source, entityLength),
		SequenceLength: idLength(i.ID.Sequence, sequenceLength)}))
	if err != nil {
		e.proxyDone(i.ID, closedTransaction{Condition: FilestoreRejection, Incomplete: true, Status: FileUnreported})
		return
	}
	e.serve(p)
}

// proxyDone tells who asked for a put how it ended (§6.2.5).
func (e *Entity) proxyDone(origin TransactionID, was closedTransaction) {
	all := []Message{{Type: MessageProxyPutResponse, Faulty: was.Condition, Incomplete: was.Incomplete, File: was.Status}}
	for _, t := range was.Responses {
		all = append(all, Message{Type: MessageProxyResponse, Value: t.Value})
	}
	e.answer(origin, Put{}, all...)
}

func (e *Entity) proxyCancel(all []Message) {
	for _, m := range all {
		if m.Type != MessageOriginating {
			continue
		}
		n := len(e.waiting)
		e.waiting = slices.DeleteFunc(e.waiting, func(p Put) bool { return p.Origin != nil && *p.Origin == m.ID })
		if len(e.waiting) < n {
			e.proxyDone(m.ID, closedTransaction{Condition: CancelReceived, Incomplete: true, Status: FileUnreported})
		}
		for _, t := range e.order {
			if s, ok := t.(*sender); ok && s.put.Origin != nil && *s.put.Origin == m.ID {
				s.cancel()
			}
		}
	}
}

// listing answers with the listing as a file, or that there is none.
func (e *Entity) listing(i Info, m Message) {
	response := Message{Type: MessageListingResponse, First: m.First, Second: m.Second, Flag: true}
	var p Put
	if store, ok := e.cfg.Store.(Lister); ok {
		if text, err := store.List(m.First); err == nil {
			response.Flag = false
			p = Put{Content: text, DestName: m.Second, Priority: e.cfg.ServePriority}
		}
	}
	e.answer(i.ID, p, response)
}

// remote reports on, suspends or resumes a transaction for the other side. Only
// that of which it is a party: it has no say in others.
func (e *Entity) remote(i Info, m Message) {
	t, ok := e.all[m.ID]
	ok = ok && t.state().Peer == i.Peer
	out := Message{Type: m.Type + 1, ID: m.ID, EntityLength: m.EntityLength, SequenceLength: m.SequenceLength, Status: StatusUnrecognized}
	if _, known := e.closed.get(m.ID); known {
		out.Status = StatusTerminated
	}
	if ok {
		out.Status = StatusActive
		if m.Type != MessageReport {
			e.suspend(t, m.Type == MessageSuspend)
			out.Flag = t.state().Suspended
		}
	}
	var p Put
	if m.Type == MessageReport {
		if out.Flag = !ok; ok {
			p = Put{Content: t.state().report(), DestName: m.First, Priority: e.cfg.ServePriority}
		}
	}
	e.answer(i.ID, p, out)
}

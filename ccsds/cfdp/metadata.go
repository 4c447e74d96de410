package cfdp

import "fmt"

// fields makes the optional fields of a request's metadata.
func (p *Put) fields() ([]TLV, error) {
	var all []TLV
	for _, f := range p.Requests {
		t, err := f.TLV()
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	for _, m := range p.Messages {
		all = append(all, TLV{TLVMessageToUser, m})
	}
	for _, f := range p.Faults {
		t, err := f.TLV()
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	if len(p.FlowLabel) > 0 {
		all = append(all, TLV{TLVFlowLabel, p.FlowLabel})
	}
	return all, nil
}

// Message adds a reserved message to the request.
func (p *Put) Message(m Message) error {
	v, err := m.Append(nil)
	if err != nil {
		return err
	}
	p.Messages = append(p.Messages, v)
	return nil
}

// Proxy asks the entity `to` to carry out p, a put of its own: the metadata of a
// transaction without a file, which Put takes (727.0-B-5 §6.2).
func Proxy(to uint64, p Put) (Put, error) {
	out := Put{Dest: to}
	add := func(m Message) error { return out.Message(m) }
	err := add(Message{Type: MessageProxyPut, Dest: EntityID{p.Dest, entityLength}, First: p.Source, Second: p.DestName})
	for _, m := range p.Messages {
		if err == nil {
			err = add(Message{Type: MessageProxyMessage, Value: m})
		}
	}
	for _, f := range p.Requests {
		t, e := f.TLV()
		if err == nil {
			err = e
		}
		if err == nil {
			err = add(Message{Type: MessageProxyRequest, Value: t.Value})
		}
	}
	for _, f := range p.Faults {
		if err == nil {
			err = add(Message{Type: MessageProxyFault, Faulty: f.Condition, Handler: f.Handler})
		}
	}
	if err == nil && p.Class == 1 {
		err = add(Message{Type: MessageProxyMode, Mode: Unacknowledged})
	}
	if err == nil && p.Closure {
		err = add(Message{Type: MessageProxyClosure, Flag: true})
	}
	if err == nil && p.Records {
		err = add(Message{Type: MessageProxySegmentation, Flag: true})
	}
	if err == nil && len(p.FlowLabel) > 0 {
		err = add(Message{Type: MessageProxyFlowLabel, Value: p.FlowLabel})
	}
	if err != nil {
		return Put{}, fmt.Errorf("proxy put of %s: %w", p.Source, err)
	}
	return out, nil
}

// Listing asks the entity `to` for a listing of a directory of its store, which
// comes as the file name (727.0-B-5 §6.3).
func Listing(to uint64, dir, name string) (Put, error) {
	out := Put{Dest: to}
	err := out.Message(Message{Type: MessageListing, First: dir, Second: name})
	return out, err
}

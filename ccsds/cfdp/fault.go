package cfdp

import "fmt"

// Handler is what an entity does about a fault, 727.0-B-5 table 5-19.
type Handler uint8

// Fault handlers.
const (
	HandlerCancel  Handler = 1 // end the transaction and tell the other side
	HandlerSuspend Handler = 2
	HandlerIgnore  Handler = 3
	HandlerAbandon Handler = 4 // end it and tell nobody
)

// FaultHandler sets the handler of a condition.
type FaultHandler struct {
	Condition Condition
	Handler   Handler
}

// recoverable are the conditions that leave a transaction able to go on, so
// that a handler other than cancellation or abandonment has a meaning. A file
// that is too large, a store that refuses, a checksum that cannot be computed
// end it whatever the other side wishes.
func (c Condition) recoverable() bool {
	switch c {
	case AckLimitReached, KeepAliveLimit, ChecksumFailure, NAKLimitReached, InactivityDetected, CheckLimitReached:
		return true
	}
	return false
}

// handler finds the handler of a condition: the override in the metadata, what
// the entity is configured to, or cancellation (§4.8).
func (e *Entity) handler(c Condition, overrides []TLV) Handler {
	h := e.cfg.Faults[c]
	for _, t := range overrides {
		if t.Type == TLVFaultHandler && len(t.Value) == 1 && Condition(t.Value[0]>>4) == c {
			h = Handler(t.Value[0] & 0x0F)
		}
	}
	switch {
	case h == HandlerAbandon, (h == HandlerSuspend || h == HandlerIgnore) && c.recoverable():
		return h
	}
	return HandlerCancel
}

// TLV makes the field that overrides a handler in the metadata, §5.4.4.
func (f FaultHandler) TLV() (TLV, error) {
	if f.Handler < HandlerCancel || f.Handler > HandlerAbandon || f.Condition == NoError || f.Condition > CancelReceived {
		return TLV{}, fmt.Errorf("fault handler %d of %v", f.Handler, f.Condition)
	}
	return TLV{TLVFaultHandler, []byte{byte(f.Condition)<<4 | byte(f.Handler)}}, nil
}

// tolerate applies the handlers that let the transaction live. It says whether
// one did.
func (e *Entity) tolerate(t transaction, c Condition, overrides []TLV) bool {
	h := e.handler(c, overrides)
	if h != HandlerSuspend && h != HandlerIgnore {
		return false
	}
	i := *t.state()
	i.Condition = c
	e.queue(e.ev.Fault, i)
	if h == HandlerSuspend {
		e.suspend(t, true)
	}
	return true
}

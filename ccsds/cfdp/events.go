package cfdp

// Put is a request to send a file.
type Put struct {
	Dest     uint64 // entity
	Source   string // name in our store
	DestName string // name in theirs
	Class    int    // 1 or 2; 0 stands for 2
	Checksum ChecksumType
	Closure  bool     // class 1: ask for a Finished PDU
	Messages [][]byte // to the user there, each up to 255 octets
}

// Info tells of a transaction.
type Info struct {
	ID            TransactionID
	Source        bool   // we send
	Peer          uint64 // the other entity
	Class         int
	Name          string // at the sender
	DestName      string // at the receiver
	Size          uint64 // octets; 0 while not known
	Done          uint64 // octets sent and not asked for again, or received
	NAKs          int    // NAK PDUs received by the sender, sent by the receiver
	Retransmitted int    // File Data PDUs sent again
	Suspended     bool
	Condition     Condition // why it ended
	Checksum      uint32    // of the file, once known
	Messages      [][]byte  // to the user, received
}

// Events are called from within the methods of Entity, when the entity is in
// order again: a callback may call the entity. Any of them may be nil.
type Events struct {
	Started  func(Info)
	Progress func(Info) // at most about a hundred times a file
	Finished func(Info) // received: the file is there if Condition is NoError
	NAK      func(id TransactionID, segments []Segment)
}

// Events wait in a queue: callbacks run when a method is about to return.

func (e *Entity) started(i Info)  { e.queue(e.ev.Started, i) }
func (e *Entity) progress(i Info) { e.queue(e.ev.Progress, i) }
func (e *Entity) finished(i Info) { e.queue(e.ev.Finished, i) }

func (e *Entity) queue(f func(Info), i Info) {
	if f != nil {
		e.events = append(e.events, func() { f(i) })
	}
}

func (e *Entity) flush() {
	for len(e.events) > 0 {
		f := e.events[0]
		e.events = e.events[1:]
		f()
	}
}

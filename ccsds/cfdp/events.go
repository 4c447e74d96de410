package cfdp

import "fmt"

// Put is a request to send a file.
type Put struct {
	Dest      uint64 // entity
	Source    string // name in our store; "" with no Content: a transaction without a file
	DestName  string // name in theirs
	Class     int    // 1 or 2; 0 stands for 2
	Priority  uint8  // file data of a higher one goes first
	Checksum  ChecksumType
	Closure   bool               // class 1: ask for a Finished PDU
	Unbounded bool               // the size is not known before the end of the file is reached
	Records   bool               // keep record boundaries; the store's Reader must be a RecordReader
	Messages  [][]byte           // to the user there, each up to 255 octets
	Requests  []FilestoreRequest // to carry out there when the file has arrived
	Faults    []FaultHandler     // to use there
	FlowLabel []byte
	Content   []byte         `json:",omitempty"` // sent in place of a file of our store
	Served    bool           `json:",omitempty"` // the other side asked for it, by messages to the user
	Origin    *TransactionID `json:",omitempty"` // the proxy put that asked for it
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
	Priority      uint8
	Served        bool // sent because the other side asked for it
	Suspended     bool
	Condition     Condition           // why it ended
	Checksum      uint32              // of the file, once known
	Messages      [][]byte            // to the user, received
	Responses     []FilestoreResponse // what became of the filestore requests
	Incomplete    bool                // not all of the file was delivered
	Status        FileStatus          // what became of the file, once known
	Reported      uint64              // octets there, as the receiver's last Keep Alive said
}

// report is the text that answers a request for the status of a transaction.
func (i Info) report() []byte {
	return fmt.Appendf(nil, "transaction %v\nname %q\nsize %d\ndone %d\nnaks %d\nsuspended %t\ncondition %v\n",
		i.ID, i.DestName, i.Size, i.Done, i.NAKs, i.Suspended, i.Condition)
}

// Events are called from within the methods of Entity, when the entity is in
// order again: a callback may call the entity. Any of them may be nil.
type Events struct {
	Started  func(Info)
	Progress func(Info) // at most about a hundred times a file
	Finished func(Info) // received: the file is there if Condition is NoError
	Fault    func(Info) // that was ignored or suspended the transaction; Condition says which
	NAK      func(id TransactionID, segments []Segment)
	// Segment tells of file data that came with segment metadata, whose Data it
	// leaves out.
	Segment func(id TransactionID, part Segment, d FileData)
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

package cfdp

// maxClosed is how many transactions that are over are remembered, so that
// late PDUs do not begin them anew.
const maxClosed = 512

// closedTransaction is what is left of a transaction.
type closedTransaction struct {
	Condition  Condition
	Incomplete bool
	Status     FileStatus
	Responses  []TLV `json:",omitempty"` // filestore responses
}

func (c closedTransaction) finished(local uint64) *Finished {
	return &Finished{Condition: c.Condition, Incomplete: c.Incomplete, Status: c.Status, TLVs: c.Responses,
		Fault: EntityID{local, entityLength}}
}

type closedSet struct {
	m     map[TransactionID]closedTransaction
	order []TransactionID
}

func newClosedSet() closedSet { return closedSet{m: map[TransactionID]closedTransaction{}} }

func (s *closedSet) get(id TransactionID) (closedTransaction, bool) {
	c, ok := s.m[id]
	return c, ok
}

func (s *closedSet) add(id TransactionID, c closedTransaction) {
	if _, ok := s.m[id]; !ok {
		if len(s.order) == maxClosed {
			delete(s.m, s.order[0])
			s.order = s.order[1:]
		}
		s.order = append(s.order, id)
	}
	s.m[id] = c
}

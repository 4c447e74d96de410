package cfdp

import "hash/fnv"

// maxClosed is how many transactions that are over are remembered, so that
// late PDUs do not begin them anew.
const maxClosed = 512

// closedTransaction is what is left of a transaction.
type closedTransaction struct {
	Condition  Condition
	Incomplete bool
	Status     FileStatus
	Responses  []TLV `json:",omitempty"` // filestore responses
	File       identity
}

// identity tells one file from another that comes under the same transaction number: from
// a sender that has lost its records and begins to count anew.
type identity struct {
	Meta     uint64 // hash of the Metadata PDU; 0: it was not received
	EOF      bool   // EOF was received, and said:
	Size     uint64
	Checksum uint32
}

func identify(m *Metadata, eof *EOF) identity {
	i := identity{Meta: hashOf(m)}
	if eof != nil {
		i.EOF, i.Size, i.Checksum = true, eof.FileSize, eof.Checksum
	}
	return i
}

func hashOf(m *Metadata) uint64 {
	if m == nil {
		return 0
	}
	h := fnv.New64a()
	b, err := Append(nil, Header{LargeFile: true, EntityLength: 1, SequenceLength: 1}, m)
	if err != nil {
		return 0 // cannot be: it came from a PDU
	}
	_, _ = h.Write(b) // a hash takes everything
	return h.Sum64()
}

// other says whether body cannot be of the transaction that had this file.
func (i identity) other(body Body) bool {
	switch b := body.(type) {
	case *Metadata:
		return i.Meta != 0 && hashOf(b) != i.Meta
	case *EOF:
		return i.EOF && b.Condition == NoError && (b.FileSize != i.Size || b.Checksum != i.Checksum)
	}
	return false
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

package sdls

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/perilune/perilune/ccsds"
)

// State is where an association is in its life (CCSDS 355.1-B-1 §3.3).
type State uint8

// The states of an association.
const (
	Unkeyed     State = 0
	Keyed       State = 1 // has a key, protects nothing yet
	Operational State = 2
)

func (s State) String() string {
	switch s {
	case Unkeyed:
		return "unkeyed"
	case Keyed:
		return "keyed"
	case Operational:
		return "operational"
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// Record is an association under management. The key of its SA is not looked at: KeyID
// names one of the Keyring.
type Record struct {
	SA    SA
	KeyID uint16
	State State
	Last  byte   // tag of the last procedure on it
	ARSN  uint64 // where its anti-replay numbers go on when it starts
	// Sends says that this side protects frames by it. Of several that are operational on a
	// channel the one with the highest Order is used: that which was started last.
	Sends   bool
	Order   uint64
	Created bool // over the link
}

// Sending is who protects the frames that this side sends, as a Manager sees it.
type Sending interface {
	// Put makes an association the one that protects its channels from the next frame on.
	Put(SA) error
	// Remove forgets one. The one that was in use before it protects its channels again.
	Remove(spi uint16)
	Number(spi uint16) uint64         // the last number that was given
	Raise(spi uint16, n uint64) error // numbers go on above n, durably
}

// Config is what a Manager owns and keeps in step.
type Config struct {
	Keys     *Keyring
	Records  []Record
	Receiver *Receiver
	Sender   Sending               // nil: no record Sends
	Sends    func(spi uint16) bool // which associations that are created protect what is sent; nil: none
	FSR      *FSR                  // may be nil
	Log      *Log                  // may be nil
	// Nonce gives vectors for proofs, each only once ever.
	Nonce func() ([ivLength]byte, error)
}

// Manager is the recipient of extended procedures: it owns keys and associations and keeps
// a Receiver, and who sends, in step. What a command changed must be made durable, from
// Keyring and Records, before its reply is sent.
type Manager struct {
	c     Config
	keys  *Keyring
	sas   map[uint16]*Record
	recv  *Receiver
	order uint64 // of the association that was started last
}

// NewManager returns a Manager. The operational associations are put in use.
func NewManager(c Config) (*Manager, error) {
	m := &Manager{c: c, keys: c.Keys, sas: make(map[uint16]*Record, len(c.Records)), recv: c.Receiver}
	records := slices.Clone(c.Records)
	slices.SortStableFunc(records, func(a, b Record) int { return cmp.Compare(a.Order, b.Order) })
	for _, r := range records {
		spi := r.SA.SPI
		if m.sas[spi] != nil || r.State > Operational || r.Sends && c.Sender == nil {
			return nil, fmt.Errorf("%w: SPI %d twice, in %s, or there is nobody who sends", ErrBadSA, spi, r.State)
		}
		m.sas[spi], m.order = &r, max(m.order, r.Order)
		if r.State != Operational {
			continue
		}
		if err := m.put(&r); err != nil {
			return nil, fmt.Errorf("manage association %d: %w", spi, err)
		}
		if !r.Sends {
			m.recv.SetFloor(spi, r.ARSN)
		}
	}
	return m, nil
}

// Records returns all associations, by rising SPI, with the anti-replay numbers of now.
func (m *Manager) Records() []Record {
	var out []Record
	for _, spi := range slices.Sorted(maps.Keys(m.sas)) {
		r := *m.sas[spi]
		r.ARSN = m.number(&r)
		r.SA.Key = [32]byte{}
		out = append(out, r)
	}
	return out
}

// Started is the number of the procedure that started an association, of all that started one, 0 if none
// did, and whether it is operational.
func (m *Manager) Started(spi uint16) (n uint64, operational bool) {
	r := m.sas[spi]
	if r == nil {
		return 0, false
	}
	return r.Order, r.State == Operational
}

// put makes an association known to the receiver, or to who sends, with the key that it names.
func (m *Manager) put(r *Record) error {
	key, err := m.keys.active(r.KeyID)
	if err != nil {
		return err
	}
	sa := r.SA
	sa.Key = key
	if !r.Sends {
		return m.recv.Put(sa)
	}
	if err := m.c.Sender.Raise(sa.SPI, r.ARSN); err != nil {
		return err
	}
	return m.c.Sender.Put(sa)
}

// Handle carries out one command that came under association control, 0 for none, and
// returns the reply, nil if the procedure has none. On error nothing has changed.
func (m *Manager) Handle(control uint16, command []byte) (reply []byte, err error) {
	p, err := ParsePDU(command)
	if err != nil {
		return nil, err
	}
	if p.Reply || p.User {
		return nil, ccsds.Errorf("sdls procedure", 0, ccsds.ErrReserved, "tag %02x is no command", p.Tag())
	}
	var data []byte
	var answers bool
	switch p.Procedure.Group {
	case KeyManagement:
		data, answers, err = m.key(p)
	case AssociationManagement:
		data, answers, err = m.association(control, p)
	default:
		data, answers, err = m.monitor(p)
	}
	m.note(p, answers, err)
	if err != nil {
		return nil, fmt.Errorf("procedure %d.%d: %w", p.Procedure.Group, p.Procedure.ID, err)
	}
	if !answers {
		return nil, nil
	}
	return PDU{Reply: true, Procedure: p.Procedure, Data: data}.Append(nil)
}

// note logs a procedure that was refused or has changed something: those that only ask answer.
func (m *Manager) note(p PDU, answers bool, err error) {
	if m.c.Log != nil && (err != nil || !answers) {
		m.c.Log.Procedure(p, err)
	}
}

func unknown(p PDU) error {
	return ccsds.Errorf("sdls procedure", 0, ccsds.ErrReserved, "tag %02x is not known here", p.Tag())
}

// key carries out a procedure on keys.
func (m *Manager) key(p PDU) (reply []byte, answers bool, err error) {
	switch p.Procedure {
	case OTAR:
		blocks, err := m.keys.openOTAR(p.Data)
		if err == nil {
			err = m.keys.install(blocks)
		}
		return nil, false, err
	case KeyVerify:
		reply, err = m.keys.prove(p.Data, m.c.Nonce)
		return reply, true, err
	case KeyInventory:
		reply, err = m.inventory(p.Data)
		return reply, true, err
	}
	if len(p.Data) == 0 || len(p.Data)%2 != 0 {
		return nil, false, ccsds.Errorf("sdls procedure", pduHeaderLength, ccsds.ErrLength, "%d octets are no whole number of key identifiers", len(p.Data))
	}
	var ids []uint16
	for b := p.Data; len(b) > 0; b = b[2:] {
		ids = append(ids, binary.BigEndian.Uint16(b))
	}
	switch p.Procedure {
	case KeyActivate:
		return nil, false, m.keys.move(ids, PreActive, Active)
	case KeyDeactivate:
		for spi, r := range m.sas {
			if r.State == Operational && slices.Contains(ids, r.KeyID) {
				return nil, false, fmt.Errorf("key %d of association %d: %w", r.KeyID, spi, ErrInUse)
			}
		}
		return nil, false, m.keys.move(ids, Active, Deactivated)
	case KeyDestroy:
		return nil, false, m.keys.destroy(ids)
	}
	return nil, false, unknown(p)
}

// inventory tells the states of the session keys in a range: a count, and for each key its
// number and state (§5.4.7).
func (m *Manager) inventory(data []byte) ([]byte, error) {
	if len(data) != 4 {
		return nil, ccsds.Errorf("sdls procedure", pduHeaderLength, ccsds.ErrLength, "range of %d octets, want 4", len(data))
	}
	first, last := binary.BigEndian.Uint16(data), binary.BigEndian.Uint16(data[2:])
	reply, n := make([]byte, 2), uint16(0)
	for _, k := range m.keys.Keys() {
		if k.ID >= first && k.ID <= last && !k.Master {
			reply = append(binary.BigEndian.AppendUint16(reply, k.ID), byte(k.State))
			n++
		}
	}
	binary.BigEndian.PutUint16(reply, n)
	return reply, nil
}

package sdls

import (
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
}

// Manager is the recipient of extended procedures: it owns keys and associations and keeps
// a Receiver in step. What a command changed must be made durable, from Keyring and
// Records, before its reply is sent.
type Manager struct {
	keys  *Keyring
	sas   map[uint16]*Record
	recv  *Receiver
	fsr   *FSR
	nonce func() ([ivLength]byte, error)
}

// NewManager returns a Manager for these keys and associations, of which the operational
// ones are put into recv. nonce gives vectors for proofs, each only once ever; fsr may be
// nil.
func NewManager(keys *Keyring, records []Record, recv *Receiver, fsr *FSR, nonce func() ([ivLength]byte, error)) (*Manager, error) {
	m := &Manager{keys: keys, sas: make(map[uint16]*Record, len(records)), recv: recv, fsr: fsr, nonce: nonce}
	for _, r := range records {
		spi := r.SA.SPI
		if m.sas[spi] != nil || r.State > Operational {
			return nil, fmt.Errorf("%w: SPI %d twice, or in %s", ErrBadSA, spi, r.State)
		}
		m.sas[spi] = &r
		if r.State == Operational {
			if err := m.put(&r); err != nil {
				return nil, fmt.Errorf("manage association %d: %w", spi, err)
			}
			recv.SetFloor(spi, r.ARSN)
		}
	}
	return m, nil
}

// Records returns all associations, by rising SPI, with the anti-replay numbers of now.
func (m *Manager) Records() []Record {
	var out []Record
	for _, spi := range slices.Sorted(maps.Keys(m.sas)) {
		r := *m.sas[spi]
		if r.State == Operational {
			r.ARSN = m.recv.Floor(spi)
		}
		r.SA.Key = [32]byte{}
		out = append(out, r)
	}
	return out
}

// put makes an association known to the receiver, with the key that it names.
func (m *Manager) put(r *Record) error {
	key, err := m.keys.active(r.KeyID)
	if err != nil {
		return err
	}
	sa := r.SA
	sa.Key = key
	return m.recv.Put(sa)
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
		answers = p.Procedure == Ping
		switch {
		case len(p.Data) != 0:
			err = ccsds.Errorf("sdls procedure", pduHeaderLength, ccsds.ErrLength, "%d octets too many", len(p.Data))
		case p.Procedure == ResetAlarmFlag && m.fsr != nil:
			m.fsr.Alarm = false
		case p.Procedure != Ping:
			err = unknown(p)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("procedure %d.%d: %w", p.Procedure.Group, p.Procedure.ID, err)
	}
	if !answers {
		return nil, nil
	}
	return PDU{Reply: true, Procedure: p.Procedure, Data: data}.Append(nil)
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
		reply, err = m.keys.prove(p.Data, m.nonce)
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

package sdls

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Why a procedure on keys or associations is refused.
var (
	ErrNoKey  = errors.New("sdls: no such key")
	ErrState  = errors.New("sdls: not in this state")
	ErrInUse  = errors.New("sdls: key or association is in use")
	ErrMaster = errors.New("sdls: master keys are not managed over the link")
)

// KeyState is where a key is in its life (CCSDS 355.1-B-1 §3.2). A destroyed key is gone.
type KeyState uint8

// The states of a key.
const (
	PreActive   KeyState = 0 // there, not to be used yet
	Active      KeyState = 1
	Deactivated KeyState = 2 // not to be used any more
)

func (s KeyState) String() string {
	switch s {
	case PreActive:
		return "pre-active"
	case Active:
		return "active"
	case Deactivated:
		return "deactivated"
	}
	return fmt.Sprintf("key state %d", uint8(s))
}

// Key is a key and what may be done with it.
type Key struct {
	ID     uint16
	Value  [32]byte
	State  KeyState
	Master bool // protects other keys on their way, never frames
	// High is the highest anti-replay number that a stopped association had taken under
	// the key. No association goes on with it below that: old frames would pass again.
	High uint64
}

// MaxKeys bounds a Keyring.
const MaxKeys = 256

// Keyring holds the keys of one side.
type Keyring struct{ keys map[uint16]Key }

// NewKeyring returns a Keyring with these keys.
func NewKeyring(keys ...Key) (*Keyring, error) {
	k := &Keyring{keys: make(map[uint16]Key, len(keys))}
	for _, key := range keys {
		if _, twice := k.keys[key.ID]; twice {
			return nil, fmt.Errorf("sdls: key %d twice", key.ID)
		}
		if key.State > Deactivated || len(k.keys) == MaxKeys {
			return nil, fmt.Errorf("sdls: key %d: %s, or too many keys", key.ID, key.State)
		}
		k.keys[key.ID] = key
	}
	return k, nil
}

// Keys returns all keys, by rising number.
func (k *Keyring) Keys() []Key {
	return slices.SortedFunc(maps.Values(k.keys), func(a, b Key) int { return int(a.ID) - int(b.ID) })
}

// session returns a key that is not a master key.
func (k *Keyring) session(id uint16) (Key, error) {
	key, ok := k.keys[id]
	switch {
	case !ok:
		return Key{}, fmt.Errorf("key %d: %w", id, ErrNoKey)
	case key.Master:
		return Key{}, fmt.Errorf("key %d: %w", id, ErrMaster)
	}
	return key, nil
}

// active returns the value of a session key that may be used now.
func (k *Keyring) active(id uint16) ([32]byte, error) {
	key, err := k.session(id)
	if err == nil && key.State != Active {
		err = fmt.Errorf("key %d is %s: %w", id, key.State, ErrState)
	}
	return key.Value, err
}

// used notes that numbers up to n have been taken under a key.
func (k *Keyring) used(id uint16, n uint64) {
	if key, ok := k.keys[id]; ok {
		key.High = max(key.High, n)
		k.keys[id] = key
	}
}

// move takes all ids from one state to the next, or none of them.
func (k *Keyring) move(ids []uint16, from, to KeyState) error {
	for _, id := range ids {
		key, err := k.session(id)
		if err != nil {
			return err
		}
		if key.State != from {
			return fmt.Errorf("key %d is %s: %w", id, key.State, ErrState)
		}
	}
	for _, id := range ids {
		key := k.keys[id]
		key.State = to
		k.keys[id] = key
	}
	return nil
}

// destroy forgets all ids, or none of them. Active keys are not destroyed (§6.2.6).
func (k *Keyring) destroy(ids []uint16) error {
	for _, id := range ids {
		key, err := k.session(id)
		if err != nil {
			return err
		}
		if key.State == Active {
			return fmt.Errorf("key %d is %s: %w", id, key.State, ErrState)
		}
	}
	for _, id := range ids {
		delete(k.keys, id)
	}
	return nil
}

// install puts new keys in, pre-active, or none of them. An old key of the same number
// must not be active.
func (k *Keyring) install(blocks []KeyBlock) error {
	fresh := 0
	for i, b := range blocks {
		old, there := k.keys[b.ID]
		switch {
		case there && old.Master:
			return fmt.Errorf("key %d: %w", b.ID, ErrMaster)
		case there && old.State == Active:
			return fmt.Errorf("key %d is %s: %w", b.ID, old.State, ErrState)
		case b.Value == [32]byte{} || slices.ContainsFunc(blocks[:i], func(c KeyBlock) bool { return c.ID == b.ID }):
			return fmt.Errorf("key %d: all zeros, or there twice: %w", b.ID, ErrState)
		case !there:
			fresh++
		}
	}
	if len(k.keys)+fresh > MaxKeys {
		return fmt.Errorf("sdls: more than %d keys: %w", MaxKeys, ErrState)
	}
	for _, b := range blocks {
		k.keys[b.ID] = Key{ID: b.ID, Value: b.Value, State: PreActive}
	}
	return nil
}

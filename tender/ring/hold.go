package ring

import (
	"encoding/binary"
	"fmt"
)

// Hold waits until Serve has done what it found and keeps it from taking more
// until Release.
func (r *Ring) Hold() { r.held.Lock() }

// Release lets Serve go on.
func (r *Ring) Release() { r.held.Unlock() }

// Retire ends Serve, while the ring is held, with what the guest has left in it: that
// belongs to whoever goes on from State.
func (r *Ring) Retire() {
	r.retired = true
	r.over.Store(true)
	r.Kick()
}

// State is what the host knows beyond the ring's memory, while it is held:
// indices of the next entry and commit.
func (r *Ring) State() []byte {
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, r.head), r.commits)
}

// SetState makes a ring that has not served yet go on from a State.
func (r *Ring) SetState(b []byte) error {
	if len(b) != 8 {
		return fmt.Errorf("ring state of %d octets does not fit", len(b))
	}
	r.head, r.commits = binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
	return nil
}

package sdls

import (
	"crypto/rand"
	"encoding/binary"
	"time"
)

// FirstNumber is where the anti-replay numbers of an association begin when it is not known
// which were used: by chance within what the second of now stands for, which is more than
// can be used in a second. It is above all numbers of earlier, as long as the clock is
// right; if it is not, two beginnings in one second are 2^32 numbers apart at most, and
// only chance keeps them from the same initialisation vectors.
func FirstNumber(now time.Time) uint64 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return uint64(max(now.Unix(), 0))<<32 | uint64(binary.BigEndian.Uint32(b[:]))
}

package pus

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Structure identifiers of TM[3,25].
const (
	SIDFlight uint16 = 1 // Housekeeping
	SIDGuests uint16 = 2 // GuestTable
)

// EncodeReport returns the message of TM[3,25]: the structure id and its
// parameters (ECSS-E-ST-70-41C §8.3.2.25).
func EncodeReport(sid uint16, parameters []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, sid), parameters...)
}

// DecodeReport splits the message of TM[3,25].
func DecodeReport(data []byte) (sid uint16, parameters []byte, err error) {
	r := newReader("TM[3,25]", data)
	sid, parameters = r.u16(), r.rest()
	return sid, parameters, r.end()
}

// Modes of Housekeeping.Mode.
const (
	ModeNormal uint8 = 0
	ModeSafe   uint8 = 1
)

// Housekeeping is structure SIDFlight, 32 octets in the order of the fields.
type Housekeeping struct {
	UptimeS         uint32 // seconds since the flight program started
	Quality         uint8  // of on-board time: 0 free, 1 set, 2 disciplined
	Mode            uint8  // ModeNormal or ModeSafe
	Boots           uint32
	FlightRestarts  uint16
	FramesUp        uint32 // uplink frames taken
	RefusedUp       uint32 // uplink frames refused
	SDLSFloor       uint64 // highest anti-replay number accepted
	ScheduleEnabled uint8
	Pending         uint16 // scheduled activities waiting
	Guests          uint8  // guests running
}

// Encode returns the parameters of the structure, without its id.
func (h Housekeeping) Encode() []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 32), h.UptimeS)
	b = append(b, h.Quality, h.Mode)
	b = binary.BigEndian.AppendUint32(b, h.Boots)
	b = binary.BigEndian.AppendUint16(b, h.FlightRestarts)
	b = binary.BigEndian.AppendUint32(b, h.FramesUp)
	b = binary.BigEndian.AppendUint32(b, h.RefusedUp)
	b = binary.BigEndian.AppendUint64(b, h.SDLSFloor)
	b = append(b, h.ScheduleEnabled)
	b = binary.BigEndian.AppendUint16(b, h.Pending)
	return append(b, h.Guests)
}

// DecodeHousekeeping reads the parameters of structure SIDFlight. Parameters
// after the known ones come from a newer craft and are ignored.
func DecodeHousekeeping(data []byte) (Housekeeping, error) {
	r := newReader("housekeeping", data)
	h := Housekeeping{
		UptimeS: r.u32(), Quality: r.u8(), Mode: r.u8(), Boots: r.u32(), FlightRestarts: r.u16(),
		FramesUp: r.u32(), RefusedUp: r.u32(), SDLSFloor: r.u64(),
		ScheduleEnabled: r.u8(), Pending: r.u16(), Guests: r.u8(),
	}
	return h, r.err
}

// States of a guest.
const (
	GuestStopped  uint8 = 0
	GuestStarting uint8 = 1
	GuestRunning  uint8 = 2
	GuestExited   uint8 = 3
	GuestRefused  uint8 = 4

	GuestSuspended uint8 = 5
)

// Guest is one row of structure SIDGuests.
type Guest struct {
	State     uint8 // GuestStopped …
	Exit      int16 // exit status; -1 if killed or not known
	Tenant    string
	Mission   string
	Digest    [8]byte // first octets of the bundle's digest
	MemoryMiB uint16
}

// EncodeGuests returns the parameters of structure SIDGuests: a count (u8) and
// the rows. The caller splits a table that outgrows a packet.
func EncodeGuests(guests []Guest) ([]byte, error) {
	if len(guests) > math.MaxUint8 {
		return nil, fmt.Errorf("encode guest table: %d rows, at most 255", len(guests))
	}
	b := []byte{byte(len(guests))}
	for _, g := range guests {
		var err error
		b = binary.BigEndian.AppendUint16(append(b, g.State), uint16(g.Exit))
		if b, err = appendText8(b, g.Tenant); err == nil {
			b, err = appendText8(b, g.Mission)
		}
		if err != nil {
			return nil, fmt.Errorf("encode guest table: %w", err)
		}
		b = binary.BigEndian.AppendUint16(append(b, g.Digest[:]...), g.MemoryMiB)
	}
	return b, nil
}

// DecodeGuests reads the parameters of structure SIDGuests.
func DecodeGuests(data []byte) ([]Guest, error) {
	r := newReader("guest table", data)
	n := int(r.u8())
	guests := make([]Guest, 0, min(n, len(data)/15)) // a row is 15 octets or more
	for range n {
		g := Guest{State: r.u8(), Exit: int16(r.u16()), Tenant: r.text8(), Mission: r.text8()}
		copy(g.Digest[:], r.take(8))
		g.MemoryMiB = r.u16()
		if r.err != nil {
			return nil, r.err
		}
		guests = append(guests, g)
	}
	return guests, r.end()
}

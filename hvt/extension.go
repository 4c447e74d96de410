package hvt

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// What a guest may ask for beyond Solo5. Entries of these types lie in its
// manifest beside BLOCK and NET ones; a tender that does not know them
// refuses the guest as "declared but not attached". Their 16 octets of
// payload lie where a BLOCK entry has its capacity:
//
//	PCI         kept for later
//	VCPUS       u32 processors, 1 to MaxVCPUs       u32 0  u64 0
//	BLOCK_RING  u32 depth, a power of two           u32 0  u64 0
//	NET_RING    u32 depth, a power of two           u32 0  u64 0
//	CHANNEL     u32 longest message, octets         u32 0  u64 0
//	SEED        u32 0                               u32 0  u64 0
//
// A ring serves the BLOCK or NET entry of the same name, which must be there.
const (
	PCI       DeviceType = 0x3a500001
	VCPUs     DeviceType = 0x3a500002
	BlockRing DeviceType = 0x3a500003
	NetRing   DeviceType = 0x3a500004
	Channel   DeviceType = 0x3a500005
	Seed      DeviceType = 0x3a500006
)

var extensionNames = [...]string{PCI & 7: "PCI", VCPUs & 7: "VCPUS", BlockRing & 7: "BLOCK_RING",
	NetRing & 7: "NET_RING", Channel & 7: "CHANNEL", Seed & 7: "SEED"}

// Limits of the payloads.
const (
	PayloadSize       = 16
	MaxVCPUs          = 8
	MinDepth          = 2
	MaxDepth          = 1024
	MaxChannels       = 16   // of a guest
	MaxChannelMessage = 4096 // octets
)

// Extended says whether t is one of the types above.
func (t DeviceType) Extended() bool { return t >= PCI && t <= Seed }

// Extend makes an entry of an extended type; n is its payload's first word.
func Extend(name string, t DeviceType, n uint32) Entry {
	e := Entry{Name: name, Type: t}
	binary.LittleEndian.PutUint32(e.Payload[:], n)
	return e
}

// Count is the first word of an extended entry's payload: processors, depth
// of a ring, or octets of a channel's longest message.
func (e Entry) Count() uint32 { return binary.LittleEndian.Uint32(e.Payload[:]) }

// checkPayload refuses what no tender could give.
func (e Entry) checkPayload() error {
	n, ok := e.Count(), true
	switch e.Type {
	case VCPUs:
		ok = n >= 1 && n <= MaxVCPUs
	case BlockRing, NetRing:
		ok = n >= MinDepth && n <= MaxDepth && n&(n-1) == 0
	case Channel:
		ok = n >= 1 && n <= MaxChannelMessage
	case Seed:
		ok = n == 0
	default:
		return nil
	}
	if !ok {
		return fmt.Errorf("asks for %s of %d, which is out of range", e.Type, n)
	}
	if [12]byte(e.Payload[4:]) != ([12]byte{}) {
		return fmt.Errorf("has a %s payload that is not zero behind its first word", e.Type)
	}
	return nil
}

// Extended says whether the guest asks for anything beyond Solo5. Then its
// boot info is BootInfoExtended octets long, with FeatureExtension set and
// the record's address at BootInfoRecord; the manifest follows as ever. Any
// other guest finds exactly Solo5's boot info.
func (m Manifest) Extended() bool {
	for _, e := range m.Entries {
		if e.Type.Extended() {
			return true
		}
	}
	return false
}

// checkCounts bounds what there can be several of: rings, whose kicks need
// addresses, and channels, each of which takes two sockets of its host.
func (m Manifest) checkCounts() error {
	count := map[DeviceType]int{}
	for _, e := range m.Entries {
		count[e.Type]++
	}
	for _, c := range [...]struct {
		what    string
		n, most int
	}{
		{"rings", count[BlockRing] + count[NetRing], MaxRings},
		{"channels", count[Channel], MaxChannels},
		{"VCPUS entries", count[VCPUs], 1},
	} {
		if c.n > c.most {
			return fmt.Errorf("%w: %d %s, at most %d: declare fewer", ErrManifest, c.n, c.what, c.most)
		}
	}
	return nil
}

// Boot info of an extended guest.
const (
	BootInfoExtended = 64
	BootInfoRecord   = 56
	FeatureExtension = 1 << 31
)

// Hypercalls that Solo5 does not have start here; only extended guests may
// use them.
const (
	CallVCPUStart Number = 64
	CallVCPUPark  Number = 65
	CallVCPUWake  Number = 66
)

// ExtensionBase is the guest-physical address of all that extensions share
// with the guest, on both architectures: above the largest guest and above
// arm64's hypercall window, at most ExtensionMax octets.
//
//	+0       the record, RecordSize octets that the guest can only read
//	+0x2000  rings, each on pages of its own
const (
	ExtensionBase = 0x180000000
	ExtensionMax  = 8 << 20
	RecordSize    = 0x2000
)

// RecordMagic is the record's first word: "PLEX".
const (
	RecordMagic   = 0x58454c50
	RecordVersion = 1
	recordHeader  = 16
	recordItem    = 48
	SeedSize      = 32
)

// ItemOK is the status of an item that the guest can use.
const ItemOK = 1

// Item is what the tender gives for one extended entry. What the fields say:
//
//	VCPUS       A processors
//	*_RING      GPA, Size of the ring's memory, A depth, B where to kick
//	CHANNEL     A longest message, octets
//	SEED        GPA of SeedSize random octets in the record, Size
type Item struct {
	Type   DeviceType
	Index  uint32 // handle: the entry's place in the manifest
	GPA    uint64
	Size   uint64 // octets
	A, B   uint64
	Status uint32 // ItemOK
}

// Record is the extension record, little endian:
//
//	magic, size, version, items u32; size is all octets that matter
//	per item: type, index u32; gpa, size, a, b u64; status, 0 u32
//	seeds
//
// A reader passes over items whose type it does not know.
type Record struct{ Items []Item }

// ErrRecord is wrapped by every error of ParseRecord and MarshalBinary.
var ErrRecord = errors.New("extension record is invalid")

// RecordSeed is where the record keeps the seed of its i-th item, from its
// beginning, in octets.
func RecordSeed(i int) uint64 { return RecordSize/2 + uint64(i)*SeedSize }

// MarshalBinary makes the items as the guest reads them; seeds are not among
// them.
func (r Record) MarshalBinary() ([]byte, error) {
	if len(r.Items) >= MaxEntries {
		return nil, fmt.Errorf("%w: %d items, at most %d", ErrRecord, len(r.Items), MaxEntries-1)
	}
	le := binary.LittleEndian
	b := le.AppendUint32(nil, RecordMagic)
	b = le.AppendUint32(b, uint32(recordHeader+len(r.Items)*recordItem))
	b = le.AppendUint32(b, RecordVersion)
	b = le.AppendUint32(b, uint32(len(r.Items)))
	for _, i := range r.Items {
		b = le.AppendUint32(b, uint32(i.Type))
		b = le.AppendUint32(b, i.Index)
		for _, v := range [...]uint64{i.GPA, i.Size, i.A, i.B} {
			b = le.AppendUint64(b, v)
		}
		b = le.AppendUint32(b, i.Status)
		b = le.AppendUint32(b, 0)
	}
	return b, nil
}

// ParseRecord reads a record as a guest would: b may be longer than it.
func ParseRecord(b []byte) (Record, error) {
	le := binary.LittleEndian
	if len(b) < recordHeader || le.Uint32(b) != RecordMagic {
		return Record{}, fmt.Errorf("%w: no magic in %d octets", ErrRecord, len(b))
	}
	if v := le.Uint32(b[8:]); v != RecordVersion {
		return Record{}, fmt.Errorf("%w: version %d, want %d", ErrRecord, v, RecordVersion)
	}
	size, n := le.Uint32(b[4:]), le.Uint32(b[12:])
	if n >= MaxEntries || size != recordHeader+n*recordItem || uint64(size) > uint64(len(b)) {
		return Record{}, fmt.Errorf("%w: %d items in %d of %d octets", ErrRecord, n, size, len(b))
	}
	var r Record
	for at := b[recordHeader:size]; len(at) > 0; at = at[recordItem:] {
		r.Items = append(r.Items, Item{Type: DeviceType(le.Uint32(at)), Index: le.Uint32(at[4:]),
			GPA: le.Uint64(at[8:]), Size: le.Uint64(at[16:]), A: le.Uint64(at[24:]), B: le.Uint64(at[32:]),
			Status: le.Uint32(at[40:])})
	}
	return r, nil
}

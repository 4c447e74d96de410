package hvt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrManifest is wrapped by every error of ParseManifest and MarshalBinary.
var ErrManifest = errors.New("manifest is invalid")

// DeviceType says what an entry of the manifest asks for.
type DeviceType uint32

// Device types of manifest 1; those from DeviceReserved on are not devices.
const (
	Block          DeviceType = 1
	Net            DeviceType = 2
	DeviceReserved DeviceType = 1 << 30
)

// String is Solo5's name of the type, as its tender prints it.
func (t DeviceType) String() string {
	switch t {
	case Block:
		return "BLOCK_BASIC"
	case Net:
		return "NET_BASIC"
	case DeviceReserved:
		return "RESERVED_FIRST"
	}
	if t.Extended() {
		return extensionNames[t&7]
	}
	return "<undefined type>"
}

// Sizes of manifest 1, in octets (Solo5 include/mft_abi.h).
const (
	ManifestVersion    = 1
	MaxEntries         = 64 // with the reserved first one
	MaxDeviceName      = 67
	manifestHeaderSize = 8
	entrySize          = 104
	manifestPad        = 4 // the descriptor's manifest starts on a multiple of 8
)

// Offsets inside an entry.
const (
	entryName     = 0
	entryType     = 68
	entryProps    = 72 // block: capacity u64, sector u16; net: MAC, MTU u16; extended: payload
	entryHost     = 88
	entryAttached = 96
)

// Entry declares one device of a guest by name.
type Entry struct {
	Name    string
	Type    DeviceType
	Payload [PayloadSize]byte // of an extended type, see PCI and those after it
}

// Manifest lists the devices a guest declares, without the reserved first
// entry: the guest's handle of Entries[i] is i+1.
type Manifest struct {
	Entries []Entry
}

// Find returns the handle of the device called name and of type t.
func (m Manifest) Find(name string, t DeviceType) (handle int, ok bool) {
	for i, e := range m.Entries {
		if e.Type == t && e.Name == name {
			return i + 1, true
		}
	}
	return 0, false
}

// ParseManifest reads the descriptor of an MFT1 note: four octets of padding,
// then the manifest. The rules are those of Solo5's tender: exact length,
// version 1, a reserved first entry without a name, terminated names and
// nothing attached.
func ParseManifest(desc []byte) (Manifest, error) {
	if len(desc) < manifestPad+manifestHeaderSize {
		return Manifest{}, fmt.Errorf("%w: %d octets are too few", ErrManifest, len(desc))
	}
	b := desc[manifestPad:]
	if v := binary.LittleEndian.Uint32(b); v != ManifestVersion {
		return Manifest{}, fmt.Errorf("%w: version %d, want %d", ErrManifest, v, ManifestVersion)
	}
	n := binary.LittleEndian.Uint32(b[4:])
	if n < 1 || n > MaxEntries {
		return Manifest{}, fmt.Errorf("%w: %d entries, want 1 to %d", ErrManifest, n, MaxEntries)
	}
	if want := manifestHeaderSize + int(n)*entrySize; len(b) != want {
		return Manifest{}, fmt.Errorf("%w: %d octets for %d entries, want %d", ErrManifest, len(b), n, want)
	}
	m := Manifest{}
	for i := 0; i < int(n); i++ {
		e, err := parseEntry(b[manifestHeaderSize+i*entrySize:][:entrySize])
		if err != nil {
			return Manifest{}, fmt.Errorf("%w: entry %d %w", ErrManifest, i, err)
		}
		if i > 0 {
			m.Entries = append(m.Entries, e)
		} else if e.Type != DeviceReserved || e.Name != "" {
			return Manifest{}, fmt.Errorf("%w: entry 0 is not the reserved one", ErrManifest)
		}
	}
	return m, m.checkCounts()
}

func parseEntry(b []byte) (Entry, error) {
	name := b[entryName : entryName+MaxDeviceName+1]
	if name[MaxDeviceName] != 0 {
		return Entry{}, errors.New("has an unterminated name")
	}
	if b[entryAttached] != 0 {
		return Entry{}, errors.New("claims to be attached")
	}
	e := Entry{
		Name: string(name[:bytes.IndexByte(name, 0)]),
		Type: DeviceType(binary.LittleEndian.Uint32(b[entryType:])),
	}
	if e.Type.Extended() {
		copy(e.Payload[:], b[entryProps:])
	}
	return e, e.checkPayload()
}

// MarshalBinary makes the descriptor of an MFT1 note, as ParseManifest reads it.
func (m Manifest) MarshalBinary() ([]byte, error) {
	b, err := m.Table(make([]Attachment, len(m.Entries)))
	if err != nil {
		return nil, err
	}
	return append(make([]byte, manifestPad, manifestPad+len(b)), b...), nil
}

// Attachment is what a tender fills into an entry before the guest sees it.
type Attachment struct {
	Attached   bool
	Capacity   uint64 // block: octets
	SectorSize uint16 // block: octets
	MAC        [6]byte
	MTU        uint16 // net: octets of payload
}

// Table makes the manifest as it lies in guest memory, one attachment for
// each of m.Entries.
func (m Manifest) Table(at []Attachment) ([]byte, error) {
	n := len(m.Entries) + 1
	if n > MaxEntries {
		return nil, fmt.Errorf("%w: %d entries, at most %d", ErrManifest, n, MaxEntries)
	}
	if len(at) != len(m.Entries) {
		return nil, fmt.Errorf("%w: %d attachments for %d devices", ErrManifest, len(at), len(m.Entries))
	}
	if err := m.checkCounts(); err != nil {
		return nil, err
	}
	b := make([]byte, manifestHeaderSize+n*entrySize)
	binary.LittleEndian.PutUint32(b, ManifestVersion)
	binary.LittleEndian.PutUint32(b[4:], uint32(n))
	binary.LittleEndian.PutUint32(b[manifestHeaderSize+entryType:], uint32(DeviceReserved))
	for i, e := range m.Entries {
		if len(e.Name) > MaxDeviceName || bytes.IndexByte([]byte(e.Name), 0) >= 0 {
			return nil, fmt.Errorf("%w: entry %d has a bad name", ErrManifest, i+1)
		}
		if err := e.checkPayload(); err != nil {
			return nil, fmt.Errorf("%w: entry %d %w", ErrManifest, i+1, err)
		}
		putEntry(b[manifestHeaderSize+(i+1)*entrySize:][:entrySize], e, at[i])
	}
	return b, nil
}

func putEntry(b []byte, e Entry, at Attachment) {
	copy(b[entryName:], e.Name)
	binary.LittleEndian.PutUint32(b[entryType:], uint32(e.Type))
	switch e.Type {
	case Block:
		binary.LittleEndian.PutUint64(b[entryProps:], at.Capacity)
		binary.LittleEndian.PutUint16(b[entryProps+8:], at.SectorSize)
	case Net:
		copy(b[entryProps:], at.MAC[:])
		binary.LittleEndian.PutUint16(b[entryProps+6:], at.MTU)
	default:
		copy(b[entryProps:], e.Payload[:]) // zeroes but for an extended type
	}
	// The host field stays zero: a descriptor number is none of the guest's business.
	if at.Attached {
		b[entryAttached] = 1
	}
}

// ValidDeviceName says whether name can be given on the tender's command
// line: 1 to 67 octets of [A-Za-z0-9].
func ValidDeviceName(name string) bool {
	if len(name) < 1 || len(name) > MaxDeviceName {
		return false
	}
	for i := 0; i < len(name); i++ {
		c := name[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9') {
			return false
		}
	}
	return true
}

package hvt

import "encoding/binary"

// BootInfoSize is the length of the boot info with the fields of Solo5 0.11.
const BootInfoSize = 56

// Where the fields of Solo5 0.11 lie, and the feature they announce.
const (
	BootInfoFeatures = 40
	BootInfoRing     = 48
	FeatureRing      = 1 << 0
)

// BootInfo is what the guest's entry point gets a pointer to. All addresses
// are guest-physical, sizes in octets.
type BootInfo struct {
	MemSize       uint64
	KernelEnd     uint64
	CycleFreq     uint64 // Hz of the cycle counter
	Cmdline       uint64
	Manifest      uint64
	HostFeatures  uint32
	GuestFeatures uint32
	NetRing       uint64
	Record        uint64 // of extensions; 0 leaves the field out
}

// MarshalBinary lays the boot info out as the guest reads it.
func (i BootInfo) MarshalBinary() ([]byte, error) {
	b := make([]byte, 0, BootInfoExtended)
	for _, v := range [...]uint64{i.MemSize, i.KernelEnd, i.CycleFreq, i.Cmdline, i.Manifest} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	b = binary.LittleEndian.AppendUint32(b, i.HostFeatures)
	b = binary.LittleEndian.AppendUint32(b, i.GuestFeatures)
	b = binary.LittleEndian.AppendUint64(b, i.NetRing)
	if i.Record != 0 {
		b = binary.LittleEndian.AppendUint64(b, i.Record)
	}
	return b, nil
}

package pus

// ServiceMemory loads, dumps and checks memory (ECSS-E-ST-70-41C §6.6). Checksums are the
// CRC of ccsds.CRC16 over the data.
const ServiceMemory = 6

// RawLoad is TC[6,2]; TC[6,11] loads in one transaction that nothing interrupts.
type RawLoad struct {
	Memory uint16
	Areas  []RawData
}

// RawData is data at an address.
type RawData struct {
	Start    uint64
	Data     Octets
	Checksum uint16
}

// RawAreas is TC[6,5], dump, and TC[6,9], check.
type RawAreas struct {
	Memory uint16
	Areas  []RawArea
}

// RawArea is a stretch of addresses.
type RawArea struct {
	Start  uint64
	Length uint32 // octets
}

// RawDump is TM[6,6].
type RawDump struct {
	Memory uint16
	Areas  []RawData
}

// RawCheck is TM[6,10].
type RawCheck struct {
	Memory uint16
	Areas  []RawChecked
}

// RawChecked is the checksum of a stretch of addresses.
type RawChecked struct {
	Start    uint64
	Length   uint32
	Checksum uint16
}

// ObjectLoad is TC[6,1] and TM[6,4]: data at offsets from a named base.
type ObjectLoad struct {
	Memory uint16
	Base   uint32
	Areas  []ObjectData
}

// ObjectData is data at an offset.
type ObjectData struct {
	Offset   uint32
	Data     Octets
	Checksum uint16
}

// ObjectAreas is TC[6,3], dump, and TC[6,7], check.
type ObjectAreas struct {
	Memory uint16
	Base   uint32
	Areas  []ObjectArea
}

// ObjectArea is a stretch of offsets.
type ObjectArea struct {
	Offset uint32
	Length uint32
}

// ObjectCheck is TM[6,8].
type ObjectCheck struct {
	Memory uint16
	Base   uint32
	Areas  []ObjectChecked
}

// ObjectChecked is the checksum of a stretch of offsets.
type ObjectChecked struct {
	Offset   uint32
	Length   uint32
	Checksum uint16
}

// MemoryID is TC[6,13] to TC[6,16]: scrubbing and write protection, on and off.
type MemoryID struct{ Memory uint16 }

// MemoryObject is TC[6,17]: check a whole named object.
type MemoryObject struct {
	Memory uint16
	Base   uint32
}

// MemoryObjectCheck is TM[6,18].
type MemoryObjectCheck struct {
	Memory   uint16
	Base     uint32
	Checksum uint16
}

// RawFiles is TC[6,19]: load what files hold.
type RawFiles struct {
	Memory uint16
	Areas  []RawFile
}

// RawFile is a file whose octets go to an address.
type RawFile struct {
	Start uint64
	File  FileName
}

// RawToFile is TC[6,20].
type RawToFile struct {
	Memory uint16
	Areas  []RawArea
	File   FileName
}

// ObjectFiles is TC[6,21]: load what files hold.
type ObjectFiles struct {
	Memory uint16
	Base   uint32
	Areas  []ObjectFile
}

// ObjectFile is a file whose octets go to an offset.
type ObjectFile struct {
	Offset uint32
	File   FileName
}

// ObjectToFile is TC[6,22].
type ObjectToFile struct {
	Memory uint16
	Base   uint32
	Areas  []ObjectArea
	File   FileName
}

var memoryMessages = map[Kind]any{
	tcKind(6, 1):  ObjectLoad{},
	tcKind(6, 2):  RawLoad{},
	tcKind(6, 3):  ObjectAreas{},
	tmKind(6, 4):  ObjectLoad{},
	tcKind(6, 5):  RawAreas{},
	tmKind(6, 6):  RawDump{},
	tcKind(6, 7):  ObjectAreas{},
	tmKind(6, 8):  ObjectCheck{},
	tcKind(6, 9):  RawAreas{},
	tmKind(6, 10): RawCheck{},
	tcKind(6, 11): RawLoad{},
	tcKind(6, 12): None{}, // abort all dumps
	tcKind(6, 13): MemoryID{},
	tcKind(6, 14): MemoryID{},
	tcKind(6, 15): MemoryID{},
	tcKind(6, 16): MemoryID{},
	tcKind(6, 17): MemoryObject{},
	tmKind(6, 18): MemoryObjectCheck{},
	tcKind(6, 19): RawFiles{},
	tcKind(6, 20): RawToFile{},
	tcKind(6, 21): ObjectFiles{},
	tcKind(6, 22): ObjectToFile{},
}

package pus

import "github.com/perilune/perilune/ccsds/timecode"

// ServiceStorage keeps reports on board and gives them back (ECSS-E-ST-70-41C §6.15).
const ServiceStorage = 15

// StorageTypes is TC[15,3], add, TC[15,4], delete, and TM[15,6]: what a store keeps.
type StorageTypes struct {
	Store     uint16
	Processes []ProcessReports
}

// StoreID is TC[15,5].
type StoreID struct{ Store uint16 }

// Retrievals is TC[15,9]: give back what was stored in a time.
type Retrievals struct{ Retrievals []Retrieval }

// Retrieval is a time range of one store.
type Retrieval struct {
	Store      uint16
	Start, End timecode.Instant
}

// StoreTimes is TC[15,11], delete up to a time, and TC[15,14], go on from a time.
type StoreTimes struct {
	At     timecode.Instant
	Stores []uint16
}

// StorageSummary is TM[15,13].
type StorageSummary struct{ Stores []StoreSummary }

// StoreSummary is what one store holds.
type StoreSummary struct {
	Store          uint16
	Oldest, Newest timecode.Instant
	OpenFrom       timecode.Instant // where open retrieval goes on
	Filled         uint8            // per cent
	FilledOpen     uint8            // per cent, from OpenFrom on
}

// StorageStatus is TM[15,19].
type StorageStatus struct{ Stores []StoreStatus }

// StoreStatus is what one store is doing.
type StoreStatus struct {
	Store   uint16
	Storing bool
	Open    bool // open retrieval is going on
	ByTime  bool // retrieval of a time range is going on
}

// StoreConfigurations is TC[15,20], create, and TM[15,23].
type StoreConfigurations struct{ Stores []StoreConfiguration }

// StoreConfiguration is the form of one store.
type StoreConfiguration struct {
	Store   uint16
	Size    uint64 // octets
	Bounded bool   // storing stops when it is full; else the oldest gives way
	VC      uint8  // virtual channel of retrieval
}

// StoreCopy is TC[15,24]: what was stored from Start to End (window 0), from Start on (1), up
// to End (2).
type StoreCopy struct {
	Window   uint8
	Start    timecode.Instant `pus:"Window 0 1"`
	End      timecode.Instant `pus:"Window 0 2"`
	From, To uint16
}

// StoreSizes is TC[15,25].
type StoreSizes struct{ Stores []StoreSize }

// StoreSize is a new size for one store, in octets.
type StoreSize struct {
	Store uint16
	Size  uint64
}

// StoreVC is TC[15,28]: another virtual channel for retrieval.
type StoreVC struct {
	Store uint16
	VC    uint8
}

// StorageStructures is TC[15,29] and TC[15,31], add, TC[15,30] and TC[15,32], delete,
// TM[15,36] and TM[15,38]: housekeeping and diagnostic structures that a store keeps.
type StorageStructures struct {
	Store     uint16
	Processes []ProcessStructures
}

// StorageEvents is TC[15,33], delete, TC[15,34], add, and TM[15,40]: events that a store
// does not keep.
type StorageEvents struct {
	Store     uint16
	Processes []ProcessEvents
}

var storageMessages = map[Kind]any{
	tcKind(15, 1):  IDs{}, // storage on
	tcKind(15, 2):  IDs{}, // off
	tcKind(15, 3):  StorageTypes{},
	tcKind(15, 4):  StorageTypes{},
	tcKind(15, 5):  StoreID{},
	tmKind(15, 6):  StorageTypes{},
	tcKind(15, 9):  Retrievals{},
	tcKind(15, 11): StoreTimes{},
	tcKind(15, 12): IDs{}, // summary
	tmKind(15, 13): StorageSummary{},
	tcKind(15, 14): StoreTimes{},
	tcKind(15, 15): IDs{},  // resume open retrieval
	tcKind(15, 16): IDs{},  // suspend it
	tcKind(15, 17): IDs{},  // abort retrieval of a time range
	tcKind(15, 18): None{}, // status
	tmKind(15, 19): StorageStatus{},
	tcKind(15, 20): StoreConfigurations{},
	tcKind(15, 21): IDs{},  // delete
	tcKind(15, 22): None{}, // configuration
	tmKind(15, 23): StoreConfigurations{},
	tcKind(15, 24): StoreCopy{},
	tcKind(15, 25): StoreSizes{},
	tcKind(15, 26): StoreID{}, // circular from now on
	tcKind(15, 27): StoreID{}, // bounded from now on
	tcKind(15, 28): StoreVC{},
	tcKind(15, 29): StorageStructures{},
	tcKind(15, 30): StorageStructures{},
	tcKind(15, 31): StorageStructures{},
	tcKind(15, 32): StorageStructures{},
	tcKind(15, 33): StorageEvents{},
	tcKind(15, 34): StorageEvents{},
	tcKind(15, 35): StoreID{}, // report housekeeping structures
	tmKind(15, 36): StorageStructures{},
	tcKind(15, 37): StoreID{}, // report diagnostic structures
	tmKind(15, 38): StorageStructures{},
	tcKind(15, 39): StoreID{}, // report events
	tmKind(15, 40): StorageEvents{},
}

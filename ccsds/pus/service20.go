package pus

// ServiceParameter reads and sets parameters (ECSS-E-ST-70-41C §6.20).
const ServiceParameter = 20

// ParameterValues is TM[20,2] and TC[20,3], set.
type ParameterValues struct{ Values []ParameterValue }

// ParameterValue is a parameter and its value.
type ParameterValue struct {
	Parameter uint16
	Value     Value
}

// RawParameters is TC[20,4]: parameters that are places in memory.
type RawParameters struct{ Definitions []RawParameter }

// RawParameter is where a parameter lies.
type RawParameter struct {
	Parameter uint16
	Memory    uint16
	Start     uint64
	Length    uint16 // octets
}

// ObjectParameters is TC[20,5]: parameters that are places in named objects.
type ObjectParameters struct{ Definitions []ObjectParameter }

// ObjectParameter is where a parameter lies.
type ObjectParameter struct {
	Parameter uint16
	Memory    uint16
	Base      uint32
	Offset    uint32
	Length    uint16 // octets
}

var parameterMessages = map[Kind]any{
	tcKind(20, 1): IDs{}, // report values
	tmKind(20, 2): ParameterValues{},
	tcKind(20, 3): ParameterValues{},
	tcKind(20, 4): RawParameters{},
	tcKind(20, 5): ObjectParameters{},
	tcKind(20, 6): IDs{}, // report definitions
	tmKind(20, 7): RawParameters{},
}

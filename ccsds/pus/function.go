package pus

import (
	"fmt"
	"strings"
)

// Functions of TC[8,1] and their arguments.
const (
	FunctionBundleActivate = "bundle.activate" // bundle file, order file
	FunctionMissionStart   = "mission.start"   // tenant, mission
	FunctionMissionStop    = "mission.stop"    // tenant, mission
	FunctionMissionSuspend = "mission.suspend" // tenant, mission
	FunctionMissionResume  = "mission.resume"  // tenant, mission
	FunctionMissionList    = "mission.list"    // none
	FunctionConsoleRead    = "console.read"    // tenant, mission, offset in decimal
	FunctionOrbitSet       = "orbit.set"       // the two lines of an element set
	FunctionCraftRestart   = "craft.restart"   // RestartResume or RestartAnew
	FunctionStreamStart    = "stream.start"    // downlink channel in decimal, file of the file store
	FunctionStreamStop     = "stream.stop"     // downlink channel in decimal
	FunctionSafeEnter      = "safe.enter"      // none
	FunctionSafeLeave      = "safe.leave"      // none
)

// Arguments of FunctionCraftRestart: guests that run are saved and go on after the restart, or
// none are.
const (
	RestartResume = "resume"
	RestartAnew   = "anew"
)

// functionIDLength is the size of the function id, zero padded ASCII
// (ECSS-E-ST-70-41C §8.8.2.1: a fixed character string).
const functionIDLength = 24

// maxArguments bounds what a decoder will collect from one packet.
const maxArguments = 64

// Function is the request of TC[8,1].
type Function struct {
	Name      string
	Arguments []string
}

// Encode returns the message of TC[8,1]: the name in 24 octets, then each
// argument with a u16 length.
func (f Function) Encode() ([]byte, error) {
	if err := checkFunctionName(f.Name); err != nil {
		return nil, fmt.Errorf("encode TC[8,1]: %w", err)
	}
	if len(f.Arguments) > maxArguments {
		return nil, fmt.Errorf("encode TC[8,1]: %d arguments, at most %d", len(f.Arguments), maxArguments)
	}
	b := make([]byte, functionIDLength)
	copy(b, f.Name)
	for _, a := range f.Arguments {
		var err error
		if b, err = appendText16(b, a); err != nil {
			return nil, fmt.Errorf("encode TC[8,1] argument: %w", err)
		}
	}
	return b, nil
}

// DecodeFunction reads the message of TC[8,1].
func DecodeFunction(data []byte) (Function, error) {
	r := newReader("TC[8,1]", data)
	id := r.take(functionIDLength)
	if r.err != nil {
		return Function{}, r.err
	}
	f := Function{Name: strings.TrimRight(string(id), "\x00")}
	if err := checkFunctionName(f.Name); err != nil {
		return Function{}, dataError(r.what, 0, err.Error())
	}
	for r.err == nil && r.at < len(data) {
		if len(f.Arguments) == maxArguments {
			return Function{}, dataError(r.what, r.at, "too many arguments")
		}
		f.Arguments = append(f.Arguments, r.text16())
	}
	if err := r.end(); err != nil {
		return Function{}, err
	}
	return f, nil
}

func checkFunctionName(name string) error {
	if name == "" || len(name) > functionIDLength {
		return fmt.Errorf("function name of %d octets, 1 to %d", len(name), functionIDLength)
	}
	for i := range len(name) {
		if name[i] <= ' ' || name[i] > '~' {
			return fmt.Errorf("function name has octet %#02x", name[i])
		}
	}
	return nil
}

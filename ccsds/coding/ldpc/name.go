package ldpc

import (
	"errors"
	"fmt"
	"sync"
)

// Errors that callers test for.
var (
	ErrName     = errors.New("no such LDPC code")
	ErrLength   = errors.New("wrong length")
	ErrNotFound = errors.New("no codeword found")
)

// Name is one of the books' codes.
type Name uint8

// The codes, with information and sent bits. TM codes are of the AR4JA family except the
// last.
const (
	TC64       Name = iota // 64, 128
	TC256                  // 256, 512
	TM1024R12              // 1024, 2048
	TM1024R23              // 1024, 1536
	TM1024R45              // 1024, 1280
	TM4096R12              // 4096, 8192
	TM4096R23              // 4096, 6144
	TM4096R45              // 4096, 5120
	TM16384R12             // 16384, 32768
	TM16384R23             // 16384, 24576
	TM16384R45             // 16384, 20480
	TM7136R78              // 7136, 8160: "C2"
	names
)

var texts = [names + 1]string{"TC (128,64)", "TC (512,256)", "TM (2048,1024)", "TM (1536,1024)", "TM (1280,1024)",
	"TM (8192,4096)", "TM (6144,4096)", "TM (5120,4096)", "TM (32768,16384)", "TM (24576,16384)",
	"TM (20480,16384)", "TM (8160,7136)", "?"}

func (n Name) String() string { return texts[min(n, names)] }

// Valid reports whether n is one of the names above.
func (n Name) Valid() bool { return n < names }

// Names returns all codes.
func Names() []Name {
	all := make([]Name, names)
	for i := range all {
		all[i] = Name(i)
	}
	return all
}

// ByLength returns the code with k information and n sent bits.
func ByLength(k, n int) (Name, error) {
	for i := range names {
		if s := shapes[i]; s.sentData() == k && s.sent() == n {
			return i, nil
		}
	}
	return 0, fmt.Errorf("LDPC code (%d,%d): %w", n, k, ErrName)
}

// codes are made at their first use, each once.
var codes = func() (all [names]func() (*Code, error)) {
	for n := range all {
		all[n] = sync.OnceValues(func() (*Code, error) { return newCode(Name(n)) })
	}
	return all
}()

// New returns a code, the same for every call.
func New(n Name) (*Code, error) {
	if !n.Valid() {
		return nil, fmt.Errorf("LDPC code %d: %w", n, ErrName)
	}
	return codes[n]()
}

// Package modules is the host's side of a guest's devices: block devices on
// files, network devices on taps and on packet sockets, and waiting for them.
package modules

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Memory is the guest's memory as devices may touch it: n octets at a
// guest-physical address, or an error when the guest itself could not read
// or write them all.
type Memory interface {
	Readable(gpa, n uint64) ([]byte, error)
	Writable(gpa, n uint64) ([]byte, error)
}

// FatalError is a failure of a device that ends the guest. Its text is what
// Solo5's tender prints.
type FatalError struct{ Text string }

func (e *FatalError) Error() string { return e.Text }

func fatal(format string, a ...any) error { return &FatalError{fmt.Sprintf(format, a...)} }

// retry repeats a system call that a signal interrupted: the Go runtime's own
// signals interrupt everything.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}

// errno is an error's text in the C library's words: capitalised.
func errno(err error) string {
	s := err.Error()
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		s = string(s[0]-'a'+'A') + s[1:]
	}
	return s
}

package cli

import (
	"fmt"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// lastWords are what the handler writes to standard error, by signal.
var lastWords [unix.SIGTERM + 1]struct {
	text *byte
	n    uintptr
}

// onSignalAddress is where the handler begins, which says them and exits.
func onSignalAddress() uintptr

// kernelAction is struct sigaction as the kernel has it.
type kernelAction struct{ handler, flags, restorer, mask uintptr }

const (
	onStack    = 0x08000000 // SA_ONSTACK
	noRestorer = 0x04000000 // SA_RESTORER; amd64 asks for one, but the handler does not return
)

// endOnSignal ends the program on a signal, in the reference's words: from now
// on, so that whoever has seen text of the guest is answered. It is not package
// os/signal, which needs a thread of its own: to start and to end that one is a
// twentieth of a short run.
func (c *command) endOnSignal() error {
	for _, signal := range [...]unix.Signal{unix.SIGINT, unix.SIGTERM} {
		text := []byte(c.prog + ": Exiting on signal " + strconv.Itoa(int(signal)) + "\n")
		lastWords[signal].text, lastWords[signal].n = unsafe.SliceData(text), uintptr(len(text))
		action := kernelAction{handler: onSignalAddress(), flags: onStack | noRestorer, restorer: onSignalAddress(), mask: ^uintptr(0)}
		if _, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(signal), uintptr(unsafe.Pointer(&action)),
			0, unsafe.Sizeof(action.mask), 0, 0); errno != 0 {
			return fmt.Errorf("signal %d: %w", signal, errno)
		}
	}
	return nil
}

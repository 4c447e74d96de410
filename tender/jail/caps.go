package jail

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// setNoCapabilities empties the three sets of every thread and looks whether
// they are.
func setNoCapabilities() error {
	head := &unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	data := &[2]unix.CapUserData{}
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET,
		uintptr(unsafe.Pointer(head)), uintptr(unsafe.Pointer(data)), 0)
	runtime.KeepAlive(head)
	runtime.KeepAlive(data)
	if errno != 0 {
		return fmt.Errorf("drop capabilities: %w", errno)
	}
	if err := unix.Capget(head, &data[0]); err != nil {
		return fmt.Errorf("read capabilities: %w", err)
	}
	if *data != ([2]unix.CapUserData{}) {
		return errors.New("capabilities are left after dropping all")
	}
	return nil
}

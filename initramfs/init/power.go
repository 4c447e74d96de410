package main

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/internal/initproto"
)

// power ends everything and restarts the craft. The watchdog stays armed, so
// that a restart that hangs is one all the same.
func power(reason string) {
	logf("restart: %s", reason)
	// Everything but us.
	if err := unix.Kill(-1, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
		logf("kill: %v", err)
	}
	unmountData()
	off(unix.LINUX_REBOOT_CMD_RESTART)
}

// unmountData retries while killed programs still hold files.
func unmountData() {
	for range 50 {
		err := unix.Unmount(initproto.DataDir, 0)
		if err == nil || !errors.Is(err, unix.EBUSY) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	unix.Sync()
}

// off does not return.
func off(how int) {
	err := unix.Reboot(how)
	logf("reboot: %v", err)
	time.Sleep(time.Second)
	panic("the kernel did not restart")
}

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// probe tells the machine that boots us whether virtual machines work here:
// it runs one guest instruction, says how that went and powers off. It does
// not return.
func probe() {
	if err := haltGuest("/dev/kvm"); err != nil {
		logf("PROBE FAIL %v", err)
	} else {
		logf("PROBE OK")
	}
	_ = os.Stdout.Sync()
	unix.Sync()
	off(unix.LINUX_REBOOT_CMD_POWER_OFF)
}

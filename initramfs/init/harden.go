package main

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// harden closes what nothing on board needs once modules are loaded.
func harden() {
	for path, value := range map[string]string{
		"/proc/sys/kernel/modules_disabled":          "1",
		"/proc/sys/kernel/kexec_load_disabled":       "1",
		"/proc/sys/kernel/panic_on_oops":             "1",
		"/proc/sys/kernel/dmesg_restrict":            "1",
		"/proc/sys/kernel/unprivileged_bpf_disabled": "1",
	} {
		if err := os.WriteFile(path, []byte(value), 0); err != nil && !errors.Is(err, os.ErrNotExist) {
			logf("%s: %v", path, err)
		}
	}
	setNoNewPrivileges()
}

// setNoNewPrivileges holds for every program started from now on: none can
// gain a right by being executed.
func setNoNewPrivileges() {
	if _, _, e := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0); e != 0 {
		logf("no new privileges: %v", e)
	}
}

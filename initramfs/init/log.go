package main

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// logf writes one line to the console, with the seconds since the kernel
// started: the craft's clock is not set when init runs.
func logf(format string, a ...any) {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts)
	text := strings.ReplaceAll(fmt.Sprintf(format, a...), "\n", " | ")
	fmt.Fprintf(os.Stdout, "init: [%d.%02d] %s\n", ts.Sec, ts.Nsec/10_000_000, text)
}

func kernelRelease() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "?"
	}
	return unix.ByteSliceToString(u.Release[:])
}

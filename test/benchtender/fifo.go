package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	fifoFlag     = "-fifo"
	fifoPriority = 10
)

// realTime starts the program again under SCHED_FIFO, which all its threads
// and all tenders then have from birth: what else the machine does is left
// out of the figures, but for what the kernel does for the tenders. It says
// whether that is so now.
func realTime(args []string) (bool, error) {
	if !slices.Contains(args[1:], fifoFlag) {
		return false, nil
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	attr, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		return false, fmt.Errorf("ask for the priority: %w", err)
	}
	if attr.Policy == unix.SCHED_FIFO {
		return true, nil
	}
	attr = &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: fifoPriority}
	if err := unix.SchedSetAttr(0, attr, 0); err != nil {
		return false, fmt.Errorf("%s needs root: %w", fifoFlag, err)
	}
	return false, fmt.Errorf("start again: %w", syscall.Exec("/proc/self/exe", args, os.Environ()))
}

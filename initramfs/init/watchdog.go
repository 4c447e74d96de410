package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// watchdogSeconds is how long the craft may go without being fed. It is
// generous because a loaded processor may be slow, not dead.
const watchdogSeconds = 120

// bootedByWatchdog is WDIOF_CARDRESET of linux/watchdog.h.
const bootedByWatchdog = 0x20

// watchdog is the hardware timer that restarts the craft; without one there
// is nothing to feed.
type watchdog struct{ f *os.File }

func openWatchdog(path string) *watchdog {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		logf("no watchdog: %v", err)
		return &watchdog{}
	}
	if err := unix.IoctlSetPointerInt(int(f.Fd()), unix.WDIOC_SETTIMEOUT, watchdogSeconds); err != nil {
		logf("watchdog: set %d s: %v", watchdogSeconds, err)
	}
	logf("watchdog: %d s", watchdogSeconds)
	return &watchdog{f}
}

// fired says whether the watchdog caused this boot.
func (w *watchdog) fired() bool {
	if w.f == nil {
		return false
	}
	status, err := unix.IoctlGetInt(int(w.f.Fd()), unix.WDIOC_GETBOOTSTATUS)
	return err == nil && status&bootedByWatchdog != 0
}

func (w *watchdog) feed() {
	if w.f == nil {
		return
	}
	if err := unix.IoctlWatchdogKeepalive(int(w.f.Fd())); err != nil {
		logf("watchdog: feed: %v", err)
	}
}

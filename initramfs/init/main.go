// Init is PID 1 and the only program on board that keeps root. It mounts,
// loads modules, feeds the watchdog while the flight program is well, starts
// tender slots for it and keeps their sockets, so that the flight program may
// die and come back without a guest noticing.
//
// It is crash-only: whatever goes wrong it says so on the console and goes on
// with less, and if it dies itself the kernel panics and the craft restarts.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/internal/initproto"
	"github.com/perilune/perilune/tender/spawn"
)

func main() {
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "init: this is the craft's PID 1; it runs nowhere else")
		os.Exit(2)
	}
	logf("perilune on linux %s, %s", kernelRelease(), runtime.GOARCH)
	if err := mountAll(); err != nil {
		// Without /proc and /dev nothing can follow; the kernel restarts us.
		panic(err)
	}
	words := readCmdline()
	loadModules("/lib/modules")
	if words.has("perilune.probe") {
		probe()
	}
	harden()
	power(fly())
}

// fly runs the craft until it has to restart, and says why.
func fly() string {
	wd := openWatchdog("/dev/watchdog")
	s := &supervisor{
		flightPath: "/bin/perilune-flight",
		tenderPath: "/bin/perilune-tender",
		uid:        initproto.UID, gid: initproto.GID,
		namespaces: unix.CLONE_NEWNET | unix.CLONE_NEWIPC,
		console:    os.Stdout,
		cgroups:    makeCgroups("/sys/fs/cgroup"),
		spawn:      spawn.Start,
		mountData:  func() error { return mountData(initproto.DataDir) },
		disk:       func() (string, error) { return diskOf(initproto.DataDir, "/sys/dev/block") },
		feed:       wd.feed,
		times:      flightTimes,
		slots:      newSlots(),
		orders:     make(chan string),
	}
	s.env = flightEnv()
	if f, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0); err != nil {
		logf("no virtual machines: %v", err)
	} else {
		s.kvm = f
	}
	s.boots, s.bootCause = s.prepare(wd)
	go listenOrders(s.orders)
	children := make(chan os.Signal, 1)
	signal.Notify(children, unix.SIGCHLD)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, unix.SIGINT, unix.SIGTERM, unix.SIGPWR)
	return s.run(children, stop)
}

// prepare mounts the data partition and counts the boot.
func (s *supervisor) prepare(wd *watchdog) (boots uint32, cause string) {
	if wd.fired() {
		cause = "restarted by the watchdog"
		logf("%s", cause)
	}
	if s.dataErr = s.mountData(); s.dataErr != nil {
		logf("data partition: %v", s.dataErr)
		return 0, cause
	}
	boots, err := countBoot(initproto.DataDir + "/init")
	if err != nil {
		logf("boot counter: %v", err)
	}
	logf("boot %d", boots)
	return boots, cause
}

func flightEnv() []string {
	env := []string{"PATH=/bin", "HOME=" + initproto.FlightDir, "TMPDIR=" + flightTmp, "TZ=UTC"}
	if path, err := findRadio(10 * time.Second); err != nil {
		logf("radio: %v", err)
	} else {
		logf("radio: %s", path)
		env = append(env, initproto.RadioEnv+"="+path)
	}
	return env
}

package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/internal/initproto"
)

// flightTmp is flight's folder for what need not outlive the boot.
const flightTmp = "/run/flight"

type mount struct {
	fstype, target string
	flags          uintptr
	options        string
	optional       bool
}

// No file system can carry a set-user-id program, and only the root file
// system, which is in RAM and comes out of the image, can carry a program or
// a device.
const still = unix.MS_NOSUID | unix.MS_NOEXEC

var mounts = []mount{
	{"proc", "/proc", still | unix.MS_NODEV, "hidepid=invisible", false},
	{"sysfs", "/sys", still | unix.MS_NODEV, "", false},
	{"devtmpfs", "/dev", still, "mode=0755", false},
	{"tmpfs", "/run", still | unix.MS_NODEV, "mode=0755,size=16m", false},
	{"tmpfs", "/tmp", still | unix.MS_NODEV, "mode=1777,size=16m", false},
	{"cgroup2", "/sys/fs/cgroup", still | unix.MS_NODEV, "nsdelegate", false},
	{"efivarfs", "/sys/firmware/efi/efivars", still | unix.MS_NODEV | unix.MS_RDONLY, "", true},
}

// mountAll mounts what is not optional; mountOptional the rest, which may
// need a module.
func mountAll() error {
	for _, m := range mounts {
		if m.optional {
			continue
		}
		if err := os.MkdirAll(m.target, 0o755); err != nil {
			return fmt.Errorf("mount %s: %w", m.target, err)
		}
		if err := unix.Mount(m.fstype, m.target, m.fstype, m.flags, m.options); err != nil {
			return fmt.Errorf("mount %s: %w", m.target, err)
		}
	}
	if err := os.Mkdir(flightTmp, 0o700); err != nil {
		return err
	}
	return os.Chown(flightTmp, initproto.UID, initproto.GID)
}

func mountOptional() {
	for _, m := range mounts {
		if _, err := os.Stat(m.target); !m.optional || err != nil {
			continue
		}
		if err := unix.Mount(m.fstype, m.target, m.fstype, m.flags, m.options); err != nil {
			logf("mount %s: %v", m.target, err)
		}
	}
}

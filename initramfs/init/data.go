package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/internal/initproto"
)

// dataWait bounds the wait for the disk to appear.
const dataWait = 10 * time.Second

// mountData mounts the data partition, found by its name in the partition
// table, and makes flight's folder in it.
func mountData(dir string) error {
	device, err := findPartition("/sys/class/block", initproto.DataPartition, dataWait)
	if err != nil {
		return err
	}
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_NOATIME
	if err := unix.Mount(device, dir, "ext4", flags, "errors=remount-ro"); err != nil && !errors.Is(err, unix.EBUSY) {
		return fmt.Errorf("mount %s: %w", device, err)
	}
	logf("data: %s", device)
	flight := filepath.Join(dir, filepath.Base(initproto.FlightDir))
	if err := os.Mkdir(flight, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return os.Chown(flight, initproto.UID, initproto.GID)
}

func findPartition(class, name string, wait time.Duration) (string, error) {
	for end := time.Now().Add(wait); ; time.Sleep(50 * time.Millisecond) {
		events, err := filepath.Glob(filepath.Join(class, "*", "uevent"))
		if err != nil {
			return "", err
		}
		for _, e := range events {
			b, err := os.ReadFile(e)
			if err == nil && hasLine(string(b), "PARTNAME="+name) {
				return "/dev/" + filepath.Base(filepath.Dir(e)), nil
			}
		}
		if time.Now().After(end) {
			return "", fmt.Errorf("no partition named %s", name)
		}
	}
}

func hasLine(text, line string) bool {
	for l := range strings.Lines(text) {
		if strings.TrimSpace(l) == line {
			return true
		}
	}
	return false
}

// diskOf is the number, "major:minor", of the whole disk that holds dir: what
// the io controller counts by. numbers is a folder of block devices by number.
func diskOf(dir, numbers string) (string, error) {
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return "", fmt.Errorf("disk of %s: %w", dir, err)
	}
	device := filepath.Join(numbers, fmt.Sprintf("%d:%d", unix.Major(st.Dev), unix.Minor(st.Dev)))
	path, err := filepath.EvalSymlinks(device)
	if err != nil {
		return "", fmt.Errorf("disk of %s: %w", dir, err)
	}
	if _, err := os.Stat(filepath.Join(path, "partition")); err == nil {
		path = filepath.Dir(path)
	}
	number, err := os.ReadFile(filepath.Join(path, "dev"))
	if err != nil {
		return "", fmt.Errorf("disk of %s: %w", dir, err)
	}
	return strings.TrimSpace(string(number)), nil
}

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
)

// cgroups are the folders of flight and of the slots; empty names when the
// kernel has none.
type cgroups struct{ flight, tenders string }

// controllers that slots are limited by.
var controllers = []string{"+memory", "+cpu", "+pids", "+io"}

func makeCgroups(root string) cgroups {
	c := cgroups{flight: filepath.Join(root, "flight"), tenders: filepath.Join(root, "tenders")}
	for _, dir := range []string{c.flight, c.tenders} {
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			logf("cgroup: %v", err)
		}
	}
	for _, dir := range []string{root, c.tenders} {
		for _, name := range controllers {
			if err := os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte(name), 0); err != nil {
				logf("cgroup: %s %s: %v", dir, name, err)
			}
		}
	}
	// Tenants together may not starve flight of processor time.
	for path, value := range map[string]string{
		filepath.Join(c.flight, "cpu.weight"):  "1000",
		filepath.Join(c.flight, "pids.max"):    "512",
		filepath.Join(c.tenders, "cpu.weight"): "100",
	} {
		if err := os.WriteFile(path, []byte(value), 0); err != nil {
			logf("cgroup: %v", err)
		}
	}
	return c
}

// slot is the folder of one slot.
func (c cgroups) slot(id uint32) string {
	if c.tenders == "" {
		return ""
	}
	return filepath.Join(c.tenders, strconv.FormatUint(uint64(id), 10))
}

// killAll ends every process in a folder at once, also ones we do not know.
func killAll(dir string) error {
	return os.WriteFile(filepath.Join(dir, "cgroup.kill"), []byte("1"), 0)
}

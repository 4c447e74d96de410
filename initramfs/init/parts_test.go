package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDeaths(t *testing.T) {
	var d deaths
	start := time.Now()
	for _, c := range []struct {
		minutes int
		many    bool
	}{{0, false}, {4, false}, {11, false}, {13, true}, {14, true}, {40, false}} {
		if got := d.add(start.Add(time.Duration(c.minutes) * time.Minute)); got != c.many {
			t.Errorf("death at minute %d: too many is %v", c.minutes, got)
		}
	}
	d.forget()
	first, second, third := d.add(start), d.add(start), d.add(start)
	if first || second || !third {
		t.Error("three at once must be too many, two not")
	}
}

func TestCountBoot(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "init")
	for want := uint32(1); want <= 3; want++ {
		if n, err := countBoot(dir); err != nil || n != want {
			t.Errorf("boot %d: %d, %v", want, n, err)
		}
	}
	put(t, filepath.Join(dir, "boots"), "noise")
	if n, err := countBoot(dir); err == nil || n != 1 {
		t.Errorf("after noise: %d, %v", n, err)
	}
	if n, err := countBoot(dir); err != nil || n != 2 {
		t.Errorf("after that: %d, %v", n, err)
	}
	if err := os.Truncate(filepath.Join(dir, "boots"), 1<<40); err != nil { // as a flipped bit may have it
		t.Fatal(err)
	}
	if n, err := countBoot(dir); err == nil || n != 1 {
		t.Errorf("after a terabyte of zeroes: %d, %v", n, err)
	}
	if _, err := countBoot("/proc/nowhere/init"); err == nil {
		t.Error("counted where nothing can be written")
	}
}

func TestFindPartition(t *testing.T) {
	class := t.TempDir()
	put(t, filepath.Join(class, "vda", "uevent"), "DEVNAME=vda\nDEVTYPE=disk\n")
	put(t, filepath.Join(class, "vda1", "uevent"), "DEVNAME=vda1\nPARTNAME=perilune-data-old\n")
	put(t, filepath.Join(class, "vda2", "uevent"), "DEVNAME=vda2\nPARTN=2\nPARTNAME=perilune-data\n")
	if dev, err := findPartition(class, "perilune-data", 0); err != nil || dev != "/dev/vda2" {
		t.Errorf("%q, %v", dev, err)
	}
	if _, err := findPartition(class, "perilune", 0); err == nil || !strings.Contains(err.Error(), "perilune") {
		t.Errorf("no such name: %v", err)
	}
}

func TestPortNamed(t *testing.T) {
	class := t.TempDir()
	put(t, filepath.Join(class, "vport0p1", "name"), "console\n")
	put(t, filepath.Join(class, "vport0p2", "name"), "radio0\n")
	if p := portNamed(class, "radio0"); p != "vport0p2" {
		t.Errorf("%q", p)
	}
	if p := portNamed(class, "radio1"); p != "" {
		t.Errorf("%q", p)
	}
}

func TestCPUFlags(t *testing.T) {
	flags := cpuFlags("processor\t: 0\nflags\t\t: fpu svm lm\n\nprocessor\t: 1\nflags\t\t: vmx\n")
	if !flags["svm"] || !flags["fpu"] || flags["vmx"] {
		t.Errorf("%v", flags)
	}
}

func TestModuleName(t *testing.T) {
	for path, want := range map[string]string{
		"/lib/modules/03-kvm_amd.ko": "kvm_amd", "/lib/modules/00-kvm-intel.ko": "kvm_intel", "x.ko": "x",
	} {
		if got := moduleName(path); got != want {
			t.Errorf("%s: %q", path, got)
		}
	}
}

func TestCmdline(t *testing.T) {
	c := cmdline(strings.Fields("console=ttyS0 perilune.probe quiet\n"))
	if !c.has("perilune.probe") || c.has("perilune") {
		t.Errorf("%q", c)
	}
}

func TestMakeCgroups(t *testing.T) {
	root := t.TempDir() // a plain folder takes whatever is written
	c := makeCgroups(root)
	b, err := os.ReadFile(filepath.Join(root, "cgroup.subtree_control"))
	if err != nil || len(b) == 0 {
		t.Errorf("controllers %q, %v", b, err)
	}
	if got := c.slot(7); got != filepath.Join(root, "tenders", "7") {
		t.Errorf("slot's folder %q", got)
	}
	if got := (cgroups{}).slot(7); got != "" {
		t.Errorf("without cgroups: %q", got)
	}
}

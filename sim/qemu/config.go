package qemu

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Program is the emulator for the craft's architecture.
const Program = "qemu-system-x86_64"

// Accel is what runs the craft's instructions.
type Accel string

// KVM needs hardware, TCG nothing.
const (
	KVM Accel = "kvm"
	TCG Accel = "tcg"
)

// Config describes one machine.
type Config struct {
	Dir        string // an existing folder for the machine's own files
	Accel      Accel
	MemoryMiB  int // 0: 1024
	CPUs       int // 0: 2
	ConsoleLog string

	// Either a disk, booted by the firmware …
	Disk     string // raw; written to
	OVMFCode string // "": Debian's
	OVMFVars string // copied into Dir; "": Debian's
	// … or a kernel, for a probe.
	Kernel, Initrd, Cmdline string

	// RadioSocket is where QEMU listens for the other end of the radio; with
	// "" the other end is Process.Radio.
	RadioSocket string
}

// Debian's package ovmf.
const (
	ovmfCode = "/usr/share/OVMF/OVMF_CODE_4M.fd"
	ovmfVars = "/usr/share/OVMF/OVMF_VARS_4M.fd"
)

// complete fills in what was left out and copies the firmware's variables.
func (c *Config) complete() error {
	if (c.Disk == "") == (c.Kernel == "") {
		return errors.New("either a disk or a kernel is needed")
	}
	if c.MemoryMiB == 0 {
		c.MemoryMiB = 1024
	}
	if c.CPUs == 0 {
		c.CPUs = 2
	}
	for _, p := range []*string{&c.Dir, &c.Disk, &c.Kernel, &c.Initrd, &c.ConsoleLog, &c.RadioSocket} {
		if *p == "" {
			continue
		}
		abs, err := filepath.Abs(*p)
		if err != nil {
			return err
		}
		*p = abs
	}
	if c.Disk == "" {
		return nil
	}
	if c.OVMFCode == "" {
		c.OVMFCode = ovmfCode
	}
	if c.OVMFVars == "" {
		c.OVMFVars = ovmfVars
	}
	vars, err := os.ReadFile(c.OVMFVars)
	if err != nil {
		return err
	}
	c.OVMFVars = filepath.Join(c.Dir, "ovmf-vars.fd")
	return os.WriteFile(c.OVMFVars, vars, 0o600)
}

// Descriptors that QEMU inherits.
const (
	qmpFD    = 3
	ordersFD = 4
	radioFD  = 5
)

func (c *Config) args() []string {
	a := []string{
		"-nodefaults", "-no-user-config", "-display", "none",
		"-name", "perilune", "-M", "q35,smm=off", "-accel", c.accel(),
		"-m", strconv.Itoa(c.MemoryMiB), "-smp", strconv.Itoa(c.CPUs),
		"-rtc", "base=utc",
		"-chardev", fmt.Sprintf("socket,id=qmp,fd=%d", qmpFD), "-mon", "chardev=qmp,mode=control",
		"-chardev", "file,id=console,append=on,path=" + escape(c.consoleLog()), "-serial", "chardev:console",
		"-device", "i6300esb", "-action", "watchdog=reset",
		"-device", "virtio-serial-pci", "-device", "virtserialport,chardev=radio,name=radio0",
	}
	a = append(a, "-chardev", fmt.Sprintf("socket,id=orders,fd=%d", ordersFD),
		"-device", "virtserialport,chardev=orders,name=orders0")
	if c.Accel == KVM {
		a = append(a, "-cpu", "host")
	} else {
		// TCG can nest virtual machines as AMD's processors do.
		a = append(a, "-cpu", "max,+svm")
	}
	if c.RadioSocket == "" {
		a = append(a, "-chardev", fmt.Sprintf("socket,id=radio,fd=%d", radioFD))
	} else {
		a = append(a, "-chardev", "socket,id=radio,server=on,wait=off,path="+escape(c.RadioSocket))
	}
	if c.Kernel != "" {
		return append(a, "-kernel", c.Kernel, "-initrd", c.Initrd, "-append", c.Cmdline, "-no-reboot")
	}
	// cache=unsafe leaves out the host's fsync, which costs much on a loaded
	// machine. A crash of the host is not simulated; a reset of the craft
	// loses nothing that it has flushed, because the host's cache stays.
	return append(a,
		"-drive", "if=pflash,unit=0,format=raw,readonly=on,file="+escape(c.OVMFCode),
		"-drive", "if=pflash,unit=1,format=raw,file="+escape(c.OVMFVars),
		"-drive", "if=none,id=disk,format=raw,cache=unsafe,discard=unmap,file="+escape(c.Disk),
		"-device", "virtio-blk-pci,drive=disk,bootindex=0")
}

// accel is QEMU's word for the accelerator. TCG runs all processors in one thread: with
// one each, a processor may execute old instructions while another rewrites them, and the
// kernel, which rewrites itself when the first virtual machine is made, panics now and then.
func (c *Config) accel() string {
	if c.Accel == TCG {
		return "tcg,thread=single"
	}
	return string(c.Accel)
}

func (c *Config) consoleLog() string {
	if c.ConsoleLog != "" {
		return c.ConsoleLog
	}
	return filepath.Join(c.Dir, "console.log")
}

// escape writes a path as QEMU's option syntax wants it.
func escape(path string) string { return strings.ReplaceAll(path, ",", ",,") }

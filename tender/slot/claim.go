package slot

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender"
	"github.com/perilune/perilune/tender/jail"
	"github.com/perilune/perilune/tender/kvm"
	"github.com/perilune/perilune/tender/loader"
	"github.com/perilune/perilune/tender/modules"
	"github.com/perilune/perilune/tender/snapshot"
	"github.com/perilune/perilune/tender/wire"
)

// Rules of a refusal: stable words that flight reports.
const (
	RuleClaim    = "claim.invalid"     // the claim contradicts itself
	RuleMemory   = "claim.memory"      // more or less memory than a guest can have
	RuleImage    = "elf.invalid"       // the kernel is no hvt executable
	RuleManifest = "manifest.mismatch" // declared and attached devices differ
	RuleDevice   = "device.invalid"    // a device cannot be attached
	RuleSnapshot = "snapshot.invalid"  // the snapshot is damaged, or none
	RuleMisfit   = "snapshot.mismatch" // the snapshot does not fit this host or claim
	RuleInternal = "tender.internal"   // the host failed
)

// refusal is an error with the rule it breaks.
type refusal struct {
	rule string
	err  error
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

func refuse(rule, format string, a ...any) error {
	return &refusal{rule, fmt.Errorf(format, a...)}
}

func ruleOf(err error) string {
	var r *refusal
	var image *hvt.ImageError
	var mismatch *tender.MismatchError
	var misfit *snapshot.MismatchError
	switch {
	case errors.As(err, &r):
		return r.rule
	case errors.As(err, &image):
		return RuleImage
	case errors.As(err, &mismatch):
		return RuleManifest
	case errors.As(err, &misfit), errors.Is(err, kvm.ErrState):
		return RuleMisfit
	case isInvalid(err):
		return RuleSnapshot
	case errors.Is(err, loader.ErrCmdline):
		return RuleClaim
	}
	return RuleInternal
}

// devices are what a claim attaches, by name.
type devices struct {
	blocks   map[string]*modules.Block
	nets     map[string]*modules.Net
	channels map[string]*modules.Net
}

func (d devices) blockFDs() []int {
	var out []int
	for _, b := range d.blocks {
		out = append(out, b.FD())
	}
	return out
}

// load checks the claim against its files and puts the guest into the
// machine. The files that are not the guest's devices are closed but for the
// one that Save writes.
func (s *slot) load(c wire.Claim, files []*os.File) error {
	if len(files) != c.Files() {
		closeAll(files)
		return refuse(RuleClaim, "%d files for a claim of %d", len(files), c.Files())
	}
	kernel := files[0]
	defer kernel.Close()
	if c.Save {
		s.saver.file, files = files[len(files)-1], files[:len(files)-1]
	}
	var saved *os.File
	if c.Restore {
		saved, files = files[len(files)-1], files[:len(files)-1]
		defer saved.Close()
	}
	if err := s.attach(c.Devices, files[1:]); err != nil {
		return err
	}
	size, err := loader.Size(uint64(c.MemMiB) << 20)
	if err != nil || size != uint64(c.MemMiB)<<20 {
		return refuse(RuleMemory, "guest memory of %d MiB is not 2 MiB to 4 GiB in steps of 2 MiB", c.MemMiB)
	}
	info, err := kernel.Stat()
	if err != nil {
		return refuse(RuleImage, "kernel: %w", err)
	}
	image, err := hvt.ReadNotes(kernel, info.Size(), hvt.MachineOf(runtime.GOARCH))
	if err != nil {
		return err
	}
	config := tender.Config{Image: image, Kernel: kernel, Memory: size, Cmdline: c.Cmdline,
		Blocks: s.devices.blocks, Nets: s.devices.nets, Channels: s.devices.channels, Ring: true, Console: s.console.write}
	if c.Restore {
		err = s.restore(config, saved)
	} else {
		err = s.machine.Load(config)
	}
	if err != nil {
		return err
	}
	return jail.LimitFiles(s.largestFile(c.Save))
}

// attach makes the host's side of each device. files are those of the
// devices that bring one, in order.
func (s *slot) attach(list []wire.Device, files []*os.File) error {
	s.devices = devices{map[string]*modules.Block{}, map[string]*modules.Net{}, map[string]*modules.Net{}}
	for i, d := range list {
		if !hvt.ValidDeviceName(d.Name) {
			return refuse(RuleClaim, "device %d: bad name %q", i, d.Name)
		}
		if s.devices.blocks[d.Name] != nil || s.devices.nets[d.Name] != nil || s.devices.channels[d.Name] != nil {
			return refuse(RuleClaim, "device %s: given twice", d.Name)
		}
		var f *os.File
		if d.UsesFile() {
			f, files = files[0], files[1:]
		} else if f, s.data = s.data, nil; f == nil {
			return refuse(RuleClaim, "device %s: the slot has one packet socket", d.Name)
		}
		if err := s.device(d, f); err != nil {
			return refuse(RuleDevice, "device %s: %w", d.Name, err)
		}
	}
	return nil
}

func (s *slot) device(d wire.Device, f *os.File) error {
	switch {
	case hvt.DeviceType(d.Type) == hvt.Block && d.Source == wire.File:
		b, err := modules.NewBlock(f, uint64(d.SectorSize), d.ReadOnly)
		s.devices.blocks[d.Name] = b
		return err
	case hvt.DeviceType(d.Type) == hvt.Net && d.Source == wire.SlotPacket:
		n, err := modules.NewPacket(f, d.MAC)
		s.devices.nets[d.Name] = n
		return err
	case hvt.DeviceType(d.Type) == hvt.Net && d.Source == wire.Channel:
		n, err := modules.NewChannel(f, int(d.MTU))
		s.devices.channels[d.Name] = n
		return err
	case hvt.DeviceType(d.Type) == hvt.Net:
		n, err := modules.NewTap(f, d.MTU, d.MAC)
		s.devices.nets[d.Name] = n
		return err
	}
	return fmt.Errorf("type %d cannot have source %d", d.Type, d.Source)
}

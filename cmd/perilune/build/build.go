// Package build makes everything the flat-sat needs out of the source tree:
// programs, initramfs, unified kernel image and disk. What has not changed is
// not made again.
package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/perilune/perilune/images/disk"
	"github.com/perilune/perilune/images/kernel"
	"github.com/perilune/perilune/images/uki"
	"github.com/perilune/perilune/initramfs"
)

// Cmdline is the kernel's command line for QEMU. no_timer_check is there
// because a loaded host can be too slow for the kernel's test of its timer.
const Cmdline = "console=ttyS0 quiet no_timer_check panic=5"

// modules of the craft in QEMU; what they depend on comes by itself. vfat and
// its code pages are for reading the ESP.
var modules = []string{
	"virtio_blk", "i6300esb", "efivarfs", "kvm", "kvm_amd", "kvm_intel",
}

// Sizes of the partitions. A FAT of more than 260 MiB has clusters of 4 KiB
// instead of 512 octets, which firmware reads several times faster; the disk
// is a sparse file, so that size costs nothing.
const (
	espMiB  = 272
	dataMiB = 1024

	// DataOffset is where the data partition starts on the disk, in octets.
	DataOffset = disk.FirstOffset + espMiB<<20
)

// Options says what to build, and where.
type Options struct {
	Dir    string // for artefacts, "out"
	Cache  string // for downloads; "" is Dir/cache
	Source string // root of the source tree; "" is the current folder
	Arch   string // of the craft; "" is "amd64"

	// Files go into the initramfs: path there → file here. etc/perilune/keys
	// is for flight's eyes only.
	Files map[string]string

	// Flight and Tender replace the packages of the two flight programs.
	Flight, Tender string
	// Host lists packages to build for this machine; nil is the CLI.
	Host []string
}

// Artefacts are the paths of what was built.
type Artefacts struct {
	Bin       string // folder of this machine's programs
	FlightBin string // folder of the craft's programs
	Kernel    *kernel.Kernel
	Initramfs string
	UKI       string
	Disk      string   // pristine: copy it (disk.Copy) before a craft writes to it
	Made      []string // what was not up to date
}

type builder struct {
	Options
	log  *slog.Logger
	made []string
}

// Build makes the artefacts.
func Build(ctx context.Context, o Options, log *slog.Logger) (*Artefacts, error) {
	b := &builder{Options: o, log: log}
	b.defaults()
	a, err := b.build(ctx)
	if err != nil {
		return nil, fmt.Errorf("build: %w", err)
	}
	return a, nil
}

func (b *builder) defaults() {
	if b.Arch == "" {
		b.Arch = "amd64"
	}
	if b.Cache == "" {
		b.Cache = filepath.Join(b.Dir, "cache")
	}
	if b.Source == "" {
		b.Source = "."
	}
	if b.Flight == "" {
		b.Flight = "./cmd/perilune-flight"
	}
	if b.Tender == "" {
		b.Tender = "./cmd/perilune-tender"
	}
	if b.Host == nil {
		b.Host = []string{"./cmd/perilune"}
	}
}

func (b *builder) build(ctx context.Context) (*Artefacts, error) {
	dir, err := filepath.Abs(b.Dir)
	if err != nil {
		return nil, err
	}
	images := filepath.Join(dir, "image-"+b.Arch)
	a := &Artefacts{
		Bin: filepath.Join(dir, "bin"), FlightBin: filepath.Join(dir, "bin", "linux-"+b.Arch),
		Initramfs: filepath.Join(images, "initramfs.cpio"),
		UKI:       filepath.Join(images, "perilune.efi"),
		Disk:      filepath.Join(images, "disk.img"),
	}
	for _, d := range []string{a.FlightBin, images, b.Cache} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return nil, err
		}
	}
	if err := b.programs(ctx, a); err != nil {
		return nil, err
	}
	if a.Kernel, err = b.kernel(ctx); err != nil {
		return nil, err
	}
	if err := b.initramfs(a, images); err != nil {
		return nil, err
	}
	if err := b.uki(a); err != nil {
		return nil, err
	}
	if err := b.disk(ctx, a, images); err != nil {
		return nil, err
	}
	a.Made = b.made
	return a, nil
}

func (b *builder) kernel(ctx context.Context) (*kernel.Kernel, error) {
	start := time.Now()
	k, err := kernel.Fetch(ctx, b.Cache, b.Arch)
	if err != nil {
		return nil, err
	}
	b.log.Debug("kernel", "package", k.Package, "took", time.Since(start).Round(time.Millisecond))
	return k, nil
}

func (b *builder) initramfs(a *Artefacts, images string) error {
	spec := initramfs.Spec{
		Programs: map[string]string{
			"init":                filepath.Join(a.FlightBin, "init"),
			"bin/perilune-flight": filepath.Join(a.FlightBin, "perilune-flight"),
			"bin/perilune-tender": filepath.Join(a.FlightBin, "perilune-tender"),
		},
		Files: b.Files,
	}
	in := newDigest("initramfs 1", a.Kernel.Package, a.Kernel.Version)
	in.text(modules...)
	for _, files := range []map[string]string{spec.Programs, spec.Files} {
		for _, name := range slices.Sorted(maps.Keys(files)) {
			in.file(name, files[name])
		}
	}
	return b.step("initramfs", a.Initramfs, in, func(tmp string) error {
		dir, err := os.MkdirTemp(images, "modules-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		if spec.Modules, err = a.Kernel.ExtractModules(dir, modules); err != nil {
			return err
		}
		f, err := os.Create(tmp)
		if err != nil {
			return err
		}
		return errors.Join(initramfs.Build(f, spec), f.Close())
	})
}

func (b *builder) uki(a *Artefacts) error {
	stub := uki.Stub[b.Arch]
	release := fmt.Sprintf("ID=perilune\nNAME=Perilune\nPRETTY_NAME=\"Perilune on Linux %s\"\n", a.Kernel.Release)
	in := newDigest("uki 1", Cmdline, release)
	for _, p := range []string{stub, a.Kernel.Image, a.Initramfs} {
		in.file(filepath.Base(p), p)
	}
	return b.step("uki", a.UKI, in, func(tmp string) error {
		image, err := uki.Build(uki.Spec{
			Stub: stub, Kernel: a.Kernel.Image, Initrd: a.Initramfs, Cmdline: Cmdline, OSRelease: release,
		})
		if err != nil {
			return err
		}
		return os.WriteFile(tmp, image, 0o644)
	})
}

// loaderConf boots at once; there is nobody to ask.
var loaderConf = []byte("timeout 0\neditor no\nconsole-mode keep\n")

func (b *builder) disk(ctx context.Context, a *Artefacts, images string) error {
	conf := filepath.Join(images, "loader.conf")
	if old, err := os.ReadFile(conf); err != nil || !bytes.Equal(old, loaderConf) {
		if err := os.WriteFile(conf, loaderConf, 0o644); err != nil {
			return err
		}
	}
	spec := disk.Spec{ESPMiB: espMiB, DataMiB: dataMiB, ESP: map[string]string{
		disk.LoaderPath[b.Arch]:  disk.Loader[b.Arch],
		"EFI/Linux/perilune.efi": a.UKI,
		"loader/loader.conf":     conf,
	}}
	in := newDigest("disk 1", fmt.Sprint(spec.ESPMiB, spec.DataMiB))
	for _, name := range slices.Sorted(maps.Keys(spec.ESP)) {
		in.file(name, spec.ESP[name])
	}
	return b.step("disk", a.Disk, in, func(tmp string) error {
		return disk.Build(ctx, tmp, spec)
	})
}

// Package disk makes the craft's disk: a GPT with an EFI system partition
// and an ext4 data partition, written as a plain file without root and
// without loop mounts.
package disk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/diskfs/go-diskfs"
	gdisk "github.com/diskfs/go-diskfs/disk"
	"github.com/diskfs/go-diskfs/filesystem"
	"github.com/diskfs/go-diskfs/partition/gpt"

	"github.com/perilune/perilune/internal/initproto"
)

// Names of the partitions; on board they are found by these.
const (
	ESPName  = "perilune-esp"
	DataName = initproto.DataPartition
)

const (
	mib    = 1 << 20
	sector = 512

	// FirstOffset is where the first partition, the ESP, starts, in octets.
	FirstOffset = mib
)

// Identities are fixed so that equal input gives an equal disk; a craft has
// only one of them.
const (
	diskGUID = "5045524C-4C55-4E45-8000-000000000001"
	espGUID  = "5045524C-4C55-4E45-8000-000000000002"
	dataGUID = "5045524C-4C55-4E45-8000-000000000003"
)

// Spec says what the disk holds.
type Spec struct {
	ESPMiB  int               // FAT32 needs at least 34
	ESP     map[string]string // path on the ESP, with '/', to path of a file here
	DataMiB int
}

// Loader is where Debian's package systemd-boot-efi puts the boot loader.
var Loader = map[string]string{
	"amd64": "/usr/lib/systemd/boot/efi/systemd-bootx64.efi",
	"arm64": "/usr/lib/systemd/boot/efi/systemd-bootaa64.efi",
}

// LoaderPath is where firmware looks for a boot loader on removable media.
var LoaderPath = map[string]string{"amd64": "EFI/BOOT/BOOTX64.EFI", "arm64": "EFI/BOOT/BOOTAA64.EFI"}

// Build writes the disk to file, or leaves nothing there.
func Build(ctx context.Context, file string, s Spec) error {
	if s.ESPMiB < 34 || s.DataMiB < 16 {
		return fmt.Errorf("disk %s: ESP of %d MiB and data of %d MiB are too small", file, s.ESPMiB, s.DataMiB)
	}
	tmp := file + ".tmp"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("disk: %w", err)
	}
	defer os.Remove(tmp)
	if err := writeESP(tmp, s); err != nil {
		return fmt.Errorf("disk %s: %w", file, err)
	}
	if err := writeData(ctx, tmp, s); err != nil {
		return fmt.Errorf("disk %s: data partition: %w", file, err)
	}
	if err := os.Rename(tmp, file); err != nil {
		return fmt.Errorf("disk: %w", err)
	}
	return nil
}

func table(s Spec) *gpt.Table {
	start := uint64(FirstOffset / sector)
	dataStart := start + uint64(s.ESPMiB)*mib/sector
	return &gpt.Table{
		ProtectiveMBR: true, LogicalSectorSize: sector, PhysicalSectorSize: sector, GUID: diskGUID,
		Partitions: []*gpt.Partition{
			{Index: 1, Name: ESPName, GUID: espGUID, Type: gpt.EFISystemPartition,
				Start: start, End: dataStart - 1},
			{Index: 2, Name: DataName, GUID: dataGUID, Type: gpt.LinuxFilesystem,
				Start: dataStart, End: dataStart + uint64(s.DataMiB)*mib/sector - 1},
		},
	}
}

// fatEpoch is the first instant that FAT knows, 1 January 1980, in seconds of Unix.
const fatEpoch = "315532800"

// stopClock gives every entry of the ESP one date. The library takes it from the
// environment alone; a date that the user has set there stays.
func stopClock() error {
	if os.Getenv("SOURCE_DATE_EPOCH") != "" {
		return nil
	}
	return os.Setenv("SOURCE_DATE_EPOCH", fatEpoch)
}

func writeESP(file string, s Spec) (err error) {
	if err := stopClock(); err != nil {
		return err
	}
	// One MiB in front for the table, one behind for its copy.
	d, err := diskfs.Create(file, int64(s.ESPMiB+s.DataMiB+2)*mib, sector)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := d.Partition(table(s)); err != nil {
		return fmt.Errorf("partition table: %w", err)
	}
	fat, err := d.CreateFilesystem(gdisk.FilesystemSpec{
		Partition: 1, FSType: filesystem.TypeFat32, VolumeLabel: "PERILUNE", Reproducible: true,
	})
	if err != nil {
		return fmt.Errorf("ESP: %w", err)
	}
	names := make([]string, 0, len(s.ESP))
	for n := range s.ESP {
		names = append(names, n)
	}
	slices.Sort(names)
	made := map[string]bool{".": true, "/": true}
	for _, n := range names {
		if err := mkdirs(fat, made, path.Dir(n)); err != nil {
			return fmt.Errorf("ESP: folder of %s: %w", n, err)
		}
		if err := copyInto(fat, n, s.ESP[n]); err != nil {
			return fmt.Errorf("ESP: %s: %w", n, err)
		}
	}
	return nil
}

func mkdirs(fat filesystem.FileSystem, made map[string]bool, dir string) error {
	if made[dir] {
		return nil
	}
	if err := mkdirs(fat, made, path.Dir(dir)); err != nil {
		return err
	}
	made[dir] = true
	return fat.Mkdir(dir)
}

func copyInto(fat filesystem.FileSystem, name, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := fat.OpenFile(name, os.O_CREATE|os.O_RDWR)
	if err != nil {
		return err
	}
	// Large writes: each one updates the FAT.
	_, err = io.CopyBuffer(struct{ io.Writer }{out}, struct{ io.Reader }{in}, make([]byte, 32*mib))
	return errors.Join(err, out.Close())
}

// writeData makes the file system in a file of its own and copies the parts
// of it that are not zero.
func writeData(ctx context.Context, file string, s Spec) error {
	fs := filepath.Join(filepath.Dir(file), filepath.Base(file)+".ext4")
	defer os.Remove(fs)
	if err := makeExt4(ctx, fs, s.DataMiB); err != nil {
		return err
	}
	in, err := os.Open(fs)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = sparseCopy(out, int64(FirstOffset)+int64(s.ESPMiB)*mib, in)
	return errors.Join(err, out.Close())
}

func makeExt4(ctx context.Context, file string, sizeMiB int) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Truncate(int64(sizeMiB)*mib), f.Close()); err != nil {
		return err
	}
	tool, err := exec.LookPath("mkfs.ext4")
	if err != nil {
		tool = "/usr/sbin/mkfs.ext4" // not on every user's path
	}
	// Tables are initialised now, not by the craft.
	c := exec.CommandContext(ctx, tool, "-q", "-F", "-L", DataName, "-m", "1", "-U", dataGUID,
		"-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard,hash_seed="+diskGUID, file)
	c.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=0", "E2FSPROGS_FAKE_TIME=1")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("mkfs.ext4: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

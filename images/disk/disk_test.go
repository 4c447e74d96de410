package disk_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/diskfs/go-diskfs"
	"github.com/diskfs/go-diskfs/partition/gpt"

	"github.com/perilune/perilune/images/disk"
)

func build(t *testing.T) (image string, contents []byte) {
	t.Helper()
	dir := t.TempDir()
	contents = bytes.Repeat([]byte("unified kernel "), 100_000)
	from := filepath.Join(dir, "from")
	if err := os.WriteFile(from, contents, 0o600); err != nil {
		t.Fatal(err)
	}
	image = filepath.Join(dir, "disk.img")
	err := disk.Build(context.Background(), image, disk.Spec{
		ESPMiB: 40, DataMiB: 16,
		ESP: map[string]string{"EFI/BOOT/BOOTX64.EFI": from, "EFI/Linux/perilune.efi": from, "loader/loader.conf": from},
	})
	if err != nil {
		t.Fatal(err)
	}
	return image, contents
}

func need(t *testing.T, tool string) string {
	t.Helper()
	for _, p := range []string{tool, "/usr/sbin/" + tool} {
		if path, err := exec.LookPath(p); err == nil {
			return path
		}
	}
	t.Skipf("needs %s: run 'perilune doctor --install --for test'", tool)
	return ""
}

func run(t *testing.T, tool string, args ...string) string {
	t.Helper()
	c := exec.Command(tool, args...)
	c.Env = append(os.Environ(), "MTOOLS_SKIP_CHECK=1")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Errorf("%s %v: %v\n%s", tool, args, err, out)
	}
	return string(out)
}

func TestTable(t *testing.T) {
	image, _ := build(t)
	d, err := diskfs.Open(image, diskfs.WithOpenMode(diskfs.ReadOnly))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	table, err := d.GetPartitionTable()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range table.(*gpt.Table).Partitions {
		got = append(got, p.Name+" "+string(p.Type))
	}
	want := []string{
		disk.ESPName + " " + string(gpt.EFISystemPartition),
		disk.DataName + " " + string(gpt.LinuxFilesystem),
	}
	if strings.Join(got, ",") != strings.Join(want, ",") {
		t.Errorf("partitions %q", got)
	}
}

// Other people's tools find nothing to complain about.
func TestCleanForSgdisk(t *testing.T) {
	image, _ := build(t)
	if out := run(t, need(t, "sgdisk"), "--verify", image); !strings.Contains(out, "No problems found") {
		t.Errorf("sgdisk:\n%s", out)
	}
}

func TestReadByMtools(t *testing.T) {
	image, contents := build(t)
	got := run(t, need(t, "mtype"), "-i", image+"@@1M", "::EFI/Linux/perilune.efi")
	if got != string(contents) {
		t.Errorf("mtools reads %d octets, want %d", len(got), len(contents))
	}
}

func TestCleanForFsck(t *testing.T) {
	fsck := need(t, "e2fsck")
	image, _ := build(t)
	b, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	fs := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(fs, b[41<<20:57<<20], 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, fsck, "-f", "-n", fs)
}

func TestReproducible(t *testing.T) {
	a, _ := build(t)
	time.Sleep(2100 * time.Millisecond) // FAT counts in two seconds
	b, _ := build(t)
	x, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := os.ReadFile(b)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(x, y) {
		for i := range x {
			if x[i] != y[i] {
				t.Fatalf("two builds of the same differ, first at %#x", i)
			}
		}
	}
}

func TestRefusesSmall(t *testing.T) {
	file := filepath.Join(t.TempDir(), "disk.img")
	if err := disk.Build(context.Background(), file, disk.Spec{ESPMiB: 16, DataMiB: 16}); err == nil {
		t.Error("an ESP of 16 MiB was made")
	}
	err := disk.Build(context.Background(), file, disk.Spec{ESPMiB: 40, DataMiB: 16, ESP: map[string]string{"a": "/no/such/file"}})
	if err == nil || !strings.Contains(err.Error(), "/no/such/file") {
		t.Errorf("missing file: %v", err)
	}
	if left, _ := filepath.Glob(file + "*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestCopyKeepsHoles(t *testing.T) {
	dir := t.TempDir()
	src, dst := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	data := make([]byte, 1<<20)
	copy(data[300_000:], "something")
	if err := os.WriteFile(src, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := disk.Copy(dst, src); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(dst)
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("the copy differs, %v", err)
	}
	if err := disk.Copy(dst, filepath.Join(dir, "none")); err == nil {
		t.Error("nothing was copied")
	}
}

// What does not fit is refused; nothing is left behind.
func TestRefusesFull(t *testing.T) {
	dir := t.TempDir()
	from := filepath.Join(dir, "from")
	if err := os.WriteFile(from, bytes.Repeat([]byte("kernel"), 8<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	err := disk.Build(context.Background(), filepath.Join(dir, "disk.img"), disk.Spec{
		ESPMiB: 40, DataMiB: 16, ESP: map[string]string{"EFI/Linux/perilune.efi": from},
	})
	if err == nil || !strings.Contains(err.Error(), "perilune.efi") {
		t.Errorf("48 MiB in 40: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "disk*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/klauspost/compress/zstd"

	"github.com/perilune/perilune/internal/syncfile"
	"github.com/perilune/perilune/missions"
)

// maxWindow bounds what a compressed layer can make the decoder allocate, in octets.
const maxWindow = 4 << 20

// complete holds the layers against mission.toml: each block device's content is there,
// at least one kernel, nothing twice and nothing more.
func (b *Bundle) complete() error {
	want := map[string]bool{}
	for _, blk := range b.Mission.Block {
		want[path.Base(blk.File)] = true
	}
	kernels := map[string]bool{}
	for _, l := range b.Layers {
		switch {
		case l.Arch != "" && (l.Arch != "amd64" && l.Arch != "arm64" || kernels[l.Arch]):
			return missions.Rulef(missions.RuleLayout, "kernel for %q: want one each for amd64 and arm64", l.Arch)
		case l.Arch != "":
			kernels[l.Arch] = true
		case !want[l.Name]:
			return missions.Rulef(missions.RuleBlob, "blob %q belongs to no block device of mission.toml", l.Name)
		default:
			delete(want, l.Name)
		}
	}
	for name := range want {
		return missions.Rulef(missions.RuleBlob, "block device content %q is missing", name)
	}
	if len(kernels) == 0 {
		return missions.Rulef(missions.RuleBlob, "no kernel")
	}
	return nil
}

// Unpacked is the size of all layers when unpacked, in octets.
func (b *Bundle) Unpacked() int64 {
	var n int64
	for _, l := range b.Layers {
		n += l.Size
	}
	return n
}

// Extract unpacks mission.toml, the kernel for arch as "kernel" and the blobs under
// their names into dir, which must not exist, and syncs them.
func (b *Bundle) Extract(dir, arch string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(dir, "blobs"), 0o755); err != nil {
		return err
	}
	if err := store(bytes.NewReader(b.TOML), filepath.Join(dir, "mission.toml"), int64(len(b.TOML))); err != nil {
		return err
	}
	found := false
	for _, l := range b.Layers {
		to := filepath.Join(dir, "blobs", l.Name)
		if l.Arch != "" {
			if l.Arch != arch {
				continue
			}
			found, to = true, filepath.Join(dir, "kernel")
		}
		if err := b.unpack(l, to); err != nil {
			return err
		}
	}
	if !found {
		return missions.Rulef(missions.RuleELF, "no kernel for %s in the bundle", arch)
	}
	return errors.Join(syncfile.Dir(filepath.Join(dir, "blobs")), syncfile.Dir(dir))
}

// unpack stores one layer as the file to.
func (b *Bundle) unpack(l Layer, to string) error {
	var in io.Reader = io.NewSectionReader(b.f, l.at.off, l.at.size)
	if l.zstd {
		dec, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return err
		}
		defer dec.Close()
		in = dec
	}
	return store(in, to, l.Size)
}

// store writes a new file of exactly size octets and syncs it: what is installed must
// outlast a crash in the next moment.
func store(in io.Reader, to string, size int64) (err error) {
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	// One octet more than promised is enough to know a lie.
	n, err := io.Copy(out, io.LimitReader(in, size+1))
	if disk := (*fs.PathError)(nil); errors.As(err, &disk) {
		return err // no fault of the bundle's
	}
	if err != nil {
		return missions.Rulef(missions.RuleLayout, "unpack %s: %v", filepath.Base(to), err)
	}
	if n != size {
		return missions.Rulef(missions.RuleSize, "%s unpacks to %s octets, it says %d", filepath.Base(to), moreThan(n, size), size)
	}
	return out.Sync()
}

func moreThan(n, limit int64) string {
	if n > limit {
		return fmt.Sprintf("more than %d", limit)
	}
	return fmt.Sprint(n)
}

// Package kernel gets the Linux kernel of the image: Debian's package for
// clouds, downloaded and unpacked into a cache, never installed.
package kernel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/perilune/perilune/internal/debian"
)

// Kernel is one unpacked kernel package.
type Kernel struct {
	Package string // "linux-image-6.12.117+deb12-cloud-amd64"
	Version string // of the package
	Release string // uname -r
	Image   string // path of vmlinuz
	Modules string // path of lib/modules/RELEASE
}

// ErrArch says that no kernel is known for an architecture.
var ErrArch = errors.New("no kernel for this architecture")

// ErrNoPackage says that no package source offers a fitting kernel.
var ErrNoPackage = errors.New("no linux-image-6.12 cloud package found")

// Fetch gives the kernel for arch ("amd64" or "arm64") from the cache, or
// downloads it by apt-get and unpacks it there by dpkg-deb. A kernel that is
// in the cache is taken without asking anybody: to get a newer one, remove
// its folder.
func Fetch(ctx context.Context, cache, arch string) (*Kernel, error) {
	if arch != "amd64" && arch != "arm64" {
		return nil, fmt.Errorf("%w: %s", ErrArch, arch)
	}
	dir := filepath.Join(cache, "kernel", arch)
	if k, err := load(dir); err == nil {
		return k, nil
	}
	work, err := freshDir(filepath.Join(cache, "kernel"), arch)
	if err != nil {
		return nil, fmt.Errorf("kernel cache: %w", err)
	}
	defer os.RemoveAll(work)
	pkg, err := download(ctx, work, arch)
	if err != nil {
		return nil, fmt.Errorf("download kernel: %w", err)
	}
	if err := debian.Unpack(ctx, pkg.File, filepath.Join(work, "root")); err != nil {
		return nil, fmt.Errorf("unpack %s: %w", pkg.Name, err)
	}
	if err := store(work, pkg); err != nil {
		return nil, fmt.Errorf("kernel cache: %w", err)
	}
	if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("kernel cache: %w", err)
	}
	if err := os.Rename(work, dir); err != nil {
		return nil, fmt.Errorf("kernel cache: %w", err)
	}
	return load(dir)
}

func freshDir(parent, arch string) (string, error) {
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", err
	}
	abs, err := filepath.Abs(parent)
	if err != nil {
		return "", err
	}
	return os.MkdirTemp(abs, arch+".tmp-")
}

// stamp is what is known of a package in the cache; it is written last, so
// that a folder with it is whole.
type stamp struct{ Package, Version, Release string }

func store(work string, p *deb) error {
	found, err := filepath.Glob(filepath.Join(work, "root", "boot", "vmlinuz-*"))
	if err != nil || len(found) != 1 {
		return fmt.Errorf("%s holds %d kernels, not one", p.Name, len(found))
	}
	release := filepath.Base(found[0])[len("vmlinuz-"):]
	if err := os.Remove(p.File); err != nil {
		return err
	}
	b, err := json.Marshal(stamp{p.Name, p.Version, release})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(work, "kernel.json"), b, 0o644)
}

func load(dir string) (*Kernel, error) {
	b, err := os.ReadFile(filepath.Join(dir, "kernel.json"))
	if err != nil {
		return nil, err
	}
	var s stamp
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, err
	}
	k := &Kernel{
		Package: s.Package, Version: s.Version, Release: s.Release,
		Image:   filepath.Join(dir, "root", "boot", "vmlinuz-"+s.Release),
		Modules: filepath.Join(dir, "root", "lib", "modules", s.Release),
	}
	for _, p := range []string{k.Image, k.Modules} {
		if _, err := os.Stat(p); err != nil {
			return nil, err
		}
	}
	return k, nil
}

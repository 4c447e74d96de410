// Package kernel gets the Linux kernel of the image: Debian's package for
// clouds, downloaded and unpacked into a cache, never installed.
package kernel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
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
	err := debian.Make(ctx, dir, func(work string) error {
		if _, err := load(dir); err == nil {
			return debian.ErrMade
		}
		return fetch(ctx, work, arch)
	})
	if err != nil {
		return nil, fmt.Errorf("kernel: %w", err)
	}
	return load(dir)
}

// fetch downloads the package into the folder work and unpacks it there.
func fetch(ctx context.Context, work, arch string) error {
	pkg, err := download(ctx, work, arch)
	if err != nil {
		return fmt.Errorf("download: %w", err)
	}
	if err := debian.Unpack(ctx, pkg.File, filepath.Join(work, "root")); err != nil {
		return fmt.Errorf("unpack %s: %w", pkg.Name, err)
	}
	if err := store(work, pkg); err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	return nil
}

// stamp is what is known of a package in the cache; it is written last, so
// that a folder with it is whole, unless the machine lost its power: Digest,
// SHA-256 of the kernel in hex, tells. Caches of old do not have it.
type stamp struct{ Package, Version, Release, Digest string }

func store(work string, p *deb) error {
	found, err := fs.Glob(os.DirFS(work), "root/boot/vmlinuz-*")
	if err != nil || len(found) != 1 {
		return fmt.Errorf("%s holds %d kernels, not one", p.Name, len(found))
	}
	release := path.Base(found[0])[len("vmlinuz-"):]
	sum, err := digest(filepath.Join(work, found[0]))
	if err != nil {
		return err
	}
	if err := os.Remove(p.File); err != nil {
		return err
	}
	b, err := json.Marshal(stamp{p.Name, p.Version, release, sum})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(work, "kernel.json"), b, 0o644)
}

func digest(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
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
	if s.Digest == "" {
		return k, nil
	}
	sum, err := digest(k.Image)
	if err == nil && sum != s.Digest {
		err = fmt.Errorf("%s is damaged", k.Image)
	}
	return k, err
}

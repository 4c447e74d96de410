package kernel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/perilune/perilune/internal/debian"
)

// deb is one downloaded package.
type deb struct{ Name, Version, File string }

// download tries the machine's own package sources first, then, with a
// private configuration that touches nothing of the machine, Debian 12's: the
// machine may have none, or lists so old that what they name is gone.
func download(ctx context.Context, work, arch string) (*deb, error) {
	if err := debian.Tools(); err != nil {
		return nil, err
	}
	d, own := get(ctx, debian.Own(arch), work, arch)
	if own == nil || ctx.Err() != nil {
		return d, own
	}
	if errors.Is(own, ErrNoPackage) {
		own = nil // which says nothing about the other sources' error
	}
	// This is where Debian 12 keeps its 6.12 kernels.
	dir := filepath.Join(work, "apt")
	private, err := debian.Private(dir, arch, debian.Security, debian.Backports)
	if err != nil {
		return nil, errors.Join(own, err)
	}
	stale := private.Update(ctx, dir)
	if d, err = get(ctx, private, work, arch); err != nil {
		return nil, errors.Join(own, stale, err)
	}
	return d, nil
}

// get downloads the newest kernel package that these sources have.
func get(ctx context.Context, a debian.Apt, work, arch string) (*deb, error) {
	out, err := a.Run(ctx, work, "apt-cache", "search", "--names-only", `^linux-image-6\.12.*-cloud-`+arch+`$`)
	if err != nil {
		return nil, err
	}
	name := newest(out, arch)
	if name == "" {
		return nil, ErrNoPackage
	}
	if _, err := a.Run(ctx, work, "apt-get", "download", name); err != nil {
		return nil, err
	}
	found, err := fs.Glob(os.DirFS(work), name+"_*.deb")
	if err != nil || len(found) != 1 {
		return nil, fmt.Errorf("apt-get download %s left %d files, not one", name, len(found))
	}
	version, _, _ := strings.Cut(strings.TrimPrefix(found[0], name+"_"), "_")
	return &deb{Name: name, Version: version, File: filepath.Join(work, found[0])}, nil
}

// newest picks the highest 6.12.N from apt-cache's lines "name - text".
// Backports name their packages 6.12.N+bpo, Debian 12 itself 6.12.N+deb12.
func newest(lines, arch string) string {
	re := regexp.MustCompile(`(?m)^(linux-image-6\.12\.(\d+)\+(?:deb12(?:\.\d+)?|bpo)-cloud-` + arch + `) `)
	best, name := -1, ""
	for _, m := range re.FindAllStringSubmatch(lines, -1) {
		if n, err := strconv.Atoi(m[2]); err == nil && n > best {
			best, name = n, m[1]
		}
	}
	return name
}

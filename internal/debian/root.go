package debian

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// stampFile lists the packages of a folder; it is written last, so that a folder with it is
// whole.
const stampFile = "packages"

// Root gives a folder with the files of packages for arch and of all that they depend on, as
// they lie below /: from the cache, or downloaded. What is in the cache is taken without
// asking anybody: to get newer ones, remove its folder.
func Root(ctx context.Context, cache, arch string, packages ...string) (string, error) {
	dir := filepath.Join(cache, "debian", arch)
	root := filepath.Join(dir, "root")
	stamp := []byte(strings.Join(slices.Sorted(slices.Values(packages)), "\n") + "\n")
	made := func() bool {
		b, err := os.ReadFile(filepath.Join(dir, stampFile))
		return err == nil && bytes.Equal(b, stamp)
	}
	if made() {
		return root, nil
	}
	err := Make(ctx, dir, func(work string) error {
		if made() {
			return ErrMade
		}
		return fetchRoot(ctx, work, arch, packages, stamp)
	})
	if err != nil {
		return "", fmt.Errorf("packages of Debian for %s: %w", arch, err)
	}
	return root, nil
}

func fetchRoot(ctx context.Context, work, arch string, packages []string, stamp []byte) error {
	if err := Tools(); err != nil {
		return err
	}
	if err := download(ctx, filepath.Join(work, "apt"), arch, packages, filepath.Join(work, "root")); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(work, "apt")); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(work, stampFile), stamp, 0o644)
}

// download fetches packages with their dependencies by a private configuration in the folder
// dir, and unpacks all into root.
func download(ctx context.Context, dir, arch string, packages []string, root string) error {
	apt, err := Private(dir, arch, Release, Security)
	if err != nil {
		return err
	}
	stale := apt.Update(ctx, dir)
	args := append([]string{"install", "-y", "--download-only", "--no-install-recommends"}, packages...)
	if _, err := apt.Run(ctx, dir, "apt-get", args...); err != nil {
		return errors.Join(stale, err)
	}
	files, err := fs.Glob(os.DirFS(dir), "cache/archives/*.deb")
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("apt-get downloaded nothing for %s", strings.Join(packages, " "))
	}
	for _, f := range files {
		if err := Unpack(ctx, filepath.Join(dir, f), root); err != nil {
			return err
		}
	}
	return nil
}

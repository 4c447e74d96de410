package tenant

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/perilune/perilune/internal/syncfile"
	"github.com/perilune/perilune/missions/store"
)

// openBlock opens a device's content. What the bundle brought is never written to: a
// writable device gets a copy of its own, which stays until another version comes.
func (m *Manager) openBlock(in *store.Installed, name, blob string, readOnly bool) (*os.File, error) {
	if readOnly {
		return os.Open(blob)
	}
	_, digits, _ := cutDigest(in.Digest)
	dir := filepath.Join(m.cfg.Scratch, in.Tenant, in.Name)
	file := filepath.Join(dir, digits+"-"+name)
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := removeOthers(dir, digits); err != nil {
		return nil, err
	}
	if err := copyFile(file, blob); err != nil {
		return nil, err
	}
	return os.OpenFile(file, os.O_RDWR, 0)
}

// removeOthers removes what devices of other versions than that of these digits have left in
// dir, and what a copy that did not end has.
func removeOthers(dir, digits string) error {
	files, err := os.ReadDir(dir)
	for _, f := range files {
		if !strings.HasPrefix(f.Name(), digits+"-") || strings.HasSuffix(f.Name(), copySuffix) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, f.Name())))
		}
	}
	return err
}

// copySuffix is in no device's name.
const copySuffix = ".part"

// copyFile copies through a temporary name, so that half a copy is never taken for one.
func copyFile(to, from string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to+copySuffix, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	if err = errors.Join(err, dst.Sync(), dst.Close()); err != nil {
		return errors.Join(err, os.Remove(to+copySuffix))
	}
	if err := os.Rename(to+copySuffix, to); err != nil {
		return err
	}
	return syncfile.Dir(filepath.Dir(to))
}

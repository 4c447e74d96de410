package tenant

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

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
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := copyFile(file, blob); err != nil {
		return nil, err
	}
	return os.OpenFile(file, os.O_RDWR, 0)
}

// copyFile copies through a temporary name, so that half a copy is never taken for one.
func copyFile(to, from string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to+".part", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	if err = errors.Join(err, dst.Sync(), dst.Close()); err != nil {
		return errors.Join(err, os.Remove(to+".part"))
	}
	return os.Rename(to+".part", to)
}

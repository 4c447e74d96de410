// Package syncfile writes files so that a power cut leaves the old content or the new one.
package syncfile

import (
	"errors"
	"os"
	"path/filepath"
)

// Dir makes the names in the folder dir last: a file that was synced may still be
// without its name after a crash.
func Dir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Replace puts data, readable to the owner alone, in the place of the file at path, so that
// either is there whole after a crash. Path with ".new" behind it is written on the way.
func Replace(path string, data []byte) error {
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return Dir(filepath.Dir(path))
}

package durable

import (
	"errors"
	"os"
)

// SyncDir makes the names in the folder dir last: a file that was synced may still be
// without its name after a crash.
func SyncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

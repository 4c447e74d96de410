package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// countBoot adds one to the number of boots kept in dir, and does not return
// before the new number would survive a loss of power. A number that cannot
// be read starts again at one, with an error beside it.
func countBoot(dir string) (uint32, error) {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return 0, err
	}
	path := filepath.Join(dir, "boots")
	old, readErr := readCounter(path)
	n := old + 1
	if err := replaceFile(path, fmt.Appendf(nil, "%d\n", n)); err != nil {
		return n, err
	}
	return n, readErr
}

func readCounter(path string) (uint32, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 31)
	return uint32(n), err
}

// replaceFile writes a new file, makes it durable and puts it in the place
// of the old one.
func replaceFile(path string, data []byte) error {
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
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

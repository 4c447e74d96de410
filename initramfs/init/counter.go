package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/perilune/perilune/internal/syncfile"
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
	if err := syncfile.Replace(path, fmt.Appendf(nil, "%d\n", n)); err != nil {
		return n, err
	}
	return n, readErr
}

// maxCounter bounds the file of a counter, in octets.
const maxCounter = 32

func readCounter(path string) (uint32, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxCounter)) // a damaged disk can tell of any size
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 31)
	return uint32(n), err
}

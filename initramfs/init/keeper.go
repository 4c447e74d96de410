package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/perilune/perilune/internal/initproto"
)

// kept are two files that outlive flight.
type kept struct {
	name  string
	files []*os.File
}

// keeper holds files for flight, by name.
type keeper map[string]kept

// keep takes over files.
func (k keeper) keep(name string, files []*os.File) error {
	_, again := k[name]
	switch {
	case len(files) != initproto.MaxFiles:
		closeAll(files)
		return fmt.Errorf("keep %q: %d files, want %d", name, len(files), initproto.MaxFiles)
	case !again && len(k) >= initproto.MaxKept:
		closeAll(files)
		return fmt.Errorf("keep %q: %d are kept already: it will not outlive flight; end guests that have channels", name, initproto.MaxKept)
	}
	k.forget(name)
	k[name] = kept{name, files}
	return nil
}

func (k keeper) forget(name string) {
	closeAll(k[name].files)
	delete(k, name)
}

// clear forgets everything: the guests that it was for are gone.
func (k keeper) clear() {
	for name := range k {
		k.forget(name)
	}
}

func (k keeper) sorted() []kept {
	var list []kept
	for _, v := range k {
		list = append(list, v)
	}
	slices.SortFunc(list, func(a, b kept) int { return strings.Compare(a.name, b.name) })
	return list
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

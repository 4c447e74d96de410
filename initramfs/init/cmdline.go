package main

import (
	"os"
	"slices"
	"strings"
)

// cmdline is the kernel's command line, word by word.
type cmdline []string

func readCmdline() cmdline {
	b, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		logf("command line: %v", err)
	}
	return strings.Fields(string(b))
}

func (c cmdline) has(word string) bool { return slices.Contains(c, word) }

// Package sdk makes guests: freestanding C for amd64 and arm64 with Solo5's
// public interface (include/solo5.h) and the craft's own (include/perilune.h).
// The C sources travel inside the binary; clang and lld come from the host.
package sdk

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed include lib link template
var files embed.FS

// ErrTools is wrapped when clang or lld is missing.
var ErrTools = errors.New("a build tool is missing")

// tools are the programs that a build runs.
type tools struct{ clang, lld string }

// findTools looks for clang and ld.lld on the path, under their plain names or
// with the version suffix that Debian and Ubuntu use.
func findTools() (tools, error) {
	var t tools
	var missing []string
	for _, tool := range []struct {
		path     *string
		name     string
		packages string
	}{{&t.clang, "clang", "clang"}, {&t.lld, "ld.lld", "lld"}} {
		if *tool.path = lookTool(tool.name); *tool.path == "" {
			missing = append(missing, tool.packages)
		}
	}
	if missing != nil {
		return t, fmt.Errorf("%w: install %s (Debian, Ubuntu: apt-get install %[2]s)", ErrTools, strings.Join(missing, " "))
	}
	return t, nil
}

func lookTool(name string) string {
	for _, suffix := range []string{"", "-20", "-19", "-18", "-17", "-16", "-15", "-14"} {
		if path, err := exec.LookPath(name + suffix); err == nil {
			return path
		}
	}
	return ""
}

// unpack writes the SDK's folder name (include, lib, link) below dir.
func unpack(dir, name string) error {
	return fs.WalkDir(files, name, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(path))
		if d.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		data, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o644)
	})
}

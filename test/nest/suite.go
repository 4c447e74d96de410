package nest

import (
	"context"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/perilune/perilune/test/nest/wire"
)

// Where Solo5's suite is in the nest, and the program that runs it.
const (
	solo5Path   = "/solo5"
	solo5Runner = "/bin/solo5"
)

// solo5Tools are what the suite's scripts call. What it does with gcc, which is to look
// whether it is Debian's, does without.
var solo5Tools = []string{"bash", "cat", "cut", "date", "dd", "env", "expr", "grep", "head", "id", "ip", "mkdir", "mktemp",
	"mv", "ping", "readlink", "rm", "sed", "seq", "sleep", "timeout", "tr", "true", "uname", "wc"}

// AddSolo5 adds a job that runs test/solo5 with args on a built Solo5 tree, and what it
// needs of the tree and of a system. The tender beside the tree's own is a program of this
// machine; "" is perilune-tender. Programs are built in the folder work.
func (c *Config) AddSolo5(ctx context.Context, work, dir, tender string, args ...string) error {
	if err := c.addProgram(ctx, work, solo5Runner, module+"/test/solo5"); err != nil {
		return err
	}
	there, err := c.addTender(ctx, work, tender)
	if err != nil {
		return err
	}
	if err := c.AddPrograms(ctx, solo5Tools...); err != nil {
		return err
	}
	c.addExecutable("/bin/sh", c.Programs["/bin/bash"])
	c.addExecutable("/usr/bin/env", c.Programs["/bin/env"])
	if err := c.addTree(ctx, dir); err != nil {
		return err
	}
	c.Jobs = append(c.Jobs, wire.Job{Args: append([]string{solo5Runner, "--dir", solo5Path, "--tender", there}, args...),
		Seconds: int(c.Limit.Seconds())})
	return nil
}

// addTree adds of a Solo5 tree what its suite needs for hvt.
func (c *Config) addTree(ctx context.Context, dir string) error {
	r, err := c.system(ctx)
	if err != nil {
		return err
	}
	for _, name := range []string{"solo5-hvt", "solo5-hvt-debug"} {
		p := path.Join("tenders/hvt", name)
		if err := c.addDynamic(r, path.Join(solo5Path, p), filepath.Join(dir, p)); err != nil {
			return err
		}
	}
	c.addFile(path.Join(solo5Path, "Makeconf.sh"), filepath.Join(dir, "Makeconf.sh"))
	return filepath.WalkDir(filepath.Join(dir, "tests"), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !ofSuite(p) {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		info, err := os.Stat(p)
		if err == nil && info.Mode().IsRegular() {
			c.addExecutable(path.Join(solo5Path, filepath.ToSlash(rel)), p)
		}
		return err
	})
}

// ofSuite tells guests for hvt and scripts from sources and objects.
func ofSuite(p string) bool {
	switch filepath.Ext(p) {
	case ".hvt", ".sh", ".bats":
		return true
	}
	return strings.HasPrefix(filepath.Base(p), "bats")
}

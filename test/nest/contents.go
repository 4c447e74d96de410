package nest

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/perilune/perilune/test/nest/wire"
)

// Where things are in the nest.
const (
	tenderPath = "/bin/perilune-tender"
	guestsPath = "/bin/guests"
)

// AddGuests adds a job that runs the folder's NAME.hvt against NAME.toml, by the program
// test/guests, and what it needs. Programs are built in the folder work.
func (c *Config) AddGuests(ctx context.Context, work, dir string) error {
	for to, pkg := range map[string]string{tenderPath: module + "/cmd/perilune-tender", guestsPath: module + "/test/guests"} {
		if err := c.addProgram(ctx, work, to, pkg); err != nil {
			return err
		}
	}
	there := fmt.Sprintf("/guests/%d", len(c.Jobs))
	found := 0
	for _, pattern := range []string{"*.hvt", "*.toml"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return err
		}
		for _, f := range files {
			c.addFile(path.Join(there, filepath.Base(f)), f)
		}
		found += len(files)
	}
	if found == 0 {
		return fmt.Errorf("no .hvt file in %s", dir)
	}
	c.Jobs = append(c.Jobs, wire.Job{Args: []string{guestsPath, "--dir", there, "--tender", tenderPath}, Seconds: 3600})
	return nil
}

// AddTests adds a job that runs the tests of the package in dir, with its testdata.
func (c *Config) AddTests(ctx context.Context, work, dir string, env ...string) error {
	name := strings.ReplaceAll(filepath.ToSlash(filepath.Clean(dir)), "/", "-")
	name = strings.Trim(name, ".-") + ".test"
	out := filepath.Join(work, name)
	if err := buildTest(ctx, out, c.Arch, dir); err != nil {
		return err
	}
	c.addExecutable("/bin/"+name, out)
	there := path.Join("/src", name)
	data := filepath.Join(dir, "testdata")
	err := filepath.WalkDir(data, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		c.addFile(path.Join(there, filepath.ToSlash(rel)), p)
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	c.addFile(path.Join(there, "go.mod"), os.DevNull) // so that the folder is there
	c.Jobs = append(c.Jobs, wire.Job{Args: []string{"/bin/" + name, "-test.v", "-test.short=false"}, Dir: there, Env: env})
	return nil
}

func (c *Config) addProgram(ctx context.Context, work, to, pkg string) error {
	if c.Programs[to] != "" {
		return nil
	}
	out := filepath.Join(work, path.Base(to))
	if err := build(ctx, out, c.Arch, pkg); err != nil {
		return err
	}
	c.addExecutable(to, out)
	return nil
}

func (c *Config) addExecutable(to, from string) {
	if c.Programs == nil {
		c.Programs = map[string]string{}
	}
	c.Programs[to] = from
}

func (c *Config) addFile(to, from string) {
	if c.Files == nil {
		c.Files = map[string]string{}
	}
	c.Files[to] = from
}

package nest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/perilune/perilune/tender/tendertest"
	"github.com/perilune/perilune/test/nest/wire"
)

// Where things are in the nest.
const (
	tenderPath   = "/bin/perilune-tender"
	guestsPath   = "/bin/guests"
	preparedPath = "/tendertest"
)

// AddGuests adds a job that runs the folder's NAME.hvt against NAME.toml, by the program
// test/guests, and what it needs. The tender is a program of this machine, with its
// libraries; "" is perilune-tender. Programs are built in the folder work.
func (c *Config) AddGuests(ctx context.Context, work, dir, tender string) error {
	if err := c.addProgram(ctx, work, guestsPath, module+"/test/guests"); err != nil {
		return err
	}
	there, err := c.addTender(ctx, work, tender)
	if err != nil {
		return err
	}
	folder := fmt.Sprintf("/guests/%d", len(c.Jobs))
	found := 0
	for _, pattern := range []string{"*.hvt", "*.toml"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return err
		}
		for _, f := range files {
			c.addFile(path.Join(folder, filepath.Base(f)), f)
		}
		found += len(files)
	}
	if found == 0 {
		return fmt.Errorf("no .hvt file in %s", dir)
	}
	c.Jobs = append(c.Jobs, wire.Job{Args: []string{guestsPath, "--dir", folder, "--tender", there}, Seconds: 3600})
	return nil
}

// AddTenderTests adds a job that runs the tests of the tender's package in dir, with its
// testdata, and the guests and the tender that they use.
func (c *Config) AddTenderTests(ctx context.Context, work, dir string) error {
	if err := c.addTendertest(work); err != nil {
		return err
	}
	name := filepath.Base(dir) + ".test"
	out := filepath.Join(work, name)
	if err := buildTest(ctx, out, c.Arch, dir); err != nil {
		return err
	}
	c.addExecutable("/bin/"+name, out)
	there := path.Join("/src", name)
	c.addFile(path.Join(there, "go.mod"), os.DevNull) // so that the folder is there
	files, err := filepath.Glob(filepath.Join(dir, "testdata", "*.*"))
	if err != nil {
		return err
	}
	for _, f := range files {
		c.addFile(path.Join(there, "testdata", filepath.Base(f)), f)
	}
	c.Jobs = append(c.Jobs, wire.Job{Args: []string{"/bin/" + name, "-test.v"}, Dir: there, Env: []string{"TENDERTEST_DIR=" + preparedPath}})
	return nil
}

// addTendertest adds what package tendertest takes instead of compiling it.
func (c *Config) addTendertest(work string) error {
	dir := filepath.Join(work, "tendertest")
	if err := os.Mkdir(dir, 0o755); os.IsExist(err) {
		return nil
	} else if err != nil {
		return err
	}
	if err := tendertest.Prepare(dir, c.Arch); err != nil {
		return err
	}
	files, err := os.ReadDir(dir)
	for _, f := range files {
		c.addExecutable(path.Join(preparedPath, f.Name()), filepath.Join(dir, f.Name()))
	}
	return err
}

// addTender gives the tender's path in the nest.
func (c *Config) addTender(ctx context.Context, work, tender string) (string, error) {
	if tender == "" {
		return tenderPath, c.addProgram(ctx, work, tenderPath, module+"/cmd/perilune-tender")
	}
	tender, err := exec.LookPath(tender)
	if err != nil {
		return "", err
	}
	there := path.Join("/bin", filepath.Base(tender))
	c.addExecutable(there, tender)
	out, err := exec.CommandContext(ctx, "ldd", tender).CombinedOutput()
	if strings.Contains(string(out), "not a dynamic executable") {
		return there, nil
	}
	if err != nil {
		return "", fmt.Errorf("libraries of %s: %w\n%s", tender, err, out)
	}
	for _, word := range strings.Fields(string(out)) {
		if filepath.IsAbs(word) { // "libc.so.6 => /lib/…/libc.so.6 (0x…)"
			c.addExecutable(word, word)
		}
	}
	return there, nil
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

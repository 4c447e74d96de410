package nest

import (
	"context"
	"fmt"
	"os/exec"
	"path"
	"path/filepath"

	"github.com/perilune/perilune/test/nest/wire"
)

// Where things are in the nest.
const (
	tenderPath = "/bin/perilune-tender"
	guestsPath = "/bin/guests"
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

// addTender gives the tender's path in the nest.
func (c *Config) addTender(ctx context.Context, work, tender string) (string, error) {
	if tender == "" {
		return tenderPath, c.addProgram(ctx, work, tenderPath, module+"/cmd/perilune-tender")
	}
	tender, err := exec.LookPath(tender)
	if err != nil {
		return "", err
	}
	r, err := c.system(ctx)
	if err != nil {
		return "", err
	}
	there := path.Join("/bin", filepath.Base(tender))
	return there, c.addDynamic(r, there, tender)
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

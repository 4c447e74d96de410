package nest

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"runtime"

	"github.com/perilune/perilune/tender/tendertest"
	"github.com/perilune/perilune/test/nest/wire"
)

// testSeconds is the limit of one package: gdb takes seconds to start in there.
const testSeconds = 1800

// preparedPath is where the guests and the tender of package tendertest are in the nest,
// which has no compiler.
const preparedPath = "/tendertest"

// gdbNames says what gdb is called on this machine, which has the one for all architectures,
// and in Debian's small package for the other architecture.
var gdbNames = map[bool]string{true: "gdb-multiarch", false: "gdb"}

// AddTests adds a job that runs the tests of the package in the folder dir, with its
// testdata, what package tendertest gives them, gdb, and /bin/true. The flags are for the
// tests. Programs are built in the folder work.
func (c *Config) AddTests(ctx context.Context, work, dir string, flags ...string) error {
	if err := c.addProgram(ctx, work, "/bin/true", module+"/test/nest/true"); err != nil {
		return err
	}
	if err := c.addTendertest(work); err != nil {
		return err
	}
	if err := c.AddPrograms(ctx, gdbNames[c.Arch == runtime.GOARCH]); err != nil {
		return err
	}
	there := TestDir(dir)
	name := path.Base(there)
	out := filepath.Join(work, name)
	if err := buildTest(ctx, out, c.Arch, dir); err != nil {
		return err
	}
	c.addExecutable(path.Join("/bin", name), out)
	if err := c.addFolders(out+".guests", dir); err != nil {
		return err
	}
	c.Jobs = append(c.Jobs, wire.Job{Args: append([]string{path.Join("/bin", name), "-test.v"}, flags...), Dir: there,
		Env: []string{"TENDERTEST_DIR=" + preparedPath}, Seconds: testSeconds})
	return nil
}

// TestDir is where the tests of the package in the folder dir start in the nest.
func TestDir(dir string) string { return path.Join("/src", filepath.Base(dir)+".test") }

// addFolders adds the package's testdata, and the guests whose main.c is in a folder of its
// own, built in the folder work.
func (c *Config) addFolders(work, dir string) error {
	there := TestDir(dir)
	c.addFile(path.Join(there, "go.mod"), os.DevNull) // so that the folder is there
	files, err := filepath.Glob(filepath.Join(dir, "testdata", "*.*"))
	if err != nil {
		return err
	}
	for _, f := range files {
		c.addFile(path.Join(there, "testdata", filepath.Base(f)), f)
	}
	sources, err := filepath.Glob(filepath.Join(dir, "*", "main.c"))
	if err != nil {
		return err
	}
	for _, source := range sources {
		name := filepath.Base(filepath.Dir(source))
		out := filepath.Join(work, name)
		if err := os.MkdirAll(out, 0o755); err != nil {
			return err
		}
		guest, err := tendertest.PrepareFrom(out, filepath.Dir(source), c.Arch)
		if err != nil {
			return err
		}
		c.addExecutable(path.Join(there, name, filepath.Base(guest)), guest)
	}
	return nil
}

// addTendertest adds what package tendertest takes instead of compiling it, once.
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

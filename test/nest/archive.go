package nest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/perilune/perilune/images/kernel"
	"github.com/perilune/perilune/initramfs"
	"github.com/perilune/perilune/test/nest/wire"
)

// module is the name of this Go module.
const module = "github.com/perilune/perilune"

// archive writes the nest's root folder.
func (c Config) archive(ctx context.Context, dir, out string, k *kernel.Kernel) error {
	init := filepath.Join(dir, "init")
	if err := build(ctx, init, c.Arch, module+"/test/nest/init"); err != nil {
		return err
	}
	jobs, err := json.Marshal(c.Jobs)
	if err != nil {
		return err
	}
	spec := initramfs.Spec{Programs: map[string]string{"init": init}, Files: c.Files,
		Data: map[string][]byte{
			wire.JobsPath: jobs,
			"/etc/passwd": []byte("root:x:0:0:root:/:/bin/true\n"),
			"/etc/hosts":  []byte("127.0.0.1 localhost\n"),
		}}
	maps.Copy(spec.Programs, c.Programs)
	if spec.Modules, err = k.ExtractModules(filepath.Join(dir, "modules"), c.modules()); err != nil {
		return err
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	return errors.Join(initramfs.Build(f, spec), f.Close())
}

// build compiles a package of this module to a static program for arch.
func build(ctx context.Context, out, arch, pkg string) error {
	return compile(ctx, arch, "build", "-trimpath", "-ldflags=-s -w", "-o", out, pkg)
}

// buildTest compiles the tests of the package in dir to a static program for arch.
func buildTest(ctx context.Context, out, arch, dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	return compile(ctx, arch, "test", "-c", "-trimpath", "-ldflags=-s -w", "-o", out, dir)
}

func compile(ctx context.Context, arch string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, bytes.TrimSpace(text))
	}
	return nil
}

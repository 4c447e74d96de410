package build

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// initPackage is the craft's PID 1.
const initPackage = "./initramfs/init"

// programs builds the craft's programs and this machine's; the go command
// knows what is up to date.
func (b *builder) programs(ctx context.Context, a *Artefacts) error {
	craft := map[string]string{
		"init": initPackage, "perilune-flight": b.Flight, "perilune-tender": b.Tender,
	}
	for _, name := range []string{"init", "perilune-flight", "perilune-tender"} {
		if err := b.compile(ctx, filepath.Join(a.FlightBin, name), craft[name], "linux", b.Arch); err != nil {
			return err
		}
	}
	for _, p := range b.Host {
		if err := b.compile(ctx, filepath.Join(a.Bin, filepath.Base(p)), p, runtime.GOOS, runtime.GOARCH); err != nil {
			return err
		}
	}
	return nil
}

// compile makes one static program, equal for equal source.
func (b *builder) compile(ctx context.Context, out, pkg, goos, arch string) error {
	c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, pkg)
	c.Dir = b.Source
	// The processor is the craft's, whatever the user builds for otherwise.
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+arch, "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=")
	if text, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", pkg, err, bytes.TrimSpace(text))
	}
	return nil
}

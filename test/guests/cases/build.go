package cases

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/missions/sdk"
)

// Make builds the guest main.c in dir into out, for arch, with the devices
// that b names. Errors may be sdk.ErrTools.
func (b Build) Make(ctx context.Context, dir, arch, out string) error {
	m := hvt.Manifest{}
	declare := func(name string, device, ring hvt.DeviceType) {
		m.Entries = append(m.Entries, hvt.Entry{Name: name, Type: device})
		if slices.Contains(b.Rings, name) {
			m.Entries = append(m.Entries, hvt.Extend(name, ring, 64))
		}
	}
	for _, name := range b.Block {
		declare(name, hvt.Block, hvt.BlockRing)
	}
	for _, name := range b.Net {
		declare(name, hvt.Net, hvt.NetRing)
	}
	_, err := sdk.Build(ctx, sdk.Project{Dir: dir, Name: filepath.Base(dir), Sources: []string{"main.c"},
		Manifest: m, Arch: arch, Vectors: b.Vectors, Out: out, Warnings: os.Stderr})
	return err
}

// BuildTender builds perilune-tender into dir and gives its path.
func BuildTender(dir string) (string, error) {
	out := filepath.Join(dir, "perilune-tender")
	cmd := exec.Command("go", "build", "-o", out, "github.com/perilune/perilune/cmd/perilune-tender")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build perilune-tender: %w\n%s", err, text)
	}
	return out, nil
}

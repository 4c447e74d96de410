package main

import (
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/missions/bundle"
	"github.com/perilune/perilune/missions/grant"
	"github.com/perilune/perilune/missions/sdk"
)

// built is what `mission build` made.
type built struct {
	Mission string `json:"mission"`
	Tenant  string `json:"tenant"`
	Digest  string `json:"digest"`
	Bundle  string `json:"bundle"`
	Size    int64  `json:"size"`
	Signer  string `json:"signer"`
}

// buildFlags say how to build.
type buildFlags struct {
	keys, key string
	prebuilt  bool
	debug     bool
}

func (a *app) missionBuildCmd() *cobra.Command {
	var f buildFlags
	c := &cobra.Command{
		Use:   "build [DIR]",
		Short: "Compile a mission and pack and sign its bundle",
		Long: `Compile the program in DIR (default: here) with clang and lld, check it against
mission.toml, and write build/NAME.tar: program, data and mission.toml, signed
by the tenant. In the simulator the tenant's key makes itself.`,
		Args: args(0, 1, "at most one folder"),
		RunE: func(_ *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			b, err := a.buildMission(dir, f)
			if err != nil {
				return err
			}
			return a.print(b, func(w io.Writer) {
				fmt.Fprintf(w, "%s: %d octets, %s\n", b.Bundle, b.Size, b.Digest)
			})
		},
	}
	fl := c.Flags()
	fl.StringVar(&f.key, "key", "", "tenant's signing key, an nkey seed `file` (default: from the folder of keys)")
	fl.StringVar(&f.keys, "keys", "", "`folder` of keys (default: PERILUNE_KEYS, or out/sim/keys here or above)")
	fl.BoolVar(&f.prebuilt, "prebuilt", false, "pack guest.kernel as it is instead of compiling")
	fl.BoolVar(&f.debug, "debug", false, "keep symbols for the debugger")
	return c
}

func (a *app) buildMission(dir string, f buildFlags) (built, error) {
	m, err := loadMission(dir)
	if err != nil {
		return built{}, err
	}
	key, err := a.tenantKey(m.Tenant, f)
	if err != nil {
		return built{}, err
	}
	kernel := filepath.Join(dir, filepath.FromSlash(m.Guest.Kernel))
	if !f.prebuilt {
		_, err := sdk.Build(a.ctx, sdk.Project{
			Dir: dir, Name: m.Name, Sources: m.Build.Sources, Manifest: m.Manifest(), Arch: "amd64", Out: kernel, Debug: f.debug,
		})
		if err != nil {
			return built{}, err
		}
	}
	if err := checkKernel(m, kernel); err != nil {
		return built{}, err
	}
	toml, err := os.ReadFile(filepath.Join(dir, "mission.toml"))
	if err != nil {
		return built{}, err
	}
	blobs := map[string]string{}
	for _, b := range m.Block {
		blobs[path.Base(b.File)] = filepath.Join(dir, filepath.FromSlash(b.File))
	}
	out := filepath.Join(dir, "build", m.Name+".tar")
	digest, err := bundle.Write(out, bundle.Contents{Mission: toml, Kernels: map[string]string{"amd64": kernel}, Blobs: blobs}, key)
	if err != nil {
		return built{}, fmt.Errorf("pack %s: %w", m.Name, err)
	}
	st, err := os.Stat(out)
	if err != nil {
		return built{}, err
	}
	return built{Mission: m.Name, Tenant: m.Tenant, Digest: digest.String(), Bundle: out, Size: st.Size(), Signer: key.Public()}, nil
}

// tenantKey is the key that signs for tenant.
func (a *app) tenantKey(tenant string, f buildFlags) (grant.Key, error) {
	if f.key != "" {
		return grant.LoadKey(f.key)
	}
	dir, err := a.findKeys(f.keys)
	if err != nil {
		return grant.Key{}, err
	}
	dev, err := grant.DevKeys(dir)
	if err != nil {
		return grant.Key{}, err
	}
	return dev.Tenant(tenant)
}

// checkKernel refuses on the ground what the craft would refuse: a program that is no
// unikernel of ours, or that disagrees with mission.toml about its devices.
func checkKernel(m *missions.Mission, kernel string) error {
	f, err := os.Open(kernel)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	img, err := hvt.ReadImage(f, st.Size())
	if err != nil {
		return fmt.Errorf("%s: %w", kernel, missions.Rulef(missions.RuleELF, "%v", err))
	}
	if err := m.CheckManifest(img.Manifest); err != nil {
		return fmt.Errorf("%s: %w", kernel, missions.Rulef(missions.RuleManifest, "%v", err))
	}
	return nil
}

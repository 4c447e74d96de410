package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/missions/grant"
	"github.com/perilune/perilune/missions/project"
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
	archs     []string
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
by the tenant. The bundle has a program for each architecture that a craft may
have, so that the same one flies everywhere; with --arch only that one goes up.
In the simulator the tenant's key makes itself.`,
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
	fl.StringSliceVar(&f.archs, "arch", []string{"amd64", "arm64"}, "`architectures` to build for")
	fl.BoolVar(&f.prebuilt, "prebuilt", false, "pack guest.kernel (amd64) as it is instead of compiling")
	fl.BoolVar(&f.debug, "debug", false, "keep symbols for the debugger")
	return c
}

func (a *app) buildMission(dir string, f buildFlags) (built, error) {
	p, err := project.Open(dir)
	if err != nil {
		return built{}, err
	}
	p.Debug = f.debug
	m := p.Mission
	key, err := a.tenantKey(m.Tenant, f)
	if err != nil {
		return built{}, err
	}
	kernels, err := a.kernels(p, f)
	if err != nil {
		return built{}, err
	}
	out := filepath.Join(dir, "build", m.Name+".tar")
	digest, err := p.Pack(out, kernels, key)
	if err != nil {
		return built{}, fmt.Errorf("pack %s: %w", m.Name, err)
	}
	st, err := os.Stat(out)
	if err != nil {
		return built{}, err
	}
	return built{Mission: m.Name, Tenant: m.Tenant, Digest: digest.String(), Bundle: out, Size: st.Size(), Signer: key.Public()}, nil
}

// kernels builds the programs, one for each architecture: guest.kernel for amd64, and
// for another one a file beside it with the architecture in its name.
func (a *app) kernels(p *project.Project, f buildFlags) (map[string]string, error) {
	main := filepath.Join(p.Dir, filepath.FromSlash(p.Mission.Guest.Kernel))
	if f.prebuilt {
		return map[string]string{"amd64": main}, p.CheckKernel(main)
	}
	if len(f.archs) == 0 {
		return nil, usagef("--arch: name one or more of amd64, arm64")
	}
	out := map[string]string{}
	for _, arch := range f.archs {
		file := main
		switch arch {
		case "amd64":
		case "arm64":
			ext := filepath.Ext(main)
			file = strings.TrimSuffix(main, ext) + "-" + arch + ext
		default:
			return nil, usagef("--arch %s: want amd64 or arm64", arch)
		}
		if err := p.Compile(a.ctx, arch, file); err != nil {
			return nil, fmt.Errorf("%s: %w", arch, err)
		}
		out[arch] = file
	}
	return out, nil
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

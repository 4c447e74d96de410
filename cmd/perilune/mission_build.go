package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

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
	kernel := filepath.Join(dir, filepath.FromSlash(m.Guest.Kernel))
	if f.prebuilt {
		err = p.CheckKernel(kernel)
	} else {
		err = p.Compile(a.ctx, "amd64", kernel)
	}
	if err != nil {
		return built{}, err
	}
	out := filepath.Join(dir, "build", m.Name+".tar")
	digest, err := p.Pack(out, map[string]string{"amd64": kernel}, key)
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

package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/internal/ids"
)

// defaultTenant is who owns a new mission in the simulator.
const defaultTenant = "borealis"

func (a *app) missionCmd() *cobra.Command {
	return group(&cobra.Command{Use: "mission", Short: "Programs of tenants: make, send up, run"},
		a.missionNewCmd(), a.missionBuildCmd(), a.missionManifestCmd(), a.missionUploadCmd(), a.missionActivateCmd(),
		a.missionStartCmd(), a.missionStopCmd(), a.missionSuspendCmd(), a.missionResumeCmd(), a.missionListCmd(), a.missionConsoleCmd())
}

// resolveGuest finds out which tenant's mission is meant: "tenant/mission", --tenant,
// the one tenant whose mission of that name the craft reports, or the default tenant.
func resolveGuest(ctx context.Context, cl *client.Client, name, tenant string) (ids.Guest, error) {
	if g, err := ids.ParseGuest(name); err == nil {
		if tenant != "" && tenant != g.Tenant {
			return g, usagef("%s is not a mission of --tenant %s", name, tenant)
		}
		return g, nil
	}
	if err := ids.CheckName("mission", name); err != nil {
		return ids.Guest{}, usagef("%v", err)
	}
	if tenant != "" {
		if err := ids.CheckName("tenant", tenant); err != nil {
			return ids.Guest{}, usagef("%v", err)
		}
		return ids.Guest{Tenant: tenant, Mission: name}, nil
	}
	guests, err := cl.Missions(ctx)
	if err != nil {
		return ids.Guest{}, err
	}
	var owners []string
	for _, g := range guests {
		if g.Mission == name && !slices.Contains(owners, g.Tenant) {
			owners = append(owners, g.Tenant)
		}
	}
	switch len(owners) {
	case 0:
		return ids.Guest{Tenant: defaultTenant, Mission: name}, nil
	case 1:
		return ids.Guest{Tenant: owners[0], Mission: name}, nil
	}
	return ids.Guest{}, usagef("several tenants have a mission %q: %v; say which with --tenant", name, owners)
}

// completeMissions offers the craft's missions to the shell.
func (a *app) completeMissions(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	cl, err := a.dial()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	guests, err := cl.Missions(a.ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, g := range guests {
		names = append(names, fmt.Sprintf("%s/%s\t%s", g.Tenant, g.Mission, g.State))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

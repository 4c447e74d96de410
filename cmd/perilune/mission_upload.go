package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/missions/project"
)

func (a *app) missionUploadCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "upload [DIR|TAR]",
		Short: "Send a mission up and make it ready to start",
		Long: `Send a mission's bundle up, with a flight order for it, and have the craft
activate it. DIR is a mission's folder whose bundle 'mission build' made.

The command ends when the craft has checked and activated the bundle, or has
refused it: then it names the rule and exits with 4.`,
		Args: args(0, 1, "at most one folder or bundle"),
		RunE: func(_ *cobra.Command, args []string) error { return a.activate(args, false) },
	}
}

func (a *app) missionActivateCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "activate [DIR|TAR]",
		Short: "Order a bundle that is on board already to be made ready",
		Long: `Sign a new flight order for a bundle that an earlier upload brought on board, and
have the craft activate it. For an upload whose order was lost or refused.`,
		Args: args(0, 1, "at most one folder or bundle"),
		RunE: func(_ *cobra.Command, args []string) error { return a.activate(args, true) },
	}
}

func (a *app) activate(args []string, onBoard bool) error {
	path, err := findBundle(args)
	if err != nil {
		return err
	}
	cl, err := a.dial()
	if err != nil {
		return err
	}
	act, err := cl.StartActivation(a.ctx, path, onBoard)
	if err != nil {
		return err
	}
	ctx, cancel := a.within()
	defer cancel()
	p := progress{a: a}
	act, err = cl.WaitActivation(ctx, act.ID, func(s client.Activation) {
		detail := ""
		if s.Step == client.StepUpload && s.Size > 0 {
			detail = fmt.Sprintf("%d of %d octets", s.Done, s.Size)
		}
		p.show(s.Step, detail)
	})
	p.end()
	if err != nil {
		return a.patience(ctx, err)
	}
	return a.print(act, func(w io.Writer) {
		fmt.Fprintf(w, "%s/%s is active, %s\n", act.Tenant, act.Mission, act.Digest)
	})
}

// findBundle turns the argument, a folder or a tar, into the path of a bundle.
func findBundle(args []string) (string, error) {
	path := "."
	if len(args) > 0 {
		path = args[0]
	}
	st, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !st.IsDir() {
		return path, nil
	}
	p, err := project.Open(path)
	if err != nil {
		return "", err
	}
	tar := filepath.Join(path, "build", p.Mission.Name+".tar")
	if _, err := os.Stat(tar); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("%s is not built: run 'perilune mission build %s'", p.Mission.Name, path)
		}
		return "", err
	}
	return tar, nil
}

func (a *app) bundleCmd() *cobra.Command {
	return group(&cobra.Command{Use: "bundle", Short: "Mission bundles"}, &cobra.Command{
		Use:   "inspect [DIR|TAR]",
		Short: "Check a bundle's form and digests and show what is in it",
		Args:  args(0, 1, "at most one folder or bundle"),
		RunE: func(_ *cobra.Command, args []string) error {
			path, err := findBundle(args)
			if err != nil {
				return err
			}
			return a.inspect(path)
		},
	})
}

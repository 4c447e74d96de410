package main

import (
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
)

// root builds the tree of commands.
func (a *app) root() *cobra.Command {
	root := group(&cobra.Command{
		Use:   "perilune",
		Short: "Fly missions on a Perilune spacecraft",
		Long: `Perilune runs the programs of several tenants on one spacecraft, each in its own
virtual machine. This command builds missions, sends them up, starts them and
reads what comes down. It talks to a ground station process by a unix socket;
inside a project after 'perilune sim' it finds it by itself.

Results go to standard output, everything else to standard error.
` + exitHelp,
		SilenceUsage:  true,
		SilenceErrors: true,
	})
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usagef("%v", err) })
	f := root.PersistentFlags()
	f.BoolVar(&a.json, "json", false, "print results as JSON, one value a line")
	f.StringVar(&a.socket, "craft-socket", "", "station's `socket` (default: PERILUNE_SOCKET, or out/sim/ground.sock here or above)")
	f.DurationVar(&a.timeout, "timeout", 5*time.Minute, "how long to wait for the craft")
	root.AddGroup(&cobra.Group{ID: "daily", Title: "Commands:"}, &cobra.Group{ID: "advanced", Title: "Advanced:"})
	root.SetHelpCommandGroupID("advanced")
	root.SetCompletionCommandGroupID("advanced")
	for _, c := range []*cobra.Command{a.simCmd(), a.missionCmd(), a.tmCmd(), a.tcCmd(), a.fileCmd(), a.passCmd()} {
		c.GroupID = "daily"
		root.AddCommand(c)
	}
	for _, c := range []*cobra.Command{a.stationCmd(), a.linkCmd(), a.craftCmd(), a.keyCmd(), a.bundleCmd(), a.doctorCmd()} {
		c.GroupID = "advanced"
		root.AddCommand(c)
	}
	return root
}

// group makes a noun: alone it shows its help, with an unknown verb it complains.
func group(c *cobra.Command, verbs ...*cobra.Command) *cobra.Command {
	c.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usagef("%s has no command %q", cmd.CommandPath(), args[0])
		}
		return nil
	}
	c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	c.AddCommand(verbs...)
	return c
}

// socketName is where a simulator puts its station's socket, under the project.
var socketName = filepath.Join("out", "sim", "ground.sock")

// findSocket decides which station is meant.
func (a *app) findSocket() string {
	if a.socket != "" {
		return a.socket
	}
	if s := a.env("PERILUNE_SOCKET"); s != "" {
		return s
	}
	if s, ok := upward(socketName); ok {
		return s
	}
	return socketName
}

// upward looks for name in the working directory and those above it.
func upward(name string) (string, bool) {
	dir, err := os.Getwd()
	if err != nil {
		return "", false
	}
	for {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", false
		}
		dir = parent
	}
}

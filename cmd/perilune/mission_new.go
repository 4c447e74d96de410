package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/missions/sdk"
)

func (a *app) missionNewCmd() *cobra.Command {
	var tenant, dir string
	c := &cobra.Command{
		Use:   "new NAME",
		Short: "Begin a mission: a folder with mission.toml and a program that flies",
		Args:  args(1, 1, "the name of one mission"),
		RunE: func(_ *cobra.Command, args []string) error {
			name := args[0]
			if err := ids.CheckName("mission", name); err != nil {
				return usagef("%v", err)
			}
			if err := ids.CheckName("tenant", tenant); err != nil {
				return usagef("%v", err)
			}
			if dir == "" {
				dir = name
			}
			if err := sdk.New(dir, tenant, name); err != nil {
				return err
			}
			v := struct {
				Mission string `json:"mission"`
				Tenant  string `json:"tenant"`
				Dir     string `json:"dir"`
			}{name, tenant, dir}
			return a.print(v, func(w io.Writer) {
				fmt.Fprintln(w, filepath.Join(dir, "mission.toml"))
				fmt.Fprintf(a.talk, "Next: perilune mission build %[1]s, perilune mission upload %[1]s, perilune mission start %[2]s\n", dir, name)
			})
		},
	}
	c.Flags().StringVar(&tenant, "tenant", defaultTenant, "the `tenant` whose mission it is")
	c.Flags().StringVar(&dir, "dir", "", "`folder` to make (default: NAME)")
	return c
}

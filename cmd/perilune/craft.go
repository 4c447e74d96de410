package main

import (
	"github.com/spf13/cobra"

	"github.com/perilune/perilune/missions/craft"
	"github.com/perilune/perilune/missions/database"
)

func (a *app) craftCmd() *cobra.Command {
	return group(&cobra.Command{Use: "craft", Short: "Restart the craft, and what its packets mean"}, a.craftRestartCmd(), a.craftDatabaseCmd(), a.craftXTCECmd())
}

func (a *app) craftDatabaseCmd() *cobra.Command {
	var file, craftFile string
	c := &cobra.Command{
		Use:   "database",
		Short: "Print the mission database as Markdown",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			d, err := loadDatabase(file, craftFile)
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(d)
			}
			_, err = a.out.Write(d.Markdown())
			return err
		},
	}
	databaseFlags(c, &file, &craftFile)
	return c
}

func (a *app) craftXTCECmd() *cobra.Command {
	var file, craftFile string
	c := &cobra.Command{
		Use:   "xtce",
		Short: "Print the mission database as XTCE 1.2, for other mission-control systems",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			d, err := loadDatabase(file, craftFile)
			if err != nil {
				return err
			}
			_, err = a.out.Write(d.XTCE())
			return err
		},
	}
	databaseFlags(c, &file, &craftFile)
	return c
}

func databaseFlags(c *cobra.Command, file, craftFile *string) {
	c.Flags().StringVar(file, "file", "", "database.toml `file` to read (default: that of the flat-sat)")
	c.Flags().StringVar(craftFile, "craft", "", "craft.toml `file` whose own database is added to that of the flat-sat")
	c.MarkFlagsMutuallyExclusive("file", "craft")
}

func loadDatabase(file, craftFile string) (*database.Database, error) {
	if craftFile != "" {
		c, err := craft.Load(craftFile)
		if err != nil {
			return nil, err
		}
		return c.Messages(), nil
	}
	if file == "" {
		return database.Default(), nil
	}
	return database.Load(file)
}

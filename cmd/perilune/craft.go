package main

import (
	"github.com/spf13/cobra"

	"github.com/perilune/perilune/missions/database"
)

func (a *app) craftCmd() *cobra.Command {
	return group(&cobra.Command{Use: "craft", Short: "What the packets of the craft mean"}, a.craftDatabaseCmd(), a.craftXTCECmd())
}

func (a *app) craftDatabaseCmd() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "database",
		Short: "Print the mission database as Markdown",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			d, err := loadDatabase(file)
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
	c.Flags().StringVar(&file, "file", "", "database.toml to read (default: that of the flat-sat)")
	return c
}

func (a *app) craftXTCECmd() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "xtce",
		Short: "Print the mission database as XTCE 1.2, for other mission-control systems",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			d, err := loadDatabase(file)
			if err != nil {
				return err
			}
			_, err = a.out.Write(d.XTCE())
			return err
		},
	}
	c.Flags().StringVar(&file, "file", "", "database.toml to read (default: that of the flat-sat)")
	return c
}

func loadDatabase(file string) (*database.Database, error) {
	if file == "" {
		return database.Default(), nil
	}
	return database.Load(file)
}

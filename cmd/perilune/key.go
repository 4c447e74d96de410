package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/missions/grant"
)

func (a *app) keyCmd() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "show",
		Short: "Show the public halves of the keys in a folder",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			dir, err := a.findKeys(dir)
			if err != nil {
				return err
			}
			return a.showKeys(dir)
		},
	}
	c.Flags().StringVar(&dir, "keys", "", "`folder` of keys (default: PERILUNE_KEYS, or out/sim/keys here or above)")
	return group(&cobra.Command{Use: "key", Short: "Keys of operator, mission control and tenants, and of the link"},
		c, a.keyListCmd(), a.keyRotateCmd(), a.keyRecoverCmd(), a.keyInventoryCmd(), a.keyLoadCmd(),
		a.keyVerbCmd("activate", "Let a key that is on board be used"),
		a.keyVerbCmd("deactivate", "Let a key on board be used no more"),
		a.keyVerbCmd("revoke", "Deactivate a key and have the craft destroy it"),
		a.keyVerbCmd("verify", "Have the craft prove that it holds a key"),
		a.keyAssociationCmd(), a.keyLogCmd(), a.keyTestCmd(), a.keyAlarmCmd())
}

type shownKey struct {
	Name   string `json:"name"`
	Public string `json:"public"`
	File   string `json:"file"`
}

func (a *app) showKeys(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.nk"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("no keys in %s", dir)
	}
	var keys []shownKey
	for _, file := range files {
		k, err := grant.LoadKey(file)
		if err != nil {
			return err
		}
		keys = append(keys, shownKey{strings.TrimSuffix(filepath.Base(file), ".nk"), k.Public(), file})
	}
	return a.print(keys, func(w io.Writer) {
		rows := [][]string{{"NAME", "PUBLIC"}}
		for _, k := range keys {
			rows = append(rows, []string{k.Name, k.Public})
		}
		table(w, rows)
	})
}

// keysName is where a simulator keeps its development keys, under the project.
var keysName = filepath.Join("out", "sim", "keys")

// findKeys decides on the folder of keys: the flag, the environment, the simulator's.
func (a *app) findKeys(flag string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	if dir := a.env("PERILUNE_KEYS"); dir != "" {
		return dir, nil
	}
	if dir, ok := upward(keysName); ok {
		return dir, nil
	}
	// A project whose simulator never ran gets its keys now; they are the same later.
	if root, ok := upward(filepath.Join("go.mod")); ok {
		if _, err := os.Stat(filepath.Join(filepath.Dir(root), "missions", "sdk")); err == nil {
			return filepath.Join(filepath.Dir(root), keysName), nil
		}
	}
	return "", usagef("no %s here or above: run it in a source tree, or name the folder with --keys or PERILUNE_KEYS", keysName)
}

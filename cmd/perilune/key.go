package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/internal/client"
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
	return group(&cobra.Command{Use: "key", Short: "Keys of operator, mission control and tenants, and of the uplink"},
		c, a.keyListCmd(), a.keyRotateCmd())
}

func (a *app) keyListCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List which key protects each channel of the uplink",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			cl, err := a.dial()
			if err != nil {
				return err
			}
			keys, err := cl.Keys(a.ctx)
			if err != nil {
				return err
			}
			return a.print(keys, func(w io.Writer) { linkKeys(w, keys) })
		},
	}
}

func (a *app) keyRotateCmd() *cobra.Command {
	var vc uint8
	c := &cobra.Command{
		Use:   "rotate",
		Short: "Give a channel of the uplink a new key, over the air",
		Long: `Give a channel of the uplink a new key, over the air. The new key goes up under the
master key and the craft proves that it has it; both ends change over; the old key is
destroyed once a telecommand under the new one has been carried out. What is under way
is not lost. A rotation that stopped half way goes on when the command is given again.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			cl, err := a.dial()
			if err != nil {
				return err
			}
			key, err := cl.RotateKey(a.ctx, vc)
			if err != nil {
				return err
			}
			return a.print(key, func(w io.Writer) { linkKeys(w, []client.LinkKey{key}) })
		},
	}
	c.Flags().Uint8Var(&vc, "vc", 0, "uplink virtual channel")
	return c
}

func linkKeys(w io.Writer, keys []client.LinkKey) {
	rows := [][]string{{"VC", "SPI", "KEY", "STATE"}}
	for _, k := range keys {
		state := "in use"
		if k.Rotating {
			state = "changing"
		}
		rows = append(rows, []string{fmt.Sprint(k.VC), fmt.Sprint(k.SPI), fmt.Sprint(k.Key), state})
	}
	table(w, rows)
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
	return "", usagef("no %s here or above: run 'perilune sim' first, or name the keys with --keys or --key", keysName)
}

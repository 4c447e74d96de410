package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/missions/sdk"
)

func (a *app) missionManifestCmd() *cobra.Command {
	var to, out string
	c := &cobra.Command{
		Use:   "manifest SOURCE",
		Short: "Show or convert the manifest of a program",
		Long: `Show or convert the manifest of a program: the devices that it declares.

SOURCE is a mission's folder, a mission.toml, a manifest.json as Solo5's elftool
takes it, or a built program. --to says what to make of it:
  json  a manifest.json; entries that Solo5 does not know have a count
  c     C source of the notes, for a program built without mission build
  note  the octets of the note as they lie in a program`,
		Example: `  perilune mission manifest hello/build/hello.hvt
  perilune mission manifest hello --to c -o manifest.c`,
		Args: args(1, 1, "one folder or file"),
		RunE: func(_ *cobra.Command, args []string) error {
			m, err := readManifest(args[0])
			if err != nil {
				return err
			}
			var data []byte
			switch to {
			case "json":
				data = sdk.ManifestJSON(m)
			case "c":
				data, err = sdk.ManifestC(m)
			case "note":
				data, err = sdk.ManifestNote(m)
			default:
				return usagef("--to %s: want json, c or note", to)
			}
			if err != nil {
				return err
			}
			if out != "" {
				return os.WriteFile(out, data, 0o644)
			}
			_, err = a.out.Write(data)
			return err
		},
	}
	c.Flags().StringVar(&to, "to", "json", "`form`: json, c or note")
	c.Flags().StringVarP(&out, "output", "o", "", "write to this `file`")
	return c
}

// readManifest reads the manifest of whatever path is.
func readManifest(path string) (hvt.Manifest, error) {
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		path = filepath.Join(path, "mission.toml")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return hvt.Manifest{}, err
	}
	switch {
	case bytes.HasPrefix(data, []byte("\x7fELF")):
		image, err := hvt.ReadNotes(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return hvt.Manifest{}, fmt.Errorf("%s: %w", path, err)
		}
		return image.Manifest, nil
	case filepath.Ext(path) == ".toml":
		m, err := missions.Parse(data, path)
		if err != nil {
			return hvt.Manifest{}, err
		}
		return m.Manifest(), nil
	}
	m, err := sdk.ParseManifestJSON(data)
	if err != nil {
		return m, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

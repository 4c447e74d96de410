package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/plan/orbit"
)

func (a *app) tcOrbitCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "orbit FILE",
		Short: "Tell the craft its orbit: orbit.set",
		Long: `Tell the craft its orbit, by the two lines of an element set in FILE (- is standard
input); a line with a name may stand in front. What waits for a place on the orbit
(tc send --orbit) is released by it. The craft keeps it over restarts.`,
		Args: args(1, 1, "one file"),
		RunE: func(_ *cobra.Command, files []string) error {
			lines, err := readElements(files[0])
			if err != nil {
				return err
			}
			cl, err := a.dial()
			if err != nil {
				return err
			}
			id, err := cl.Command(a.ctx, client.Request{Function: pus.FunctionOrbitSet, Arguments: lines})
			if err != nil {
				return err
			}
			return a.await(cl, id, client.StageCompleted)
		},
	}
}

// readElements reads the last two lines of a file, which must be good elements.
func readElements(path string) ([]string, error) {
	in := io.Reader(os.Stdin)
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	const enough = 4096
	text, err := io.ReadAll(io.LimitReader(in, enough))
	if err != nil {
		return nil, err
	}
	var lines []string
	for l := range strings.Lines(string(text)) {
		if l = strings.TrimRight(l, " \r\n"); l != "" {
			lines = append(lines, l)
		}
	}
	if len(lines) != 2 && len(lines) != 3 {
		return nil, fmt.Errorf("%s: %d lines, want the two of an element set, and perhaps a name in front", path, len(lines))
	}
	lines = lines[len(lines)-2:]
	if _, err := orbit.ParseTLE(lines[0], lines[1]); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return lines, nil
}

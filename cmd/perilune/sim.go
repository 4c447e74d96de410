package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/cmd/perilune/build"
	"github.com/perilune/perilune/sim"
	"github.com/perilune/perilune/sim/story"
)

// builtIn is the craft that flies when none is named.
var builtIn = filepath.Join("sim", "flatsat", "craft.toml")

// profiles are crafts with another link each, by the name of the profile.
var profiles = filepath.Join("sim", "flatsat", "profiles")

var profileNames = []string{"tm+rs", "tm+concatenated", "aos+ldpc", "uslp+turbo", "uslp+sliced"}

// accels are what may run the craft's instructions.
var accels = []string{"auto", "kvm", "tcg"}

// errStory says that a milestone was not reached.
var errStory = errors.New("not every milestone was reached")

// simFlags are common to sim and sim demo.
type simFlags struct{ craft, accel string }

func (a *app) simCmd() *cobra.Command {
	var f simFlags
	c := group(&cobra.Command{
		Use:   "sim",
		Short: "Boot the flight image in QEMU behind a noisy link and fly it",
		Long: `Build the flight image, boot it in QEMU, put a noisy space link and a ground
station in front of it, and keep flying until Ctrl-C. Run it in the source tree.`,
		Example: `  perilune sim
  perilune sim --craft my-craft.toml
  perilune sim demo`,
	}, a.demoCmd(), a.faultCmd())
	c.RunE = func(*cobra.Command, []string) error {
		opt, err := a.simOptions(f)
		if err != nil {
			return err
		}
		return sim.Run(a.ctx, opt)
	}
	f.add(c)
	return c
}

func (a *app) demoCmd() *cobra.Command {
	var f simFlags
	var profile string
	c := &cobra.Command{
		Use:   "demo",
		Short: "Fly the story: a table of milestones, then the end",
		Long: `Fly a whole story: boot, lock, an upload through noise and loss of signal, a
start on schedule, a product back, refusals, a reset. Each milestone says where
in the recordings of the raw bits it was seen; report.json has it all.

DEMO_BREAK=rs, fop, signature, guest or sdls in the environment breaks that one
thing on purpose: the milestones that rest on it fail, and the exit code is 1.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if profile != "" {
				f.craft = filepath.Join(profiles, profile+".toml")
			}
			opt, err := a.simOptions(f)
			if profile != "" && errors.Is(err, os.ErrNotExist) {
				return usagef("--profile %q: want one of %s", profile, strings.Join(profileNames, ", "))
			}
			if err != nil {
				return err
			}
			opt.Break = a.env("DEMO_BREAK")
			if a.json {
				opt.Data = io.Discard
			}
			report, err := sim.Demo(a.ctx, opt)
			if errors.Is(err, story.ErrBreak) {
				return usagef("%v", err)
			}
			if err != nil {
				return err
			}
			if err := a.print(report, func(w io.Writer) { fmt.Fprintln(w, report.Summary()) }); err != nil {
				return err
			}
			if !report.Success() {
				return errStory
			}
			return nil
		},
	}
	f.add(c)
	c.Flags().StringVar(&profile, "profile", "", "fly with another `link`: "+strings.Join(profileNames, ", "))
	choices(c, "profile", profileNames...)
	return c
}

func (f *simFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.craft, "craft", builtIn, "`file` that describes craft and world")
	c.Flags().StringVar(&f.accel, "accel", "auto", "what QEMU runs the craft `by`: "+strings.Join(accels, ", "))
	choices(c, "accel", accels...)
}

func (a *app) simOptions(f simFlags) (sim.Options, error) {
	if !slices.Contains(accels, f.accel) {
		return sim.Options{}, usagef("--accel %q: want %s", f.accel, strings.Join(accels, ", "))
	}
	if _, err := os.Stat("go.mod"); err != nil {
		return sim.Options{}, fmt.Errorf("the simulator builds the flight image: run it in the root of the source tree (no go.mod here)")
	}
	if _, err := os.Stat(f.craft); err != nil {
		return sim.Options{}, err
	}
	self, err := os.Executable()
	if err != nil {
		return sim.Options{}, err
	}
	return sim.Options{
		Craft: f.craft, Out: "out", Self: self, Accel: f.accel, Build: buildImage,
		Data: a.out, Talk: a.talk, JSON: a.json, Example: filepath.Join("missions", "examples"),
	}, nil
}

// buildImage makes the flight image out of the source tree in the working directory.
func buildImage(ctx context.Context, files map[string]string, talk io.Writer) (sim.Image, error) {
	log := slog.New(slog.NewTextHandler(talk, &slog.HandlerOptions{Level: slog.LevelWarn}))
	art, err := build.Build(ctx, build.Options{Dir: "out", Files: files}, log)
	if err != nil {
		return sim.Image{}, err
	}
	for _, made := range art.Made {
		fmt.Fprintln(talk, "built", made)
	}
	return sim.Image{Disk: art.Disk, Kernel: art.Kernel.Image, Initrd: art.Initramfs, Cache: filepath.Join("out", "cache")}, nil
}

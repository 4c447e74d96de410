// Perilune-flight is the flight program: it owns the radio, the schedule, the missions
// and their guests, and has no privilege. Init starts it, without arguments.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/devices/radio"
	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/internal/initproto"
	"github.com/perilune/perilune/missions/craft"
	"github.com/perilune/perilune/missions/grant"
	"github.com/perilune/perilune/scheduler"
)

// Places in the image beside those that init knows.
const (
	craftFile   = "craft.toml"
	trustFile   = "trust/trust.json"
	keysDir     = "keys"
	missionsDir = "/usr/lib/perilune/missions"
)

// memoryLimit is for the garbage collector, in octets: the whole control plane of a
// craft fits in 64 MiB.
const memoryLimit = 48 << 20

func main() {
	debug.SetMemoryLimit(memoryLimit)
	if len(os.Args) > 1 {
		fmt.Fprintln(os.Stderr, "perilune-flight takes no arguments: init starts it on board, 'perilune sim' on a laptop")
		os.Exit(2)
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGTERM, unix.SIGINT)
	defer stop()
	cfg, err := configure(log)
	if err == nil {
		err = scheduler.Run(ctx, cfg)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		log.Error("flight ends", "err", err)
		os.Exit(1)
	}
}

func configure(log *slog.Logger) (scheduler.Config, error) {
	cfg := scheduler.Config{Data: initproto.FlightDir, Missions: missionsDir, Clock: clock.Real{}, Log: log}
	var err error
	if cfg.Craft, err = craft.Load(filepath.Join(initproto.EtcDir, craftFile)); err != nil {
		return cfg, err
	}
	if err := cfg.Craft.Flies(); err != nil {
		return cfg, err
	}
	keys, err := cfg.Craft.LoadKeys(filepath.Join(initproto.EtcDir, keysDir))
	if err != nil {
		return cfg, err
	}
	if cfg.Profile, err = cfg.Craft.Profile(keys); err != nil {
		return cfg, err
	}
	if cfg.Master, err = craft.LoadMaster(filepath.Join(initproto.EtcDir, keysDir)); err != nil {
		log.Error("link keys cannot be changed", "err", err)
	}
	if cfg.Trust, err = grant.LoadTrust(filepath.Join(initproto.EtcDir, trustFile)); err != nil {
		log.Error("no bundle can be activated", "err", err)
	}
	path := os.Getenv(initproto.RadioEnv)
	if path == "" {
		return cfg, errors.New("no radio: " + initproto.RadioEnv + " is not set")
	}
	cfg.Radio = radio.New(path, log)
	cfg.Init, err = initproto.Inherited()
	return cfg, err
}

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/missions/bundle/bundletest"
	"github.com/perilune/perilune/missions/grant"
	"github.com/perilune/perilune/test/testcraft"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"perilune": func() { os.Exit(run()) }})
}

// worlds holds the world of each script by its folder.
var worlds sync.Map

func world(ts *testscript.TestScript) *testcraft.World {
	w, ok := worlds.Load(ts.Getenv("WORK"))
	if !ok {
		ts.Fatalf("this script has no craft")
	}
	return w.(*testcraft.World)
}

// TestScript runs the scripts of test/script: each command as a user types it, where it
// needs one against a craft behind a noisy link.
//
//	craft [BER-UP BER-DOWN]   starts craft and station in the script's folder
//	exits CODE COMMAND...     runs a command that must end with that exit code
//	offer NAME FILE           the craft sends a file down
//	print GUEST TEXT          a guest on the craft prints a line
//	hostile TENANT            makes the bundles of bundletest, NAME.tar each
//	mute                      the craft no longer listens to telecommands
//	station stop|start        ends the station, and starts it with what it has kept
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("..", "..", "test", "script"),
		Setup: func(e *testscript.Env) error {
			path, err := exec.LookPath("perilune")
			e.Vars = append(e.Vars, "TZ=UTC", "PERILUNE="+path)
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"craft": startCraft, "exits": exits, "offer": offer, "print": printLine, "hostile": hostile,
			"station": station,
			"mute":    func(ts *testscript.TestScript, _ bool, _ []string) { world(ts).Craft.Mute(true) },
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

func startCraft(ts *testscript.TestScript, _ bool, args []string) {
	ber := [2]float64{1e-4, 1e-3}
	for i, a := range args {
		v, err := strconv.ParseFloat(a, 64)
		ts.Check(err)
		ber[i] = v
	}
	w, err := testcraft.Start(ts.Getenv("WORK"), ber[0], ber[1])
	ts.Check(err)
	ts.Defer(func() {
		if err := w.Close(); err != nil {
			ts.Logf("close the world: %v", err)
		}
	})
	worlds.Store(ts.Getenv("WORK"), w)
}

func station(ts *testscript.TestScript, _ bool, args []string) {
	switch {
	case len(args) == 1 && args[0] == "stop":
		ts.Check(world(ts).StopStation())
	case len(args) == 1 && args[0] == "start":
		ts.Check(world(ts).StartStation())
	default:
		ts.Fatalf("usage: station stop|start")
	}
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	got := 0
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func offer(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(world(ts).Craft.Offer(args[0], []byte(ts.ReadFile(args[1]))))
}

func printLine(ts *testscript.TestScript, _ bool, args []string) {
	g, err := ids.ParseGuest(args[0])
	ts.Check(err)
	world(ts).Craft.Print(g, args[1]+"\n")
}

func hostile(ts *testscript.TestScript, _ bool, args []string) {
	dev, err := grant.DevKeys(world(ts).Keys)
	ts.Check(err)
	key, err := dev.Tenant(args[0])
	ts.Check(err)
	for _, h := range bundletest.All() {
		ts.Check(h.Make(ts.MkAbs(h.Name+".tar"), args[0], key))
	}
}

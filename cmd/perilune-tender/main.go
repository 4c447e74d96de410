// Command perilune-tender runs one hvt guest in a virtual machine. It takes
// the command line of solo5-hvt, also when it is called by that name; as
// "perilune-tender slot" it is a pool slot that init has started.

// The runtime must leave alone what the jail takes away: the control group's
// files, and prctl for naming memory.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0
//go:debug decoratemappings=0
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/perilune/perilune/tender/cli"
	"github.com/perilune/perilune/tender/slot"
	"github.com/perilune/perilune/tender/spawn"
)

// init is all of a run from a command line. It is not main because an init
// function stays on the thread that the process began with (package runtime,
// LockOSThread), which is what a vCPU and the making of a filter need. Asking
// for that makes Go start one more thread: a thirtieth of a short run.
func init() {
	switch {
	case len(os.Args) == 2 && os.Args[0] == cli.CoreNamer:
		os.Exit(cli.NameCore(os.Args[1]))
	case len(os.Args) == 2 && os.Args[0] == cli.SnapshotNamer:
		os.Exit(cli.NameSnapshot(os.Args[1]))
	case !isSlot():
		os.Exit(cli.Main(os.Args, os.Stdout, os.Stderr))
	}
}

// main is a slot's, which has all threads before its guest comes.
func main() { os.Exit(runSlot()) }

func isSlot() bool {
	return len(os.Args) == 2 && os.Args[1] == "slot" && filepath.Base(os.Args[0]) != "solo5-hvt"
}

func runSlot() int {
	status, err := slot.Main(slot.Files{
		Control: os.NewFile(spawn.ControlFD, "control"),
		KVM:     os.NewFile(spawn.KVMFD, "/dev/kvm"),
		Data:    os.NewFile(spawn.DataFD, "data"),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "perilune-tender: slot:", err)
	}
	return status
}

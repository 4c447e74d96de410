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

func main() {
	if len(os.Args) == 2 && os.Args[0] == cli.CoreNamer {
		os.Exit(cli.NameCore(os.Args[1]))
	}
	if len(os.Args) == 2 && os.Args[0] == cli.SnapshotNamer {
		os.Exit(cli.NameSnapshot(os.Args[1]))
	}
	if len(os.Args) == 2 && os.Args[1] == "slot" && filepath.Base(os.Args[0]) != "solo5-hvt" {
		os.Exit(runSlot())
	}
	os.Exit(cli.Main(os.Args, os.Stdout, os.Stderr))
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

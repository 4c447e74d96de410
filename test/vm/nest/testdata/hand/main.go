// Command hand does in a nest what a user's hands would: it prints what names the boot, changes
// an octet of a file's copy, and sends a program SIGUSR1 once it has said something.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "hand:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 1 && args[0] == "boot":
		id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
		fmt.Printf("%s", id)
		return err
	case len(args) == 3 && args[0] == "change":
		b, err := os.ReadFile(args[1])
		if err != nil {
			return err
		}
		b[len(b)-1] ^= 1
		return os.WriteFile(args[2], b, 0o600)
	case len(args) > 2 && args[0] == "signal":
		return signal(args[1], args[2], args[3:])
	}
	return fmt.Errorf("want boot, change FILE COPY or signal TEXT PROGRAM ARGUMENT..., not %q", args)
}

// signal runs the program to its end, which must be a good one.
func signal(text, program string, args []string) error {
	cmd := exec.Command(program, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines, sent := bufio.NewReader(out), false
	for {
		line, err := lines.ReadString('\n')
		fmt.Print(line)
		if !sent && strings.Contains(line, text) {
			sent = true
			err = cmd.Process.Signal(unix.SIGUSR1)
		}
		if err == io.EOF {
			return cmd.Wait()
		}
		if err != nil {
			return err
		}
	}
}

// Command hand does in a nest what a user's hands would: it prints what names the boot, changes
// an octet of a file's copy, and sends a program SIGUSR1, or sets the octet behind 8 KiB of a file,
// once the program has said something.
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
		return heard(args[1], args[2:], func(p *os.Process) error { return p.Signal(unix.SIGUSR1) })
	case len(args) > 3 && args[0] == "set":
		return heard(args[2], args[3:], func(*os.Process) error { return set(args[1]) })
	}
	return fmt.Errorf("want boot, change FILE COPY, signal TEXT PROGRAM ARGUMENT... or set FILE TEXT PROGRAM ARGUMENT..., not %q", args)
}

func set(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt([]byte{1}, 8192)
	return err
}

// heard runs a program to its end, which must be a good one, and does something once it has
// said the text.
func heard(text string, program []string, do func(*os.Process) error) error {
	cmd := exec.Command(program[0], program[1:]...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines, done := bufio.NewReader(out), false
	for {
		line, err := lines.ReadString('\n')
		fmt.Print(line)
		if !done && strings.Contains(line, text) {
			done = true
			err = do(cmd.Process)
		}
		if err == io.EOF {
			return cmd.Wait()
		}
		if err != nil {
			return err
		}
	}
}

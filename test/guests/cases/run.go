package cases

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Run runs one case on the tender program. It returns nil, a *SkipError, or
// an error that says all that is not as expected.
func Run(ctx context.Context, tender, kernel string, c Case) error {
	if len(c.Arch) > 0 && !slices.Contains(c.Arch, runtime.GOARCH) {
		return &SkipError{"is for " + strings.Join(c.Arch, ", ")}
	}
	if c.KVM != "" && c.KVM != hostKVM() {
		return &SkipError{"is for a KVM by " + c.KVM}
	}
	dir, err := os.MkdirTemp("", "guest-case-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	done := make(chan error, 1)
	go func() {
		// The thread may enter a network namespace of its own. It is never
		// unlocked, and so ends with this goroutine.
		if len(c.Net) > 0 {
			runtime.LockOSThread()
		}
		done <- run(ctx, dir, tender, kernel, c)
	}()
	return <-done
}

func run(ctx context.Context, dir, tender, kernel string, c Case) error {
	kernel, err := patched(dir, kernel, c.Patch)
	if err != nil {
		return err
	}
	var args []string
	if m := c.memory(); m != 0 {
		args = append(args, "--mem="+strconv.Itoa(m))
	}
	blocks, err := makeBlocks(dir, c.Block)
	if err != nil {
		return err
	}
	nets, err := makeNets(c.Net)
	if err != nil {
		return err
	}
	defer nets.close()
	args = append(args, blocks...)
	args = append(args, nets.options...)
	if c.Core {
		args = append(args, "--dumpcore="+dir)
	}
	args = append(append(args, c.Options...), kernel)
	args = append(args, c.Args...)

	ctx, cancel := context.WithTimeout(ctx, c.limit())
	defer cancel()
	cmd := exec.CommandContext(ctx, tender, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles, cmd.WaitDelay = &stdout, &stderr, nets.files, time.Minute
	var asked error
	err = cmd.Start()
	if err == nil {
		nets.started()
		asked, err = c.attend(ctx, cmd)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return err
	}
	if ctx.Err() != nil {
		return errors.Join(asked, fmt.Errorf("no end after %v; stdout %q, stderr %q", c.limit(), clip(stdout.String()), clip(stderr.String())))
	}
	errs := []error{asked, c.compare(cmd.ProcessState.ExitCode(), stdout.String(), stderr.String(), filepath.Base(tender)+": ")}
	for _, b := range c.Block {
		errs = append(errs, b.verify(dir))
	}
	if c.Core {
		errs = append(errs, verifyCore(dir))
	}
	return errors.Join(errs...)
}

// attend puts the case's questions to the guest, stops it if it is to be stopped, and waits for the
// tender's end.
func (c *Case) attend(ctx context.Context, cmd *exec.Cmd) (asked, ended error) {
	running, over := context.WithCancel(ctx)
	defer over()
	wait := make(chan error, 1)
	go func() {
		wait <- cmd.Wait()
		over()
	}()
	for _, a := range c.Ask {
		if asked = a.put(running); asked != nil {
			break
		}
	}
	if c.Stop || asked != nil {
		_ = cmd.Process.Signal(unix.SIGTERM) // it may have ended
	}
	return asked, <-wait
}

// verifyCore wants one ELF core file with the guest's memory in it.
func verifyCore(dir string) error {
	names, err := filepath.Glob(filepath.Join(dir, "core.*"))
	if err != nil || len(names) != 1 {
		return fmt.Errorf("%d core files: %w", len(names), err)
	}
	f, err := elf.Open(names[0])
	if err != nil {
		return fmt.Errorf("core: %w", err)
	}
	defer f.Close()
	if f.Type != elf.ET_CORE || !slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_LOAD }) {
		return fmt.Errorf("core: %v with %d segments, none of memory", f.Type, len(f.Progs))
	}
	return nil
}

// patched gives the path of the guest with the changes that a case wants.
func patched(dir, kernel string, names []string) (string, error) {
	if len(names) == 0 {
		return kernel, nil
	}
	file, err := os.ReadFile(kernel)
	if err != nil {
		return "", err
	}
	if file, err = Patch(file, names); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "patched.hvt")
	return path, os.WriteFile(path, file, 0o755)
}

func (c *Case) compare(status int, stdout, stderr, prefix string) error {
	var errs []error
	wrong := func(format string, a ...any) { errs = append(errs, fmt.Errorf(format, a...)) }
	if status != c.Status {
		wrong("status %d, want %d", status, c.Status)
	}
	if c.Stdout != nil && stdout != *c.Stdout {
		wrong("stdout is not %q", *c.Stdout)
	}
	stderr = strings.ReplaceAll(stderr, prefix, "")
	if c.Stderr != nil && stderr != *c.Stderr {
		wrong("stderr is not %q", *c.Stderr)
	}
	if missing := inOrder(stdout, c.Prints); missing != "" {
		wrong("stdout has no %q", missing)
	}
	if missing := inOrder(stderr, c.Warns); missing != "" {
		wrong("stderr has no %q", missing)
	}
	if errs == nil {
		return nil
	}
	return fmt.Errorf("%w\nstdout %q\nstderr %q", errors.Join(errs...), clip(stdout), clip(stderr))
}

// inOrder gives the first of parts that does not follow in s.
func inOrder(s string, parts []string) string {
	for _, p := range parts {
		_, rest, ok := strings.Cut(s, p)
		if !ok {
			return p
		}
		s = rest
	}
	return ""
}

func clip(s string) string {
	if len(s) > 4000 {
		return s[:2000] + "…" + s[len(s)-2000:]
	}
	return s
}

// makeBlocks makes the files and gives the tender's options.
func makeBlocks(dir string, blocks []Block) (options []string, err error) {
	for _, b := range blocks {
		path := filepath.Join(dir, b.Name)
		f, err := os.Create(path)
		if err != nil {
			return nil, err
		}
		err = f.Truncate(b.Size)
		for _, s := range b.Before {
			_, writeErr := f.WriteAt([]byte(s.Text), s.At)
			err = errors.Join(err, writeErr)
		}
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		options = append(options, "--block:"+b.Name+"="+path)
		if b.Sector != 0 {
			options = append(options, "--block-sector-size:"+b.Name+"="+strconv.Itoa(b.Sector))
		}
	}
	return options, nil
}

func (b *Block) verify(dir string) error {
	data, err := os.ReadFile(filepath.Join(dir, b.Name))
	if err != nil {
		return err
	}
	if int64(len(data)) != b.Size {
		return fmt.Errorf("block %s has %d octets, had %d", b.Name, len(data), b.Size)
	}
	for _, s := range b.After {
		if s.At < 0 || s.At > b.Size || !strings.HasPrefix(string(data[s.At:]), s.Text) {
			return fmt.Errorf("block %s has no %q at %d", b.Name, s.Text, s.At)
		}
	}
	return nil
}

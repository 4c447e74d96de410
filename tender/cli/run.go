package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender"
	"github.com/perilune/perilune/tender/jail"
	"github.com/perilune/perilune/tender/kvm"
	"github.com/perilune/perilune/tender/loader"
)

// run makes the machine and runs the guest. Nothing of it happens beside
// something else: making the machine on a thread of its own costs more at each
// start than it saves, in threads that the jail has to visit one by one.
func (c *command) run(cmdline string) (int, error) {
	size, err := loader.Size(c.memory)
	if size != 0 && size != c.memory {
		c.warn("adjusting memory to %d bytes", size)
	}
	if err != nil {
		return 0, err
	}
	sys, err := kvm.Open("/dev/kvm")
	if err != nil {
		return 0, err
	}
	m, err := tender.New(sys)
	if err != nil {
		return 0, err
	}
	config := tender.Config{Image: c.image, Kernel: c.kernel, Memory: size, Cmdline: cmdline,
		Blocks: c.blocks, Nets: c.nets, Channels: c.channels, VCPUs: c.vcpus, Ring: true, Console: c.print}
	if c.saving.reader != nil {
		err = m.Restore(config, c.saving.reader)
	} else {
		err = m.Load(config)
	}
	if err != nil {
		return 0, c.explain(err)
	}
	sys.Close()
	c.kernel.Close()
	m.LeaveBehind() // or not: it ends all the same
	return c.execute(m)
}

// execute shuts the jail and runs the guest, under gdb if wanted.
func (c *command) execute(m *tender.Machine) (int, error) {
	if c.debug.gdb { // a debugger may be long in coming
		if err := c.endOnSignal(); err != nil {
			return 0, err
		}
	}
	core, err := c.openCore()
	if err != nil {
		return 0, err
	}
	if err := c.openConsole(); err != nil {
		return 0, err
	}
	if err := c.openTarget(); err != nil {
		return 0, err
	}
	conn, err := c.waitForDebugger(m)
	if err != nil {
		return 0, err
	}
	if err := c.shut(m); err != nil {
		return 0, err
	}
	defer c.serveConsole()()
	var e tender.Exit
	if conn != nil {
		if e, err = c.serve(conn, m); err != nil {
			return 0, err
		}
	} else {
		if err := c.endOnSignal(); err != nil {
			return 0, err
		}
		c.saving.serve(c, m)
		e = c.saving.wait(m.RunHere(context.Background()))
	}
	status := c.report(e)
	if core != nil && (e.Kind == tender.Abort || e.Kind == tender.Fault) {
		c.dump(core, m)
	}
	return status, nil
}

// explain words an error of Load as the reference does.
func (c *command) explain(err error) error {
	var mismatch *tender.MismatchError
	var image *hvt.ImageError
	switch {
	case errors.As(err, &mismatch) && len(mismatch.Extra) == 0:
		for _, e := range mismatch.Missing {
			c.warn("Device '%s' of type %s declared but not attached.", e.Name, e.Type)
		}
		return failure("All declared devices must be attached. See --help for syntax.")
	case errors.As(err, &image):
		return failure("%s: %s", c.file, image.Text)
	}
	return err
}

// shut gives up capabilities and installs the filter of a running guest.
func (c *command) shut(m *tender.Machine) error {
	if c.noJail {
		c.warn("WARNING: --no-jail: no capability is dropped, no file hidden, no system call filtered;")
		c.warn("WARNING: a guest that breaks out of its machine is uid %d on this one", os.Getuid())
		return nil
	}
	if _, err := jail.Confine(); err != nil {
		return err
	}
	var requests []jail.Ioctl
	for _, r := range slices.Concat(m.RunRequests(), c.debug.requests(m), c.saving.requests(m)) {
		requests = append(requests, jail.Ioctl{FD: r.FD, Request: r.Number})
	}
	var files []int
	for _, b := range c.blocks {
		files = append(files, b.FD())
	}
	filter := jail.Running(requests, files)
	filter.Allow(c.debug.calls()...)
	filter.Allow(c.saving.calls()...)
	if c.readers != nil {
		filter.Accept(c.readers.FD())
	}
	return filter.InstallHere()
}

// report says on stderr why a guest ended that did not halt.
func (c *command) report(e tender.Exit) int {
	switch {
	case e.Kind == tender.Halt, e.Reason == tender.Saved, e.Kind == tender.Abort && e.Reason == tender.Aborted:
	case strings.HasPrefix(e.Reason, "Fatal error"):
		fmt.Fprintln(c.stderr, e.Reason)
	default:
		c.warn("%s", e.Reason)
	}
	return int(e.Status)
}

package cli

import (
	"strings"

	"github.com/perilune/perilune/tender/console"
	"github.com/perilune/perilune/tender/modules"
)

// setConsole takes the argument of --console.
func (c *command) setConsole(v string) error {
	path, ok := strings.CutPrefix(v, "unix:")
	if !ok || path == "" {
		return failure("Malformed argument to --console")
	}
	c.console = path
	return nil
}

// openConsole makes the socket for readers, before the walls go up.
func (c *command) openConsole() error {
	if c.console == "" {
		return nil
	}
	var err error
	c.history = &console.History{}
	c.readers, err = console.Listen(c.console, c.history)
	return err
}

// serveConsole lets readers in until the function that it returns is called.
func (c *command) serveConsole() (end func()) {
	if c.readers == nil {
		return func() {}
	}
	go c.readers.Serve()
	return func() { _ = c.readers.Close() } // the process ends with it
}

// print writes the guest's text to standard output, for which the guest waits
// as under the reference, and keeps it for readers, for whom it does not.
func (c *command) print(p []byte) error {
	if c.readers != nil {
		c.history.Write(p)
	}
	if _, err := c.stdout.Write(p); err != nil {
		return &modules.FatalError{Text: "Fatal error when writing: " + likeC(err, errnoText(err))}
	}
	return nil
}

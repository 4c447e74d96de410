package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/sim"
)

// Exit codes; exitHelp lists them in --help.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitUnreachable = 3
	exitRefused     = 4
)

const exitHelp = `
Exit codes:
  0  done
  1  failed
  2  wrong usage
  3  no station answers, no simulation runs, or the craft does not answer within --timeout
  4  the craft, or a check before it, refused; the message names the rule
`

// app is one call of the command: its streams and global flags.
type app struct {
	ctx     context.Context
	out     io.Writer // data
	talk    io.Writer // everything else
	in      io.Reader
	env     func(string) string
	json    bool
	socket  string
	timeout time.Duration
}

// usageError is a mistake on the command line.
type usageError struct{ msg string }

func (e *usageError) Error() string { return e.msg }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// errNoAnswer is a wait that ended without the craft's word.
var errNoAnswer = errors.New("no answer from the craft")

// main runs the command line and returns the exit code.
func (a *app) main(args []string) int {
	root := a.root()
	root.SetArgs(args)
	root.SetOut(a.out)
	root.SetErr(a.talk)
	root.SetIn(a.in)
	cmd, err := root.ExecuteContextC(a.ctx)
	if err == nil {
		return 0
	}
	if a.ctx.Err() != nil { // else "signal: killed" reads as if something were wrong
		err = fmt.Errorf("interrupted: %w", err)
	}
	fmt.Fprintf(a.talk, "perilune: %s\n", strings.TrimSpace(err.Error()))
	code := exitCode(err)
	switch code {
	case exitUsage:
		fmt.Fprintf(a.talk, "Try '%s --help'.\n", cmd.CommandPath())
	case exitUnreachable:
		if !errors.Is(err, errNoAnswer) {
			fmt.Fprintln(a.talk, "Start a craft with 'perilune sim', or name its station with --craft-socket or PERILUNE_SOCKET.")
		}
	}
	return code
}

func exitCode(err error) int {
	var usage *usageError
	var refused *client.RefusedError
	var rule *missions.RuleError
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &refused), errors.As(err, &rule):
		return exitRefused
	case errors.Is(err, client.ErrUnreachable), errors.Is(err, sim.ErrNotRunning), errors.Is(err, errNoAnswer):
		return exitUnreachable
	}
	return exitFailed
}

// dial finds the station and checks that it answers.
func (a *app) dial() (*client.Client, error) {
	return client.Dial(a.findSocket())
}

// within bounds a wait for the craft by --timeout.
func (a *app) within() (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(a.ctx, a.timeout, errNoAnswer)
}

// patience turns a wait's end into the error that the user understands.
func (a *app) patience(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && errors.Is(context.Cause(ctx), errNoAnswer) {
		return fmt.Errorf("%w within %v", errNoAnswer, a.timeout)
	}
	return err
}

// print writes v as JSON, or calls human.
func (a *app) print(v any, human func(w io.Writer)) error {
	if a.json {
		return a.printJSON(v)
	}
	human(a.out)
	return nil
}

// printJSON writes one JSON value as one line.
func (a *app) printJSON(v any) error { return json.NewEncoder(a.out).Encode(v) }

// printList writes each value as JSON, one a line, or all of them as a table.
func printList[T any](a *app, all []T, heading []string, row func(T) []string) error {
	rows := [][]string{heading}
	for _, v := range all {
		if a.json {
			if err := a.printJSON(v); err != nil {
				return err
			}
			continue
		}
		rows = append(rows, row(v))
	}
	if !a.json {
		table(a.out, rows)
	}
	return nil
}

// table writes aligned columns, the first row being the heading.
func table(w io.Writer, rows [][]string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(t, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	t.Flush()
}

// interactive says whether progress may be drawn in place.
func (a *app) interactive() bool {
	f, ok := a.talk.(*os.File)
	return ok && !a.json && term.IsTerminal(int(f.Fd()))
}

// progress shows a line that overwrites itself on a terminal, and else one line
// whenever its text has changed in the part before the tab.
type progress struct {
	a    *app
	last string
	open bool
}

func (p *progress) show(step, detail string) {
	line := strings.TrimSpace(step + "  " + detail)
	switch {
	case p.a.interactive():
		if line != p.last {
			fmt.Fprintf(p.a.talk, "\r\033[K%s", line)
			p.open = true
		}
		p.last = line
	case step != p.last:
		fmt.Fprintln(p.a.talk, line)
		p.last = step
	}
}

func (p *progress) end() {
	if p.open {
		fmt.Fprintln(p.a.talk)
		p.open = false
	}
}

// choices offers the values of a flag to the shell.
func choices(c *cobra.Command, flag string, values ...string) {
	complete := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values, cobra.ShellCompDirectiveNoFileComp
	}
	if err := c.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err) // the flag does not exist: a mistake of ours
	}
}

// args makes a cobra check out of bounds for the number of arguments.
func args(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || most >= 0 && len(args) > most {
			return usagef("%s wants %s", cmd.CommandPath(), what)
		}
		return nil
	}
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no argument, got %q", cmd.CommandPath(), args[0])
	}
	return nil
}

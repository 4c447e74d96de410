package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/internal/client"
)

// ask asks the craft about its file store and waits for the answer.
func (a *app) ask(cl *client.Client, q client.Ask) (client.Transfer, error) {
	t, err := cl.Ask(a.ctx, q)
	if err != nil {
		return t, err
	}
	ctx, cancel := a.within()
	defer cancel()
	t, err = cl.WaitTransfer(ctx, t.ID, nil)
	if err != nil {
		return t, a.patience(ctx, err)
	}
	return t, nil
}

// entry is a line of a listing.
type entry struct {
	Kind    string    `json:"kind"` // file, folder, other
	Size    int64     `json:"size"`
	Changed time.Time `json:"changed"`
	Name    string    `json:"name"`
}

func (a *app) listOnboard(cl *client.Client, folder string) error {
	t, err := a.ask(cl, client.Ask{Kind: client.AskList, Name: folder})
	if err != nil {
		return fmt.Errorf("list %s: %w", cmp.Or(folder, "the file store"), err)
	}
	var text bytes.Buffer
	if err := cl.Fetch(a.ctx, t.Name, &text); err != nil {
		return err
	}
	var entries []entry
	for line := range strings.Lines(text.String()) {
		e, ok := parseEntry(strings.TrimSuffix(line, "\n"))
		if !ok {
			fmt.Fprintln(a.talk, "there are more")
			continue
		}
		entries = append(entries, e)
	}
	return printList(a, entries, []string{"NAME", "KIND", "SIZE", "CHANGED"}, func(e entry) []string {
		return []string{printable(e.Name), e.Kind, fmt.Sprint(e.Size), e.Changed.UTC().Format("2006-01-02 15:04:05")}
	})
}

// lastChange is the end of the year 9999 in Unix seconds: JSON has no later times.
const lastChange = 253402300799

// parseEntry reads a line as cfdp's Dir.List writes it; the craft made it, so that
// nothing about it is certain.
func parseEntry(line string) (entry, bool) {
	part := strings.SplitN(line, " ", 4)
	if len(part) != 4 {
		return entry{}, false
	}
	size, err1 := strconv.ParseInt(part[1], 10, 64)
	changed, err2 := strconv.ParseInt(part[2], 10, 64)
	name := part[3]
	if q, err := strconv.Unquote(name); err == nil && strings.HasPrefix(name, `"`) {
		name = q
	}
	kind, ok := map[string]string{"f": "file", "d": "folder", "?": "other"}[part[0]]
	ok = ok && err1 == nil && err2 == nil && size >= 0 && changed >= 0 && changed <= lastChange && name != ""
	return entry{kind, size, time.Unix(changed, 0).UTC(), name}, ok
}

// change asks for changes of the file store on board and tells what became of them.
func (a *app) change(changes ...client.Change) error {
	cl, err := a.dial()
	if err != nil {
		return err
	}
	t, err := a.ask(cl, client.Ask{Kind: client.AskChange, Changes: changes})
	if err != nil {
		return err
	}
	return a.print(t, func(w io.Writer) {
		for _, s := range t.Answers {
			fmt.Fprintln(w, printable(s))
		}
	})
}

func (a *app) fileRemoveCmd() *cobra.Command {
	var dir bool
	c := &cobra.Command{
		Use:   "remove NAME...",
		Short: "Delete files on board",
		Args:  args(1, 8, "up to eight names on board"),
		RunE: func(_ *cobra.Command, names []string) error {
			what := "delete"
			if dir {
				what = "rmdir"
			}
			var all []client.Change
			for _, n := range names {
				all = append(all, client.Change{Action: what, First: n})
			}
			return a.change(all...)
		},
	}
	c.Flags().BoolVar(&dir, "folder", false, "they are empty folders")
	return c
}

func (a *app) fileRenameCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "rename OLD NEW",
		Short: "Rename a file on board",
		Args:  args(2, 2, "the old and the new name on board"),
		RunE: func(_ *cobra.Command, names []string) error {
			return a.change(client.Change{Action: "rename", First: names[0], Second: names[1]})
		},
	}
}

func (a *app) fileMkdirCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "mkdir FOLDER",
		Short: "Make a folder on board",
		Args:  args(1, 1, "the name of one folder"),
		RunE: func(_ *cobra.Command, names []string) error {
			return a.change(client.Change{Action: "mkdir", First: names[0]})
		},
	}
}

// fileControlCmd suspends, resumes or cancels a transfer, either way.
func (a *app) fileControlCmd(verb, short string) *cobra.Command {
	return &cobra.Command{
		Use:   verb + " ID",
		Short: short,
		Args:  args(1, 1, "the id of a transfer, as file list --transfers shows it"),
		RunE: func(_ *cobra.Command, ids []string) error {
			cl, err := a.dial()
			if err != nil {
				return err
			}
			t, err := cl.ControlTransfer(a.ctx, ids[0], verb)
			if err != nil {
				return err
			}
			return a.print(t, func(w io.Writer) {
				state := t.State
				switch {
				case t.State != client.TransferActive:
				case t.Suspended:
					state = "suspended"
				case verb == "cancel":
					state = "ends"
				}
				fmt.Fprintf(w, "%s: %d of %d octets, %s\n", printable(t.Name), t.Done, t.Size, state)
			})
		},
	}
}

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/internal/client"
)

func (a *app) fileCmd() *cobra.Command {
	return group(&cobra.Command{Use: "file", Short: "Files that came down or go up"}, a.fileListCmd(), a.fileGetCmd(), a.filePutCmd(),
		a.fileRemoveCmd(), a.fileRenameCmd(), a.fileMkdirCmd(),
		a.fileControlCmd("suspend", "Stop a transfer for a while"), a.fileControlCmd("resume", "Let a suspended transfer go on"),
		a.fileControlCmd("cancel", "End a transfer, here and on board"))
}

func (a *app) fileListCmd() *cobra.Command {
	var transfers, onboard bool
	c := &cobra.Command{
		Use:   "list [FOLDER]",
		Short: "List files that came down, with where they come from",
		Args:  args(0, 1, "at most one folder on board"),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 && !onboard {
				return usagef("a folder goes with --onboard")
			}
			cl, err := a.dial()
			if err != nil {
				return err
			}
			if onboard {
				return a.listOnboard(cl, append(args, "")[0])
			}
			if transfers {
				return a.listTransfers(cl)
			}
			files, err := cl.Files(a.ctx)
			if err != nil {
				return err
			}
			return printList(a, files, []string{"NAME", "SIZE", "RECEIVED", "FROM", "SHA-256"}, func(f client.File) []string {
				from := ""
				if f.Tenant != "" {
					from = f.Tenant + "/" + f.Mission
				}
				return []string{printable(f.Name), fmt.Sprint(f.Size), f.Received.Local().Format("2006-01-02 15:04:05"), printable(from), f.SHA256[:min(16, len(f.SHA256))]}
			})
		},
	}
	c.Flags().BoolVar(&transfers, "transfers", false, "list transfers instead, both ways")
	c.Flags().BoolVar(&onboard, "onboard", false, "ask the craft what lies in its file store")
	c.MarkFlagsMutuallyExclusive("transfers", "onboard")
	return c
}

func (a *app) listTransfers(cl *client.Client) error {
	all, err := cl.Transfers(a.ctx)
	if err != nil {
		return err
	}
	return printList(a, all, []string{"ID", "WAY", "CLASS", "PRIO", "STATE", "DONE", "SIZE", "NAKS", "AGAIN", "NAME"}, func(t client.Transfer) []string {
		way, state, name := "down", t.State, t.Name
		if t.Up {
			way = "up"
		}
		if t.Suspended && t.State == client.TransferActive {
			state = "suspended"
		}
		if t.State == client.TransferFailed {
			name += " (" + t.Condition + ")"
		}
		return []string{t.ID, way, fmt.Sprint(t.Class), fmt.Sprint(t.Priority), state, fmt.Sprint(t.Done), fmt.Sprint(t.Size), fmt.Sprint(t.NAKs), fmt.Sprint(t.Retransmitted), printable(name)}
	})
}

func (a *app) fileGetCmd() *cobra.Command {
	var to string
	var onboard bool
	var class int
	c := &cobra.Command{
		Use:   "get NAME",
		Short: "Copy a file that came down, or ask the craft to send it",
		Args:  args(1, 1, "the name of one file"),
		RunE: func(_ *cobra.Command, args []string) error {
			cl, err := a.dial()
			if err != nil {
				return err
			}
			if class != 1 && class != 2 {
				return usagef("class %d: want 1 or 2", class)
			}
			if onboard {
				if _, err := a.ask(cl, client.Ask{Kind: client.AskGet, Name: args[0], Class: class}); err != nil {
					return fmt.Errorf("get %s: %w", args[0], err)
				}
			}
			if to == "-" {
				return cl.Fetch(a.ctx, args[0], a.out)
			}
			if to == "" {
				to = path.Base(args[0])
			}
			return a.fetch(cl, args[0], to)
		},
	}
	c.Flags().StringVarP(&to, "output", "o", "", "`file` to write (default: the file's base name here; - is standard output)")
	c.Flags().BoolVar(&onboard, "onboard", false, "ask the craft to send it down first")
	c.Flags().IntVar(&class, "class", 2, "with --onboard: CFDP class, 1 (unacknowledged) or 2")
	return c
}

// fetch writes beside the target and renames, so that no half file is left.
func (a *app) fetch(cl *client.Client, name, to string) error {
	tmp, err := os.CreateTemp(filepath.Dir(to), ".perilune-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	err = errors.Join(cl.Fetch(a.ctx, name, tmp), tmp.Chmod(0o644), tmp.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), to); err != nil {
		return err
	}
	st, err := os.Stat(to)
	if err != nil {
		return err
	}
	v := struct {
		Name string `json:"name"`
		Path string `json:"path"`
		Size int64  `json:"size"`
	}{name, to, st.Size()}
	return a.print(v, func(w io.Writer) { fmt.Fprintf(w, "%s: %d octets\n", to, v.Size) })
}

func (a *app) filePutCmd() *cobra.Command {
	var p client.Put
	var nowait bool
	c := &cobra.Command{
		Use:   "put FILE",
		Short: "Send a file up",
		Args:  args(1, 1, "one file"),
		RunE: func(_ *cobra.Command, args []string) error {
			if p.Class != 1 && p.Class != 2 || p.Priority < 0 || p.Priority > 255 {
				return usagef("class %d, priority %d: want class 1 or 2, priority 0 to 255", p.Class, p.Priority)
			}
			if st, err := os.Stat(args[0]); err == nil && !st.Mode().IsRegular() {
				return fmt.Errorf("%s is no file", args[0])
			}
			if p.Dest == "" {
				p.Dest = filepath.Base(args[0])
			}
			cl, err := a.dial()
			if err != nil {
				return err
			}
			t, err := cl.Upload(a.ctx, args[0], p)
			if err != nil {
				return err
			}
			if !nowait {
				ctx, cancel := a.within()
				defer cancel()
				p := progress{a: a}
				t, err = cl.WaitTransfer(ctx, t.ID, func(t client.Transfer) {
					p.show("upload", fmt.Sprintf("%d of %d octets", t.Done, t.Size))
				})
				p.end()
				if err != nil {
					return a.patience(ctx, err)
				}
			}
			return a.print(t, func(w io.Writer) { fmt.Fprintf(w, "%s: %d octets, %s\n", t.Name, t.Size, t.State) })
		},
	}
	c.Flags().IntVar(&p.Class, "class", 2, "CFDP class: 2, or 1 (unacknowledged: sent once, nobody asks for what is lost)")
	c.Flags().IntVar(&p.Priority, "priority", 0, "0 to 255; data of a higher one goes first")
	c.Flags().StringVar(&p.Dest, "dest", "", "`name` on board (default: the file's own)")
	c.Flags().BoolVar(&nowait, "no-wait", false, "do not wait for the transfer's end")
	return c
}

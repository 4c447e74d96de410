package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/internal/client"
)

func (a *app) keyListCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List which key protects each channel of the link",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			cl, err := a.dial()
			if err != nil {
				return err
			}
			keys, err := cl.Keys(a.ctx)
			if err != nil {
				return err
			}
			a.adviseKeys(keys)
			return a.print(keys, func(w io.Writer) { linkKeys(w, keys) })
		},
	}
}

// adviseKeys says what is to be done about keys.
func (a *app) adviseKeys(keys []client.LinkKey) {
	for _, k := range keys {
		if advice := k.Advice(); advice != "" && !a.json {
			fmt.Fprintln(a.talk, advice)
		}
	}
}

func (a *app) keyRotateCmd() *cobra.Command {
	var r client.Rotation
	var finish bool
	c := &cobra.Command{
		Use:   "rotate",
		Short: "Give a channel of the link a new key, over the air",
		Long: `Give a channel of the uplink, or with --down of the downlink, a new key, over the air.
The new key goes up under the master key and the craft proves that it has it; both ends
change over; the old key is destroyed once the new one has been seen to work: by a
telecommand under it, or by a frame. What is under way is not lost. A rotation that
stopped half way, since contact was lost or the station died, goes on when the command is
given again; --finish ends all that have stopped, and begins none.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if finish && (c.Flags().Changed("vc") || c.Flags().Changed("down")) {
				return usagef("--finish is for all channels: without --vc and --down")
			}
			cl, err := a.dial()
			if err != nil {
				return err
			}
			if finish {
				return a.finishRotations(cl)
			}
			key, err := cl.RotateKey(a.ctx, r)
			if err != nil {
				return a.stopped(err)
			}
			if keys, err := cl.Keys(a.ctx); err == nil {
				a.adviseKeys(keys) // of other channels
			}
			return a.print(key, func(w io.Writer) { linkKeys(w, []client.LinkKey{key}) })
		},
	}
	c.Flags().BoolVar(&finish, "finish", false, "end the rotations that stopped half way, of all channels")
	c.Flags().Uint8Var(&r.VC, "vc", 0, "virtual channel")
	c.Flags().BoolVar(&r.Down, "down", false, "of the downlink")
	return c
}

// finishRotations ends those that stopped half way.
func (a *app) finishRotations(cl *client.Client) error {
	keys, err := cl.Keys(a.ctx)
	if err != nil {
		return err
	}
	ended := []client.LinkKey{}
	for _, k := range keys {
		if !k.Rotating {
			continue
		}
		key, err := cl.RotateKey(a.ctx, client.Rotation{VC: k.VC, Down: k.Down})
		if err != nil {
			return a.stopped(err)
		}
		ended = append(ended, key)
	}
	if len(ended) == 0 && !a.json {
		fmt.Fprintln(a.talk, "no rotation has stopped half way")
		return nil
	}
	return a.print(ended, func(w io.Writer) { linkKeys(w, ended) })
}

// stopped is what stopped a rotation; who has interrupted it is told how it goes on.
func (a *app) stopped(err error) error {
	if a.ctx.Err() != nil {
		fmt.Fprintln(a.talk, "the key is half changed; perilune key rotate --finish goes on from there")
	}
	return err
}

func (a *app) keyRecoverCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "recover",
		Short: "Bring station and craft together again when they disagree about keys",
		Long: `Bring station and craft together again when they disagree about keys: when the
station has lost what was changed, the craft has lost its records, or a rotation cannot
go on. It calls the craft on the recovery channel by the keys known here and by those of
the image, asks what it has, and gives each channel a new key whose own the craft does
not prove to be the one known here. Keys that no channel uses are destroyed. It may take
some minutes.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			cl, err := a.dial()
			if err != nil {
				return err
			}
			keys, err := cl.RecoverKeys(a.ctx)
			if err != nil {
				return err
			}
			return a.print(keys, func(w io.Writer) { linkKeys(w, keys) })
		},
	}
}

// procedure has the craft carry out a procedure and shows what it answered.
func (a *app) procedure(p client.Procedure) error {
	cl, err := a.dial()
	if err != nil {
		return err
	}
	reply, err := cl.Procedure(a.ctx, p)
	if err != nil {
		return err
	}
	if err := a.print(reply, func(w io.Writer) { procedureReply(w, reply) }); err != nil {
		return err
	}
	if !reply.Good {
		return errors.New("the craft's self-test failed")
	}
	return nil
}

func (a *app) keyInventoryCmd() *cobra.Command {
	return &cobra.Command{
		Use: "inventory", Short: "List the keys that are on board, and their states", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			return a.procedure(client.Procedure{Name: "key.inventory"})
		},
	}
}

func (a *app) keyLoadCmd() *cobra.Command {
	return &cobra.Command{
		Use: "load", Short: "Bring a new key on board, to be activated later", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.procedure(client.Procedure{Name: "key.load"}) },
	}
}

func (a *app) keyVerbCmd(verb, short string) *cobra.Command {
	long := short + ". KEY is a number as 'key inventory' lists them."
	if verb == "deactivate" || verb == "revoke" {
		long += "\nThe craft refuses it for a key that an association in use has."
	}
	return &cobra.Command{
		Use: verb + " KEY", Short: short, Long: long,
		Args: args(1, 1, "the number of one key"),
		RunE: func(_ *cobra.Command, args []string) error {
			key, err := number16("KEY", args[0])
			if err != nil {
				return err
			}
			return a.procedure(client.Procedure{Name: "key." + verb, Key: key})
		},
	}
}

func (a *app) keyTestCmd() *cobra.Command {
	return &cobra.Command{
		Use: "selftest", Short: "Have the craft test its ciphers by known answers", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.procedure(client.Procedure{Name: "selftest"}) },
	}
}

func (a *app) keyAlarmCmd() *cobra.Command {
	return &cobra.Command{
		Use: "reset-alarm", Short: "Take back the alarm of the craft's frame security report", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.procedure(client.Procedure{Name: "alarm.reset"}) },
	}
}

func (a *app) keyLogCmd() *cobra.Command {
	var erase, status bool
	c := &cobra.Command{
		Use: "log", Short: "Show the security log on board: frames and procedures refused, keys changed", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			name := "log.dump"
			switch {
			case erase && status:
				return usagef("--erase and --status: one of them")
			case erase:
				name = "log.erase"
			case status:
				name = "log.status"
			}
			return a.procedure(client.Procedure{Name: name})
		},
	}
	c.Flags().BoolVar(&erase, "erase", false, "erase the log")
	c.Flags().BoolVar(&status, "status", false, "only how many events it holds")
	return c
}

func number16(what, text string) (uint16, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, usagef("%s %q: want a number from 0 to 65535", what, text)
	}
	return uint16(n), nil
}

func linkKeys(w io.Writer, keys []client.LinkKey) {
	rows := [][]string{{"WAY", "VC", "SPI", "KEY", "STATE"}}
	for _, k := range keys {
		way, state := "up", "in use"
		if k.Down {
			way = "down"
		}
		if k.Rotating && k.Busy {
			state = fmt.Sprintf("changing, step %d of %d", k.Step, k.Steps)
		} else if k.Rotating {
			state = fmt.Sprintf("half changed, step %d of %d", k.Step, k.Steps)
		} else if k.Lost {
			state = "lost"
		}
		rows = append(rows, []string{way, fmt.Sprint(k.VC), fmt.Sprint(k.SPI), fmt.Sprint(k.Key), state})
	}
	table(w, rows)
}

// procedureReply shows what the craft answered, and else that it did as it was told.
func procedureReply(w io.Writer, r client.ProcedureReply) {
	switch {
	case len(r.Keys) > 0:
		rows := [][]string{{"KEY", "STATE", "USE"}}
		for _, k := range r.Keys {
			rows = append(rows, []string{fmt.Sprint(k.Key), k.State, k.Use})
		}
		table(w, rows)
	case len(r.Associations) > 0:
		rows := [][]string{{"SPI", "STATE", "NUMBER"}}
		for _, s := range r.Associations {
			rows = append(rows, []string{fmt.Sprint(s.SPI), s.State, fmt.Sprint(s.Number)})
		}
		table(w, rows)
	case len(r.Events) > 0:
		rows := [][]string{{"TAG", "WHAT", "SPI", "NUMBER"}}
		for _, e := range r.Events {
			rows = append(rows, []string{fmt.Sprintf("%02x", e.Tag), e.What, fmt.Sprint(e.SPI), fmt.Sprint(e.Number)})
		}
		table(w, rows)
	case r.Log != nil:
		fmt.Fprintf(w, "%d events, room for %d\n", r.Log.Events, r.Log.Room)
	case r.Good:
		fmt.Fprintln(w, "done")
	default:
		fmt.Fprintln(w, "failed")
	}
}

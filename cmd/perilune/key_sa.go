package main

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/perilune/perilune/internal/client"
)

// keyAssociationCmd is what an operator may do to security associations by hand. A channel's
// own change by 'key rotate'.
func (a *app) keyAssociationCmd() *cobra.Command {
	return group(&cobra.Command{Use: "sa", Short: "Security associations on board, by hand"},
		a.saStatusCmd(),
		a.saCmd("create", "Make an association, unkeyed: one of the profile that is gone, or another for the uplink"),
		a.saRekeyCmd(), a.saStartCmd(),
		a.saCmd("stop", "Make an operational association keyed; never the last one of a channel"),
		a.saCmd("expire", "Take the key from an association that is keyed"),
		a.saCmd("delete", "Forget an association that is unkeyed"),
		a.saNumberCmd("number", "Move the anti-replay number of an association forward"),
		a.saNumberCmd("window", "Set the anti-replay window of an association, in frames"))
}

// saCmd is a procedure on the association that args[0] names.
func (a *app) saCmd(verb, short string) *cobra.Command {
	return &cobra.Command{
		Use: verb + " SPI", Short: short, Args: args(1, 1, "one SPI"),
		RunE: func(_ *cobra.Command, args []string) error {
			spi, err := number16("SPI", args[0])
			if err != nil {
				return err
			}
			return a.procedure(client.Procedure{Name: "sa." + verb, SPI: spi})
		},
	}
}

func (a *app) saStatusCmd() *cobra.Command {
	return &cobra.Command{
		Use: "status [SPI]", Short: "Show state and anti-replay number of associations; without SPI of all of the profile",
		Args: args(0, 1, "at most one SPI"),
		RunE: func(_ *cobra.Command, args []string) error {
			p := client.Procedure{Name: "sa.status"}
			var err error
			if len(args) > 0 {
				p.SPI, err = number16("SPI", args[0])
			}
			if err != nil {
				return err
			}
			return a.procedure(p)
		},
	}
}

func (a *app) saRekeyCmd() *cobra.Command {
	var n uint64
	c := &cobra.Command{
		Use: "rekey SPI KEY", Short: "Give an unkeyed association a key", Args: args(2, 2, "an SPI and the number of a key"),
		RunE: func(_ *cobra.Command, args []string) error {
			spi, err := number16("SPI", args[0])
			if err != nil {
				return err
			}
			key, err := number16("KEY", args[1])
			if err != nil {
				return err
			}
			return a.procedure(client.Procedure{Name: "sa.rekey", SPI: spi, Key: key, Number: n})
		},
	}
	c.Flags().Uint64Var(&n, "number", 0, "anti-replay number from which it goes on")
	return c
}

func (a *app) saStartCmd() *cobra.Command {
	var vcs []uint
	c := &cobra.Command{
		Use: "start SPI", Short: "Make a keyed association of the uplink operational", Args: args(1, 1, "one SPI"),
		RunE: func(_ *cobra.Command, args []string) error {
			spi, err := number16("SPI", args[0])
			if err != nil {
				return err
			}
			p := client.Procedure{Name: "sa.start", SPI: spi}
			for _, vc := range vcs {
				if vc > 63 {
					return usagef("--vc %d: want 0 to 63", vc)
				}
				p.VCs = append(p.VCs, uint8(vc))
			}
			return a.procedure(p)
		},
	}
	c.Flags().UintSliceVar(&vcs, "vc", nil, "virtual channels of the uplink (default: those of before)")
	return c
}

func (a *app) saNumberCmd(verb, short string) *cobra.Command {
	return &cobra.Command{
		Use: verb + " SPI N", Short: short, Args: args(2, 2, "an SPI and a number"),
		RunE: func(_ *cobra.Command, args []string) error {
			spi, err := number16("SPI", args[0])
			if err != nil {
				return err
			}
			n, err := strconv.ParseUint(args[1], 10, 64)
			if err != nil {
				return usagef("N %q: want a number", args[1])
			}
			return a.procedure(client.Procedure{Name: "sa." + verb, SPI: spi, Number: n})
		},
	}
}

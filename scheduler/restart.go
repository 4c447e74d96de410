package scheduler

import (
	"context"
	"fmt"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/clock"
)

// Times of an ordered restart. The guests' tenders write at the pace that their limit of the disk
// allows; what is not saved by then is stopped.
const (
	savingWithin = 4 * time.Minute
	lastReports  = 3 * time.Second // for the reports of the order to leave the craft
)

// Restart ends all guests, saves those that are to go on afterwards if keep says so, and has init
// restart the craft a moment after it returns.
func (f *flight) Restart(ctx context.Context, keep bool) error {
	if f.init.conn == nil {
		return &pus.Refusal{Code: pus.FailureNotNow, Text: "nobody can restart the craft: flight runs without init"}
	}
	if f.restarting.Swap(true) {
		return &pus.Refusal{Code: pus.FailureNotNow, Text: "the craft is about to restart"}
	}
	saving, cancel := context.WithTimeout(ctx, savingWithin)
	defer cancel()
	saved, ended := f.guests.PutAway(saving, "the craft restarts", keep)
	if ctx.Err() != nil {
		return ctx.Err() // this program ends, and with it the order
	}
	f.services.Event(pus.EventMedium, pus.EventCraftRestarts, fmt.Sprintf("ordered: guests saved %d, stopped %d", saved, ended))
	go f.restart(ctx)
	return nil
}

func (f *flight) restart(ctx context.Context) {
	if err := clock.Sleep(ctx, f.cfg.Clock, lastReports); err != nil {
		return // this program ends: the next one lets the guests go on
	}
	if err := f.init.reboot("restart ordered"); err != nil {
		f.cfg.Log.Error("restart", "err", err)
		f.restarting.Store(false)
		if f.mode.Mode() == pus.ModeNormal {
			f.guests.Open()
			f.guests.GoOn(ctx)
		}
	}
}

package scheduler

import (
	"fmt"
	"os"

	"github.com/perilune/perilune/bus"
	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/missions/store"
	"github.com/perilune/perilune/scheduler/depot"
	"github.com/perilune/perilune/scheduler/files"
	"github.com/perilune/perilune/scheduler/linkd"
	"github.com/perilune/perilune/scheduler/router"
	"github.com/perilune/perilune/scheduler/services"
	"github.com/perilune/perilune/scheduler/streams"
	"github.com/perilune/perilune/scheduler/tenant"
)

func (f *flight) openBus() (err error) {
	c := bus.Config{Name: f.cfg.Craft.Name, Log: f.cfg.Log}
	if f.mode.Mode() == pus.ModeNormal {
		c.StoreDir = f.cfg.path("bus")
	}
	if f.bus, err = bus.Start(c); err == nil || c.StoreDir == "" {
		return err
	}
	// The store holds copies only: better none than no bus.
	f.cfg.Log.Error("bus without a store", "err", err)
	if err := os.RemoveAll(c.StoreDir); err != nil {
		f.cfg.Log.Error("bus", "err", err)
	}
	c.StoreDir = ""
	f.bus, err = bus.Start(c)
	return err
}

func (f *flight) openStore() {
	cfg := &f.cfg
	if f.mode.Mode() != pus.ModeNormal || cfg.Trust == nil {
		return
	}
	s, err := store.Open(cfg.path("missions"), cfg.Trust, f.db, f.time.UTC, cfg.Log)
	if err != nil {
		cfg.Log.Error("no missions", "err", err)
		f.leftOut = append(f.leftOut, fmt.Errorf("no missions: %w", err))
		return
	}
	f.store, f.leftOut = s, s.LeftOut()
	if cfg.Missions == "" {
		return
	}
	for _, err := range s.Preinstall(cfg.Missions) {
		cfg.Log.Error("mission of the image left out", "err", err)
		f.leftOut = append(f.leftOut, fmt.Errorf("image: %w", err))
	}
}

func (f *flight) openGuests() {
	cfg := &f.cfg
	f.guests = tenant.New(tenant.Config{
		Clock: cfg.Clock, Log: cfg.Log, Slots: f.init, Records: f.records, Tenants: cfg.tenants(),
		Mission: func(g ids.Guest) *store.Installed {
			if f.store == nil {
				return nil
			}
			return f.store.Get(g)
		},
		Products: cfg.path("products"), Scratch: cfg.path("scratch"), Snapshots: cfg.path("snapshots"),
		Send: f.router.Tenant, Publish: f.publish, Done: f.productDone,
		Event:   f.event,
		Changed: func() { f.services.GuestsChanged() },
	})
	if f.mode.Mode() != pus.ModeNormal {
		f.guests.Close("safe mode")
	}
	f.init.exited = f.guests.SlotExited
}

// pduLength makes a packet with file data fill a frame of the downlink, so that one
// that is lost costs one packet. Frames too short or long for that do not matter.
func (c *Config) pduLength() int {
	const least, most = 256, 4096
	n := c.Profile.DownRoom(router.VCFiles) - ccsds.PacketHeaderLength
	if n < least || n > most {
		return 0
	}
	return n
}

func (f *flight) openFiles() {
	if f.db == nil {
		return
	}
	var err error
	var bounds files.Depot // a nil *depot.Depot would be one
	if f.depot != nil {
		bounds = f.depot
	}
	f.files, err = files.New(files.Config{
		Incoming: f.cfg.path("incoming"), Products: f.cfg.path("products"), MaxPDU: f.cfg.pduLength(),
		Saver: files.Saver{Records: f.records}, Clock: f.cfg.Clock, Log: f.cfg.Log,
		Event: f.event, Publish: f.publish, Depot: bounds,
	})
	if err != nil {
		f.cfg.Log.Error("no file transfers", "err", err)
	}
}

// openDepot has the ground manage the files that it sends.
func (f *flight) openDepot() {
	if f.db == nil {
		return
	}
	var err error
	if f.depot, err = depot.Open(f.cfg.path("incoming"), f.records, depot.MaxOctets, depot.MaxFiles); err != nil {
		f.cfg.Log.Error("file depot", "err", err)
	}
}

// openStreams has files sent on channels that carry something else than packets, nil if there
// is no such channel.
func (f *flight) openStreams() services.Streams {
	if f.depot == nil || len(f.cfg.Profile.Services) == 0 {
		return nil
	}
	f.streams = streams.New(streams.Config{Profile: f.cfg.Profile, Files: f.depot, Done: func(text string, err error) {
		severity := uint8(pus.EventInfo)
		if err != nil {
			severity, text = pus.EventLow, fmt.Sprintf("%s: %v", text, err)
		}
		f.event(severity, pus.EventFileStreamed, text)
	}})
	return f.streams
}

// fill gives the link what is to go down.
func (f *flight) fill(to linkd.Sink) {
	f.router.Fill(to)
	if f.streams != nil {
		f.streams.Fill(to)
	}
}

// forwards says whether a report goes to the ground at once; what parts say before the
// services are there does.
func (f *flight) forwards(apid ccsds.APID, service, subtype uint8, data []byte) bool {
	return f.services == nil || f.services.Forwards(apid, service, subtype, data)
}

// event reports an event that has no fields.
func (f *flight) event(severity uint8, id pus.EventID, text string) {
	f.services.Event(severity, id, text)
}

package scheduler

import (
	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/scheduler/linkd"
	"github.com/perilune/perilune/scheduler/stored"
)

// maxStored bounds the packet store in octets.
const maxStored = 16 << 20

// securityLog is where the log of data link security lasts.
func (c *Config) securityLog() linkd.LogFile {
	if c.Data == "" {
		return ""
	}
	return linkd.LogFile(c.path("security.log"))
}

// openStored opens the packet store of service 15. It holds copies: without it flight flies.
func (f *flight) openStored() {
	if f.db == nil {
		return
	}
	var err error
	if f.stored, err = stored.Open(f.cfg.path("packets"), maxStored); err != nil {
		f.cfg.Log.Error("telemetry is not stored", "err", err)
		f.stored = nil
	}
}

// keep stores a packet of telemetry.
func (f *flight) keep(at timecode.Instant, packet []byte) {
	if f.stored == nil || f.services == nil || !f.services.Storing() {
		return
	}
	if err := f.stored.Add(at, packet); err != nil && !f.storeFails.Swap(true) {
		f.cfg.Log.Error("telemetry is not stored", "err", err)
	}
}

func (f *flight) nextStored() ([]byte, bool) {
	if f.stored == nil {
		return nil, false
	}
	return f.stored.Next()
}

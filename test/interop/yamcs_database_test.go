//go:build interop

package interop

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/missions/database"
)

// TestYamcsDatabase has YAMCS read the mission database as XTCE, and with it the craft's
// own packets: raw values, labels, calibration, limits and events come out as put in.
func TestYamcsDatabase(t *testing.T) {
	c := newCraft(t, plainLink())
	y := startYamcs(t, c, func(y *yamcs) {
		d := *database.Default()
		d.Name = "craft" // the system that the configuration names
		if err := os.WriteFile(filepath.Join(y.dir, "mdb/craft.xml"), d.XTCE(), 0o644); err != nil {
			t.Fatal(err)
		}
	})
	c.fly(y.tm)
	h := pus.Housekeeping{UptimeS: 77, Quality: 1, Mode: pus.ModeSafe, FlightRestarts: 5, SDLSFloor: 1 << 40, ScheduleEnabled: 1, Pending: 250, Guests: 2}
	storage := []byte{0, 0, 0, 9, 0, 0, 0, 0, 0, 1, 0, 0, 0x02, 0x71} // 9 packets, 65536 octets, 625 thousandths
	text := []byte{0, 30, 0, 2, 'h', 'i'}                             // event 30, guest started
	c.do(func() {
		c.report(time.Now(), pus.ServiceHousekeeping, pus.HousekeepingReport, pus.EncodeReport(pus.SIDFlight, h.Encode()))
		c.report(time.Now(), pus.ServiceHousekeeping, pus.HousekeepingReport, pus.EncodeReport(3, storage))
		c.report(time.Now(), pus.ServiceEvent, pus.EventInfo, text)
	})
	type value struct {
		EngValue struct {
			Type         string
			StringValue  string
			Uint32Value  int
			Uint64Value  string
			BooleanValue bool
			DoubleValue  float64
		}
		MonitoringResult string
	}
	read := func(name string) (v value) {
		t.Helper()
		y.wait(name, func() bool {
			return y.get("/processors/perilune/realtime/parameters/craft/"+name, &v) == nil && v.EngValue.Type != ""
		})
		return v
	}
	if v := read("uptime"); v.EngValue.Uint32Value != 77 {
		t.Errorf("uptime: %+v", v)
	}
	for name, want := range map[string]string{"mode": "safe", "time_quality": "set", "event": "guest started", "event_text": "hi"} {
		if v := read(name); v.EngValue.StringValue != want {
			t.Errorf("%s: %+v, want %s", name, v, want)
		}
	}
	if v := read("sdls_floor"); v.EngValue.Uint64Value != "1099511627776" {
		t.Errorf("sdls_floor: %+v", v)
	}
	if v := read("schedule_enabled"); !v.EngValue.BooleanValue {
		t.Errorf("schedule_enabled: %+v", v)
	}
	if v := read("store_filled"); v.EngValue.DoubleValue != 62.5 {
		t.Errorf("store_filled: %+v", v)
	}
	for name, want := range map[string]string{"pending": "WARNING", "flight_restarts": "WARNING"} {
		if v := read(name); v.MonitoringResult != want {
			t.Errorf("%s is %s, want %s", name, v.MonitoringResult, want)
		}
	}
}

//go:build interop

package interop

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/timecode"
	"github.com/perilune/perilune/missions/database"
)

// beacon is what a craft adds to the database: telemetry of a mission and an event, with texts.
const beacon = `
name = "lab"
[[apid]]
id = 64
name = "acme"
[[parameter]]
id = 1000
name = "beacon_name"
type = "text8"
[[parameter]]
id = 1001
name = "beacon_temperature"
type = "int16"
polynomial = [1, 0.5]
[[telemetry]]
tenant = "acme"
mission = "beacon"
parameters = ["beacon_name", "beacon_temperature"]
[[event]]
id = 1000
name = "beacon lost"
severity = "low"
fields = [{ name = "whom", type = "text16" }, { name = "times", type = "uint8" }]
`

// TestXTCE holds the export against the schema of the OMG, and has space-packet-parser read with
// it what the craft and a mission send.
func TestXTCE(t *testing.T) {
	p := startPeer(t, "peers/xtce.py")
	d, err := database.ParseExtension(database.Default(), []byte(beacon), "lab.toml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "craft.xml")
	if err := os.WriteFile(file, d.XTCE(), 0o644); err != nil {
		t.Fatal(err)
	}
	if lines := p.ask("valid", file); len(lines) != 1 || lines[0][0] != "valid" {
		t.Errorf("the schema says %v", lines)
	}
	if got := p.one("load", file); got[0] != "loaded" {
		t.Fatal(got)
	}
	take := func(apid ccsds.APID, service, subtype uint8, body []byte, want map[string]string) {
		t.Helper()
		packet, err := pus.BuildTM(apid, 5, service, subtype, 0, 0, timecode.FromTime(time.Unix(1e9, 0)), timecode.Set, body)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, l := range p.ask("take", hex.EncodeToString(packet)) {
			if len(l) != 2 {
				t.Fatalf("TM[%d,%d]: %v", service, subtype, l)
			}
			got[l[0]] = l[1]
		}
		for name, value := range want {
			if got[name] != value {
				t.Errorf("TM[%d,%d]: %s is %q, want %q", service, subtype, name, got[name], value)
			}
		}
	}
	h := pus.Housekeeping{UptimeS: 77, Quality: 1, Mode: pus.ModeSafe, FlightRestarts: 5, SDLSFloor: 1 << 40, ScheduleEnabled: 1, Pending: 250, Guests: 2}
	take(1, pus.ServiceHousekeeping, pus.HousekeepingReport, pus.EncodeReport(pus.SIDFlight, h.Encode()),
		map[string]string{"uptime": "77", "mode": "safe", "time_quality": "set", "sdls_floor": "1099511627776", "pending": "250", "guests": "2"})
	take(1, pus.ServiceHousekeeping, pus.HousekeepingReport, pus.EncodeReport(3, []byte{0, 0, 0, 9, 0, 0, 0, 0, 0, 1, 0, 0, 0x02, 0x71}),
		map[string]string{"store_filled": "62.5"})
	take(1, pus.ServiceEvent, pus.EventInfo, []byte{0, 30, 0, 2, 'h', 'i'},
		map[string]string{"event": "guest_started", "event_text-size": "2", "event_text": "hi"})
	take(1, pus.ServiceEvent, pus.EventLow, append([]byte{1000 >> 8, 1000 & 255, 0, 0, 0, 4}, "acme\x03"...),
		map[string]string{"event": "beacon_lost", "event_1000_whom": "acme", "event_1000_times": "3"})
	take(64, pus.ServiceTenant, pus.TenantTelemetry, append([]byte{6}, "beacon\x05hello\x00\x0a"...),
		map[string]string{"pus_mission": "beacon", "beacon_name": "hello", "beacon_temperature": "6.0"})
}

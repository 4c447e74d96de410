package client

import "time"

// Status is the station at a glance.
type Status struct {
	Craft     string        `json:"craft"`
	Time      time.Time     `json:"time"`
	Started   time.Time     `json:"started"`
	Radio     string        `json:"radio"` // connected, away
	Link      Link          `json:"link"`
	Health    *Housekeeping `json:"housekeeping,omitempty"`
	Guests    []Guest       `json:"guests"`
	Transfers []Transfer    `json:"transfers"`
	Commands  []Command     `json:"commands"`       // the last ones
	Keys      []LinkKey     `json:"keys,omitempty"` // those that want something done: see LinkKey.Advice
	Sequence  uint64        `json:"sequence"`       // of the last event
}

// Link is both directions of the radio link since the station started.
type Link struct {
	State           string    `json:"state"` // search, verify, lock
	Since           time.Time `json:"since,omitzero"`
	Frames          uint64    `json:"frames"`    // good ones
	Corrected       uint64    `json:"corrected"` // frames that the code repaired
	Symbols         uint64    `json:"symbols"`   // RS symbols, or channel bits of LDPC and turbo codes, repaired
	Bad             uint64    `json:"bad"`
	Lost            uint64    `json:"lost"`
	Packets         uint64    `json:"packets"`
	BitsReceived    uint64    `json:"bits_received"`
	BitsSent        uint64    `json:"bits_sent"`
	CLTUs           uint64    `json:"cltus"`
	Retransmissions uint64    `json:"retransmissions"` // TC frames sent again
	Channels        []Channel `json:"channels"`
	Layers          []Layer   `json:"layers"` // of the profile in use
}

// Layer says in words what one layer of the link has done.
type Layer struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Channel is one virtual channel of the uplink.
type Channel struct {
	VC      uint8  `json:"vc"`
	State   string `json:"state"` // of FOP: active, initialising, suspended, stopped
	Report  uint8  `json:"report"`
	Lockout bool   `json:"lockout,omitempty"`
	Wait    bool   `json:"wait,omitempty"`
	Queued  int    `json:"queued"`
}

// Housekeeping is the craft's own report, TM[3,25] structure 1.
type Housekeeping struct {
	At              time.Time `json:"at"`
	UptimeS         uint32    `json:"uptime_s"`
	TimeQuality     string    `json:"time_quality"` // free, set, disciplined
	Mode            string    `json:"mode"`         // normal, safe
	Boots           uint32    `json:"boots"`
	FlightRestarts  uint16    `json:"flight_restarts"`
	FramesUp        uint32    `json:"frames_up"`
	RefusedUp       uint32    `json:"refused_up"`
	SDLSFloor       uint64    `json:"sdls_floor"`
	ScheduleEnabled bool      `json:"schedule_enabled"`
	Pending         uint16    `json:"pending"`
	Guests          uint8     `json:"guests"`
}

// Guest is one mission that the craft reports, TM[3,25] structure 2.
type Guest struct {
	Tenant    string    `json:"tenant"`
	Mission   string    `json:"mission"`
	State     string    `json:"state"` // installed, stopped, starting, running, exited, refused, suspended
	Exit      int16     `json:"exit"`
	Digest    string    `json:"digest"` // first eight octets, hex
	MemoryMiB uint16    `json:"memory_mib"`
	At        time.Time `json:"at"` // when the craft last said so
}

// Pong is the answer to a ping.
type Pong struct {
	Command uint64        `json:"command"`
	Trip    time.Duration `json:"trip_ns"` // from radiation to answer
	Bit     uint64        `json:"bit"`     // of TM[17,2] in StreamDown
}

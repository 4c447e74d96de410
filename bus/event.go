package bus

import (
	"fmt"
	"strings"
	"time"
)

// Event is one thing that happened. Subject is where it is published, below the
// bus's prefix; Pattern is where all events of the type are found, with NATS
// wildcards, and must not depend on the value.
type Event interface {
	Subject() string
	Pattern() string
}

// LinkState says that a link was acquired, locked or lost.
type LinkState struct {
	State  string    `json:"state"` // acquired, locked, lost
	Detail string    `json:"detail,omitempty"`
	Time   time.Time `json:"time"`
}

func (LinkState) Subject() string { return "link.state" }
func (LinkState) Pattern() string { return "link.state" }

// Telecommand is a telecommand packet that arrived, or on the ground was sent.
type Telecommand struct {
	APID   uint16    `json:"apid"`
	VC     uint8     `json:"vc"`
	Packet []byte    `json:"packet"`
	Time   time.Time `json:"time"`
}

func (e Telecommand) Subject() string { return fmt.Sprintf("tc.%d", e.APID) }
func (Telecommand) Pattern() string   { return "tc.*" }

// Telemetry is a telemetry packet on its way to the link, or on the ground received.
type Telemetry struct {
	VC     uint8     `json:"vc"`
	APID   uint16    `json:"apid"`
	Packet []byte    `json:"packet"`
	Time   time.Time `json:"time"`
}

func (e Telemetry) Subject() string { return fmt.Sprintf("tm.%d.%d", e.VC, e.APID) }
func (Telemetry) Pattern() string   { return "tm.*.*" }

// GuestState says that a guest changed.
type GuestState struct {
	Guest  string    `json:"guest"` // tenant/mission
	State  string    `json:"state"` // starting, running, exited, refused, stopped
	Status int       `json:"status,omitempty"`
	Reason string    `json:"reason,omitempty"`
	PID    int       `json:"pid,omitempty"`
	Time   time.Time `json:"time"`
}

func (e GuestState) Subject() string { return "tenant." + token(e.Guest) + ".state" }
func (GuestState) Pattern() string   { return "tenant.*.state" }

// Console is text that a guest wrote.
type Console struct {
	Guest   string    `json:"guest"`
	Text    string    `json:"text"`
	Dropped uint32    `json:"dropped,omitempty"` // octets lost before this text
	Time    time.Time `json:"time"`
}

func (e Console) Subject() string { return "tenant." + token(e.Guest) + ".console" }
func (Console) Pattern() string   { return "tenant.*.console" }

// PlanActivity says what became of an activity of the schedule.
type PlanActivity struct {
	Phase   string    `json:"phase"` // inserted, waits, started, done, refused, missed
	Request uint32    `json:"request"`
	Due     time.Time `json:"due,omitzero"`
	Reason  string    `json:"reason,omitempty"`
	Time    time.Time `json:"time"`
}

func (PlanActivity) Subject() string { return "plan.activity" }
func (PlanActivity) Pattern() string { return "plan.activity" }

// Bundle says what became of a mission bundle.
type Bundle struct {
	Digest string    `json:"digest"`
	File   string    `json:"file,omitempty"`
	State  string    `json:"state"` // staged, active, refused
	Rule   string    `json:"rule,omitempty"`
	Reason string    `json:"reason,omitempty"`
	Time   time.Time `json:"time"`
}

func (e Bundle) Subject() string { return "bundle." + token(e.Digest) }
func (Bundle) Pattern() string   { return "bundle.*" }

// Report is an event report of service 5 as it is sent to the ground.
type Report struct {
	ID       uint16    `json:"id"`
	Severity uint8     `json:"severity"`
	Text     string    `json:"text"`
	Time     time.Time `json:"time"`
}

func (e Report) Subject() string { return fmt.Sprintf("event.%d", e.ID) }
func (Report) Pattern() string   { return "event.*" }

// File says what became of a file transfer.
type File struct {
	Name     string    `json:"name"`
	State    string    `json:"state"` // started, progress, finished, failed
	Outgoing bool      `json:"outgoing"`
	Size     uint64    `json:"size"`
	Done     uint64    `json:"done"`
	Reason   string    `json:"reason,omitempty"`
	Time     time.Time `json:"time"`
}

func (File) Subject() string { return "file" }
func (File) Pattern() string { return "file" }

// maxToken bounds a token in octets: the server cuts off whoever sends a subject that is too long.
const maxToken = 200

// token makes s one token of a subject: dots, blanks and wildcards would change
// what the subject means.
func token(s string) string {
	if s == "" {
		return "_"
	}
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == '.' || r == '*' || r == '>' || r == 0x7F {
			return '_'
		}
		return r
	}, s[:min(len(s), maxToken)])
}

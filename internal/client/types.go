// Package client speaks to a ground station process: HTTP over a unix socket with JSON
// bodies, and a stream of server-sent events. It is what the command line, the
// simulator's story and anybody else's script use.
package client

import (
	"slices"
	"strings"
	"time"
)

// Kinds of events. Every event of the link carries the offset of the bit where it was
// seen, so that a reader can find it again in a recording of the raw bits.
const (
	KindRadio     = "radio.state"    // Text: connected, away
	KindState     = "link.state"     // Text: search, verify, lock
	KindCLCW      = "link.clcw"      // a CLCW that differs from the one before
	KindBad       = "link.bad"       // a frame that could not be repaired; Text says why
	KindLost      = "link.lost"      // frames missing before this one; Fields: lost
	KindCorrected = "link.corrected" // a frame that RS repaired; Fields: symbols
	KindKeys      = "link.keys"      // a downlink channel comes under another association; Fields: spi, before
	KindData      = "link.data"      // a channel that carries no packets; Fields: offset in its file, lost
	KindFSR       = "link.fsr"       // a frame security report that differs; Fields: alarm, bad_number, bad_mac, bad_sa, spi, number
	KindFOP       = "fop"            // Fields: kind, seq, reason

	KindQueued   = "tc.queued"   // a telecommand taken from a user
	KindRadiated = "tc.radiated" // its frame went out; again at each retransmission
	KindRepeated = "tc.repeated" // no report came down: the same packet goes up again
	KindAccepted = "tc.accepted" // the craft's FARM took its frame
	KindVerified = "tc.verified" // TM[1,Subtype]; Fields: failed, code, reason

	KindTM      = "tm"      // a telemetry packet; Fields: seq, length and what it says
	KindEvent   = "event"   // TM[5,Subtype]; Fields: id, name, severity
	KindConsole = "console" // TM[128,2]; Fields: tenant, mission, answer, run, start, offset, end; Data: the text

	KindFileStarted  = "file.started"
	KindFileProgress = "file.progress"
	KindFileNAK      = "file.nak"      // Fields: segments, direction
	KindFileRadiated = "file.radiated" // a frame with file data went out
	KindFileFinished = "file.finished" // Fields: condition, sha256, path

	KindActivation = "mission.activation" // Text: the step; Fields: rule, reason
)

// Kinds lists all kinds of events.
var Kinds = []string{
	KindRadio, KindState, KindCLCW, KindBad, KindLost, KindCorrected, KindKeys, KindFSR, KindData, KindFOP,
	KindQueued, KindRadiated, KindRepeated, KindAccepted, KindVerified,
	KindTM, KindEvent, KindConsole,
	KindFileStarted, KindFileProgress, KindFileNAK, KindFileRadiated, KindFileFinished, KindActivation,
}

// KnownKind says whether any event is of kind k, or begins with it if k ends in a dot.
func KnownKind(k string) bool {
	return slices.ContainsFunc(Kinds, func(known string) bool {
		return known == k || strings.HasSuffix(k, ".") && strings.HasPrefix(known, k)
	})
}

// Streams that Event.Bit counts in.
const (
	StreamDown = "down.received"
	StreamUp   = "up.sent"
)

// Event is one thing that happened, as the station saw it.
type Event struct {
	Seq     uint64         `json:"seq"`
	Time    time.Time      `json:"time"` // the station's clock
	Kind    string         `json:"kind"`
	VC      uint8          `json:"vc"`
	APID    uint16         `json:"apid,omitempty"`
	Service uint8          `json:"service,omitempty"`
	Subtype uint8          `json:"subtype,omitempty"`
	Data    []byte         `json:"data,omitempty"`   // the message of a packet
	Stream  string         `json:"stream,omitempty"` // StreamDown or StreamUp
	Bit     uint64         `json:"bit,omitempty"`    // offset in Stream
	Command uint64         `json:"command,omitempty"`
	File    string         `json:"file,omitempty"` // transfer
	Text    string         `json:"text,omitempty"`
	Fields  map[string]any `json:"fields,omitempty"`
}

// Field is Fields[name] as text, "" when it is not there.
func (e Event) Field(name string) string { return fieldText(e.Fields[name]) }

// Number is Fields[name] as a number, 0 when it is none.
func (e Event) Number(name string) float64 {
	switch v := e.Fields[name].(type) {
	case float64:
		return v
	case int:
		return float64(v)
	case uint32:
		return float64(v)
	case uint64:
		return float64(v)
	}
	return 0
}

// Request is a PUS telecommand. The station makes the packet: count, checksum.
type Request struct {
	APID    uint16 `json:"apid"` // 0 stands for the flight software, APID 1
	Service uint8  `json:"service"`
	Subtype uint8  `json:"subtype"`
	Data    []byte `json:"data,omitempty"`
	Name    string `json:"name,omitempty"` // what it is called in lists; may be empty
	VC      uint8  `json:"vc,omitempty"`
	BD      bool   `json:"bd,omitempty"` // by the bypass service: no retransmission
	// Function and Arguments make the data of TC[8,1]; Service may then be 0.
	Function  string   `json:"function,omitempty"`
	Arguments []string `json:"arguments,omitempty"`
	// At is when the craft shall release it: the station wraps it in TC[11,4], whose id
	// is returned; the Child of that one is the request.
	At time.Time `json:"at,omitzero"`
	// Place is where on its orbit the craft shall release it, in TC[22,4]; At is then zero.
	Place *Place `json:"place,omitempty"`
	// Large has it go up in parts (service 13), each a telecommand of its own.
	Large bool `json:"large,omitempty"`
	// SubSchedule and Group are those of the schedule that At or Place has it wait in; 0: the first, and none.
	SubSchedule uint16 `json:"sub_schedule,omitempty"`
	Group       uint16 `json:"group,omitempty"`
	// Tenant and Mission name the guest of TC[128,1], whose data is Data; APID and
	// Service may then be 0.
	Tenant  string `json:"tenant,omitempty"`
	Mission string `json:"mission,omitempty"`
}

// Place is a place on the craft's orbit.
type Place struct {
	Orbit    uint32  `json:"orbit"`
	AngleDeg float64 `json:"angle_deg"` // from the ascending node, 0 to below 360
}

// Stages of a telecommand, in the order in which they are passed.
const (
	StageQueued    = "queued"
	StageRadiated  = "radiated"  // sent
	StageAccepted  = "accepted"  // its frame is on board (COP-1); never reported for BD
	StageScheduled = "scheduled" // it lies in the craft's schedule, for a request inside TC[11,4] or TC[22,4]
	StageVerified  = "verified"  // TM[1,1]
	StageStarted   = "started"   // TM[1,3]
	StageCompleted = "completed" // TM[1,7]
	StageFailed    = "failed"    // TM[1,2], TM[1,4] or TM[1,8]
)

// Command is a telecommand on its way.
type Command struct {
	ID        uint64    `json:"id"`
	APID      uint16    `json:"apid"`
	Service   uint8     `json:"service"`
	Subtype   uint8     `json:"subtype"`
	Packet    uint16    `json:"packet"` // packet sequence count
	Text      string    `json:"text"`   // for people: "mission.start borealis/earth"
	Stage     string    `json:"stage"`
	Radiated  int       `json:"radiated"`         // times its frame went out
	Reason    string    `json:"reason,omitempty"` // of a failure
	Code      uint16    `json:"code,omitempty"`   // of a failure, as in TM[1,8]
	Subreport uint8     `json:"report,omitempty"` // subtype of the last TM[1,x]
	Child     uint64    `json:"child,omitempty"`  // of TC[11,4]: the command inside, with reports of its own
	Release   time.Time `json:"release,omitzero"` // when the craft is to carry it out
	Queued    time.Time `json:"queued"`
	Changed   time.Time `json:"changed"`
}

// Done says that nothing more is expected.
func (c Command) Done() bool { return c.Stage == StageCompleted || c.Stage == StageFailed }

// Transfer is a file on its way up or down.
type Transfer struct {
	ID            string    `json:"id"`
	Up            bool      `json:"up"`
	Name          string    `json:"name"` // at the destination
	Size          uint64    `json:"size"`
	Done          uint64    `json:"done"` // octets sent or received
	NAKs          int       `json:"naks"`
	Retransmitted int       `json:"retransmitted"`
	State         string    `json:"state"` // active, finished, failed
	Condition     string    `json:"condition,omitempty"`
	Refused       bool      `json:"refused,omitempty"` // it failed because the craft said no
	SHA256        string    `json:"sha256,omitempty"`
	Path          string    `json:"path,omitempty"` // on the ground, of a received file
	Class         int       `json:"class"`
	Priority      int       `json:"priority"`
	Suspended     bool      `json:"suspended,omitempty"`
	Asks          string    `json:"asks,omitempty"`    // what it asks the craft for: list, get, change
	Answers       []string  `json:"answers,omitempty"` // of the craft to what it was asked to change
	Started       time.Time `json:"started"`
	Changed       time.Time `json:"changed"`
}

// States of a transfer.
const (
	TransferActive   = "active"
	TransferFinished = "finished"
	TransferFailed   = "failed"
)

// What a transfer asks the craft for.
const (
	AskList   = "list"   // a listing of a folder; it comes as the file named Name
	AskGet    = "get"    // a file; it comes under Name
	AskChange = "change" // changes of its file store
)

// Put says how a file goes up.
type Put struct {
	Dest     string // name on board
	Class    int    // 1 or 2; 0 stands for 2
	Priority int    // 0 to 255; file data of a higher one goes first
}

// Ask is a request about the files on board.
type Ask struct {
	Kind    string   `json:"kind"`
	Name    string   `json:"name,omitempty"` // get: on board; list: folder
	Class   int      `json:"class,omitempty"`
	Changes []Change `json:"changes,omitempty"`
}

// Change is a change of the file store on board: create, delete, rename, append,
// replace, mkdir, rmdir.
type Change struct {
	Action string `json:"action"`
	First  string `json:"first"`
	Second string `json:"second,omitempty"`
}

// Activation is a bundle on its way to being ready to start.
type Activation struct {
	ID       string    `json:"id"` // first digits of the bundle's digest, and a count
	Digest   string    `json:"digest"`
	Tenant   string    `json:"tenant,omitempty"`
	Mission  string    `json:"mission,omitempty"`
	Step     string    `json:"step"`
	Done     uint64    `json:"done"` // octets of the bundle sent
	Size     uint64    `json:"size"`
	Rule     string    `json:"rule,omitempty"`     // that the craft found broken
	Reason   string    `json:"reason,omitempty"`   // of a refusal or failure
	Transfer string    `json:"transfer,omitempty"` // of the bundle
	Command  uint64    `json:"command,omitempty"`
	Changed  time.Time `json:"changed"`
}

// Steps of an activation.
const (
	StepUpload    = "upload"
	StepOrder     = "order"
	StepCommand   = "command"
	StepActivated = "activated"
	StepRefused   = "refused"
	StepFailed    = "failed"
)

// Ended says whether the activation is over.
func (a Activation) Ended() bool {
	return a.Step == StepActivated || a.Step == StepRefused || a.Step == StepFailed
}

package cfdp

import (
	"errors"
	"fmt"
	"time"
)

// Errors that callers may test for.
var (
	ErrFull    = errors.New("too many transactions")
	ErrUnknown = errors.New("no such transaction")
	// ErrUnacknowledged says that a class 1 transaction cannot do that.
	ErrUnacknowledged = errors.New("not in unacknowledged mode")
)

// minMaxPDU fits a NAK of one segment with 64-bit offsets and the widest
// identifiers, and a CRC.
const minMaxPDU = 64

// Config is what an Entity is made of. Zero values stand for the defaults.
type Config struct {
	Local  uint64 // entity id
	MaxPDU int    // octets, header and CRC included; default 900
	Data   int    // octets of a File Data PDU that is sent, so that it fills a frame; default MaxPDU
	CRC    bool   // close the PDUs that are sent with a CRC
	NAK    NAKMode
	Faults map[Condition]Handler // other than cancellation
	Serve  bool                  // carry out what the other side asks for: filestore requests, proxy puts, listings, reports, suspension
	// ServePriority is that of the transactions that serving begins.
	ServePriority uint8
	Limits        Limits
	Timers        Timers
	Store         Filestore
	Saver         Saver // may be nil: then no transaction survives a restart
}

// NAKMode says when a receiver asks for what is missing before it has heard EOF;
// after that it always does (727.0-B-5 §4.6.4).
type NAKMode uint8

// NAK modes.
const (
	NAKImmediate    NAKMode = iota // at each gap
	NAKDeferred                    // not before EOF
	NAKPrompted                    // when the sender's Prompt asks for it
	NAKAsynchronous                // when Entity.AskMissing is called
)

// Limits bound what the other side can make the entity hold.
type Limits struct {
	MaxFileSize     uint64 // octets; default 1 GiB
	MaxTransactions int    // in each direction; default 64
	MaxSegments     int    // parts of a file that is being received; default 16384
	MaxEarly        int    // octets of file data held until metadata comes, in all; default 1 MiB
	KeepAlive       uint64 // octets that a receiver may be behind what was sent when it reports; 0 is no limit
}

// Timers count contact time. A limit counts expiries in a row without progress;
// the defaults are high, because giving up loses what was sent already.
type Timers struct {
	Ack        time.Duration // until EOF or Finished is sent again; default 15 s
	AckLimit   int           // default 100
	NAK        time.Duration // without progress until the next NAK; default 15 s
	NAKLimit   int           // default 200
	Check      time.Duration // class 1: after EOF, for data out of order; default 15 s
	CheckLimit int           // default 4
	Inactivity time.Duration // without any PDU; default 30 min
	KeepAlive  time.Duration // class 2: a receiver reports its progress so often; 0 is never
}

func (c Config) withDefaults() (Config, error) {
	setDefault(&c.MaxPDU, 900)
	setDefault(&c.Data, c.MaxPDU)
	setDefault(&c.Limits.MaxFileSize, 1<<30)
	setDefault(&c.Limits.MaxTransactions, 64)
	setDefault(&c.Limits.MaxSegments, 1<<14)
	setDefault(&c.Limits.MaxEarly, 1<<20)
	setDefault(&c.Timers.Ack, 15*time.Second)
	setDefault(&c.Timers.AckLimit, 100)
	setDefault(&c.Timers.NAK, 15*time.Second)
	setDefault(&c.Timers.NAKLimit, 200)
	setDefault(&c.Timers.Check, 15*time.Second)
	setDefault(&c.Timers.CheckLimit, 4)
	setDefault(&c.Timers.Inactivity, 30*time.Minute)
	switch {
	case c.Store == nil:
		return c, errors.New("cfdp entity without a file store")
	case c.Local > 0xFFFF:
		return c, fmt.Errorf("cfdp entity id %d has more than 16 bits", c.Local)
	case c.MaxPDU < minMaxPDU || c.MaxPDU > maxDataField:
		return c, fmt.Errorf("cfdp PDU limit of %d octets, %d to %d", c.MaxPDU, minMaxPDU, maxDataField)
	case c.Data < minMaxPDU || c.Data > c.MaxPDU:
		return c, fmt.Errorf("cfdp file data PDUs of %d octets, %d to %d", c.Data, minMaxPDU, c.MaxPDU)
	case c.Limits.MaxFileSize > 1<<62:
		return c, fmt.Errorf("cfdp file size limit of %d octets", c.Limits.MaxFileSize)
	case c.Limits.MaxTransactions < 0 || c.Limits.MaxSegments < 0 || c.Limits.MaxEarly < 0:
		return c, errors.New("negative cfdp limit")
	}
	return c, nil
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

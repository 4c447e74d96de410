package client

import (
	"context"
	"fmt"
)

// LinkKey is which key protects a channel of the link.
type LinkKey struct {
	VC       uint8  `json:"vc"`
	Down     bool   `json:"down"` // of the downlink
	SPI      uint16 `json:"spi"`
	Key      uint16 `json:"key"`             // its number; that of an image's key is the SPI
	Rotating bool   `json:"rotating"`        // a rotation is under way, or stopped half way
	Step     int    `json:"step,omitempty"`  // of a rotation: that is to be done next, from 1
	Steps    int    `json:"steps,omitempty"` // of a rotation
	Busy     bool   `json:"busy,omitempty"`  // the station is changing keys just now
	Lost     bool   `json:"lost"`            // the craft uses one that is not known here
}

// Advice is what the operator should know and do about the key, "" if nothing.
func (k LinkKey) Advice() string {
	way, flag := "uplink", ""
	if k.Down {
		way, flag = "downlink", " --down"
	}
	switch {
	case k.Lost:
		return fmt.Sprintf("the key of %s channel %d is not known here: perilune key recover", way, k.VC)
	case k.Rotating && !k.Busy:
		return fmt.Sprintf("the key of %s channel %d is half changed, at step %d of %d: perilune key rotate --vc %d%s ends it, or --finish for all channels", way, k.VC, k.Step, k.Steps, k.VC, flag)
	}
	return ""
}

// Rotation asks for a new key of a channel.
type Rotation struct {
	VC   uint8 `json:"vc"`
	Down bool  `json:"down"`
}

// Procedure is an extended procedure of data link security (CCSDS 355.1-B-1). Its name says
// which of the other fields count:
//
//	key.load                          a new key, pre-active
//	key.activate, key.deactivate      Key
//	key.revoke                        Key: deactivated and destroyed
//	key.verify                        Key
//	key.inventory
//	sa.status                         SPI, 0: all of the profile
//	sa.create, sa.stop, sa.expire, sa.delete   SPI
//	sa.rekey                          SPI, Key, Number
//	sa.start                          SPI, VCs: none are those of before
//	sa.number, sa.window              SPI, Number
//	ping, selftest, log.status, log.dump, log.erase, alarm.reset
type Procedure struct {
	Name   string  `json:"name"`
	Key    uint16  `json:"key,omitempty"`
	SPI    uint16  `json:"spi,omitempty"`
	Number uint64  `json:"number,omitempty"`
	VCs    []uint8 `json:"vcs,omitempty"`
}

// ProcedureReply is what the craft answered; only what was asked for is there.
type ProcedureReply struct {
	Keys         []KeyState      `json:"keys,omitempty"`
	Associations []Association   `json:"associations,omitempty"`
	Log          *SecurityLog    `json:"log,omitempty"`
	Events       []SecurityEvent `json:"events,omitempty"`
	Good         bool            `json:"good"` // carried out; of a self-test: passed
}

// KeyState is a key on board.
type KeyState struct {
	Key   uint16 `json:"key"`
	State string `json:"state"` // pre-active, active, deactivated
	Use   string `json:"use"`   // the channel that this station uses it for
}

// Association is a security association on board.
type Association struct {
	SPI    uint16 `json:"spi"`
	State  string `json:"state"` // unkeyed, keyed, operational; none: there is no such association
	Number uint64 `json:"number"`
}

// SecurityLog is how full the security log on board is.
type SecurityLog struct {
	Events uint16 `json:"events"`
	Room   uint16 `json:"room"`
}

// SecurityEvent is an event of the security log.
type SecurityEvent struct {
	Tag    uint8  `json:"tag"` // of the procedure; 255: a frame
	What   string `json:"what"`
	SPI    uint16 `json:"spi"`
	Number uint64 `json:"number"` // that a refused frame claimed; of a procedure the number of a key
}

// Keys tells which keys protect the link.
func (c *Client) Keys(ctx context.Context) (out []LinkKey, err error) {
	err = c.get(ctx, "/v1/keys", &out)
	return out, err
}

// RotateKey gives a channel a new key, and returns when the old one is gone. What stops half
// way goes on with the next call.
func (c *Client) RotateKey(ctx context.Context, r Rotation) (out LinkKey, err error) {
	err = c.post(ctx, "/v1/keys/rotation", r, &out)
	return out, err
}

// RecoverKeys brings station and craft together again when they disagree about keys.
func (c *Client) RecoverKeys(ctx context.Context) (out []LinkKey, err error) {
	err = c.post(ctx, "/v1/keys/recovery", struct{}{}, &out)
	return out, err
}

// Procedure has the craft carry out a procedure; its refusal is a *RefusedError.
func (c *Client) Procedure(ctx context.Context, p Procedure) (out ProcedureReply, err error) {
	err = c.post(ctx, "/v1/procedures", p, &out)
	return out, err
}

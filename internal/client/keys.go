package client

import "context"

// LinkKey is which key protects a channel of the link.
type LinkKey struct {
	VC       uint8  `json:"vc"`
	Down     bool   `json:"down"` // of the downlink
	SPI      uint16 `json:"spi"`
	Key      uint16 `json:"key"`      // its number; that of an image's key is the SPI
	Rotating bool   `json:"rotating"` // a rotation stopped half way
	Lost     bool   `json:"lost"`     // the craft uses one that is not known here
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

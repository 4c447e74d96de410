package station

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/internal/durable"
)

// Records is where the station keeps the keys that it made; a Put that returned is on stable
// storage.
type Records interface {
	Put(bucket, key string, v any) error
	Get(bucket, key string, v any) error
}

const bucketKeys = "sdls-keys"

// firstKey is the number of the first key that a station makes. Those before are of images.
const firstKey = 1000

// numberLength is an anti-replay number in a procedure, in octets.
const numberLength = 12

// held is a key of an uplink channel and the association under which it is used.
type held struct {
	SPI, ID uint16
	Value   [32]byte
}

// channelKeys are the keys of one uplink channel. While Next is there, a rotation is under
// way: Step procedures of it are done, and it goes on where it stood.
type channelKeys struct {
	Now  held
	Next *held
	Step int
}

// current is what is to be used now: the next key once the craft has it in operation.
func (k channelKeys) current() held {
	if k.Next != nil && k.Step >= stepProve {
		return *k.Next
	}
	return k.Now
}

// The steps of a rotation, by what has been done before them. The old key goes only when a
// telecommand under the new one has been carried out: until then the craft takes both, and
// nothing that is under way is lost.
const (
	stepInstall = iota
	stepVerify
	stepActivate
	stepRekey
	stepStart
	stepProve
	stepStop
	stepExpire
	stepDeactivate
	stepDestroy
	stepEnd
)

// already is the end of the craft's refusal of a step that it has carried out before the
// station, or the link, went away.
var already = map[int]string{
	stepActivate: "is active: " + sdls.ErrState.Error(), stepRekey: "it is keyed: " + sdls.ErrState.Error(),
	stepStart: "it is operational: " + sdls.ErrState.Error(), stepStop: "it is keyed: " + sdls.ErrState.Error(),
	stepExpire: "it is unkeyed: " + sdls.ErrState.Error(), stepDeactivate: "is deactivated: " + sdls.ErrState.Error(),
	stepDestroy: sdls.ErrNoKey.Error(),
}

// loadKeys reads the keys of all uplink channels and makes the link use them.
func (s *Station) loadKeys() error {
	s.keys, s.proofs = map[ccsds.VCID]*channelKeys{}, make(chan sdls.PDU, 1)
	for vc, spi := range s.cfg.Profile.SPI {
		k := &channelKeys{Now: held{SPI: spi, ID: spi, Value: s.cfg.Profile.Keys[spi]}}
		s.keys[vc] = k
		if s.cfg.Records == nil {
			continue
		}
		err := s.cfg.Records.Get(bucketKeys, strconv.Itoa(int(vc)), k)
		switch {
		case errors.Is(err, durable.ErrNotFound):
			continue
		case err != nil:
			return fmt.Errorf("keys of uplink channel %d: %w", vc, err)
		}
		c := k.current()
		if err := s.ground.Associate(vc, c.SPI, c.Value); err != nil {
			return err
		}
	}
	return nil
}

// KeyList tells which keys are in use, without what is secret of them.
func (s *Station) KeyList() []client.LinkKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []client.LinkKey{}
	for vc, k := range s.keys {
		c := k.current()
		out = append(out, client.LinkKey{VC: uint8(vc), SPI: c.SPI, Key: c.ID, Rotating: k.Next != nil})
	}
	slices.SortFunc(out, func(a, b client.LinkKey) int { return int(a.VC) - int(b.VC) })
	return out
}

// Rotate gives an uplink channel a new key, or ends a rotation that stopped half way. It
// returns when the craft has forgotten the old one.
func (s *Station) Rotate(ctx context.Context, vc ccsds.VCID) (client.LinkKey, error) {
	if s.cfg.Master == nil || s.cfg.Records == nil {
		return client.LinkKey{}, fmt.Errorf("%w: this station has no master key", errRequest)
	}
	if !s.rotating.TryLock() {
		return client.LinkKey{}, fmt.Errorf("%w: a key is being changed", errRequest)
	}
	defer s.rotating.Unlock()
	s.mu.Lock()
	k := s.keys[vc]
	s.mu.Unlock()
	if k == nil {
		return client.LinkKey{}, fmt.Errorf("%w: uplink channel %d is not protected", errRequest, vc)
	}
	resumed := k.Next != nil
	if !resumed {
		next, err := s.newKey(k.Now)
		if err == nil {
			err = s.keepKeys(vc, k, channelKeys{Now: k.Now, Next: &next})
		}
		if err != nil {
			return client.LinkKey{}, err
		}
	}
	for k.Step < stepEnd {
		err := s.keyStep(ctx, vc, k)
		var refused *client.RefusedError
		if resumed && errors.As(err, &refused) && already[k.Step] != "" && strings.HasSuffix(refused.Reason, already[k.Step]) {
			err = nil
		}
		if err != nil {
			return client.LinkKey{}, fmt.Errorf("change the key of uplink channel %d, step %d of %d: %w", vc, k.Step+1, stepEnd, err)
		}
		resumed = false
		after := channelKeys{Now: k.Now, Next: k.Next, Step: k.Step + 1}
		if after.Step == stepEnd {
			after = channelKeys{Now: *k.Next}
		}
		if err := s.keepKeys(vc, k, after); err != nil {
			return client.LinkKey{}, err
		}
		if k.Next == nil {
			break
		}
	}
	return client.LinkKey{VC: uint8(vc), SPI: k.Now.SPI, Key: k.Now.ID}, nil
}

// newKey makes the key that comes after now.
func (s *Station) newKey(now held) (next held, err error) {
	n, err := s.cfg.Counters.NextOf("sdls-keys")
	if err != nil {
		return next, err
	}
	if n += firstKey; n > 0xFFFF {
		return next, fmt.Errorf("%w: the numbers of keys are used up", errRequest)
	}
	next.SPI, next.ID = link.Spare(now.SPI), uint16(n)
	_, err = rand.Read(next.Value[:])
	return next, err
}

// keepKeys makes a change durable, and then the link use it.
func (s *Station) keepKeys(vc ccsds.VCID, k *channelKeys, after channelKeys) error {
	if err := s.cfg.Records.Put(bucketKeys, strconv.Itoa(int(vc)), after); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	*k = after
	c := k.current()
	return s.ground.Associate(vc, c.SPI, c.Value)
}

// keyStep carries out the next step of a rotation.
func (s *Station) keyStep(ctx context.Context, vc ccsds.VCID, k *channelKeys) error {
	next := *k.Next
	var pdu sdls.PDU
	switch k.Step {
	case stepInstall:
		var iv [12]byte
		if _, err := rand.Read(iv[:]); err != nil {
			return err
		}
		master := sdls.Key{ID: link.MasterKey, Value: *s.cfg.Master, State: sdls.Active, Master: true}
		var err error
		if pdu, err = sdls.OTARPDU(master, iv, sdls.KeyBlock{ID: next.ID, Value: next.Value}); err != nil {
			return err
		}
	case stepVerify:
		return s.verifyKey(ctx, next)
	case stepActivate:
		pdu = sdls.KeysPDU(sdls.KeyActivate, next.ID)
	case stepRekey:
		n, err := s.cfg.Counters.Next(next.SPI)
		if err != nil {
			return err
		}
		pdu = sdls.RekeyPDU(next.SPI, next.ID, n, numberLength)
	case stepStart:
		pdu = sdls.StartPDU(next.SPI, sdls.Link{SCID: s.cfg.Profile.SCID, VCID: vc})
	case stepProve:
		return s.proveKey(ctx, vc)
	case stepStop:
		pdu = sdls.AssociationPDU(sdls.SAStop, k.Now.SPI)
	case stepExpire:
		pdu = sdls.AssociationPDU(sdls.SAExpire, k.Now.SPI)
	case stepDeactivate:
		pdu = sdls.KeysPDU(sdls.KeyDeactivate, k.Now.ID)
	case stepDestroy:
		pdu = sdls.KeysPDU(sdls.KeyDestroy, k.Now.ID)
	}
	return s.procedure(ctx, pdu)
}

// verifyKey lets the craft prove that it has the key, and not another.
func (s *Station) verifyKey(ctx context.Context, next held) error {
	c := sdls.Challenge{Key: next.ID}
	if _, err := rand.Read(c.Value[:]); err != nil {
		return err
	}
	ring, err := sdls.NewKeyring(sdls.Key{ID: next.ID, Value: next.Value})
	if err != nil {
		return err
	}
	select {
	case <-s.proofs: // of a challenge before
	default:
	}
	if err := s.procedure(ctx, sdls.VerifyPDU(c)); err != nil {
		return err
	}
	select {
	case p := <-s.proofs:
		return ring.CheckProof(p, c)
	case <-s.cfg.Clock.After(time.Minute):
		return errors.New("the craft's proof did not come: try again")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// proveKey shows that the craft carries out what comes under the new key. On the channel for
// recovery a frame may get lost, so it is tried again.
func (s *Station) proveKey(ctx context.Context, vc ccsds.VCID) (err error) {
	ping := client.Request{Service: pus.ServiceTest, Subtype: pus.AreYouAlive, VC: uint8(vc), BD: vc == vcRecovery}
	for range 5 {
		within, cancel := context.WithTimeout(ctx, time.Minute)
		err = s.await(within, ping)
		cancel()
		if err == nil || ctx.Err() != nil || !ping.BD {
			break
		}
	}
	return err
}

func (s *Station) procedure(ctx context.Context, p sdls.PDU) error {
	data, err := p.Append(nil)
	if err != nil {
		return err
	}
	return s.await(ctx, client.Request{Service: pus.ServiceSecurity, Subtype: pus.SecurityCommand, Data: data})
}

// await sends a telecommand and waits for what becomes of it.
func (s *Station) await(ctx context.Context, r client.Request) error {
	sent, err := s.Send(r)
	if err != nil {
		return err
	}
	s.mu.Lock()
	c := s.find(sent.ID)
	s.mu.Unlock()
	select {
	case <-c.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Stage == client.StageFailed {
		return &client.RefusedError{Reason: c.Reason}
	}
	return nil
}

// security takes TM[129,1], the reply to a procedure.
func (s *Station) security(e *client.Event, tm pus.Telemetry) error {
	p, err := sdls.ParsePDU(tm.Payload)
	if err != nil {
		return err
	}
	e.Text = fmt.Sprintf("reply to procedure %d.%d", p.Procedure.Group, p.Procedure.ID)
	if p.Procedure == sdls.KeyVerify {
		select {
		case s.proofs <- p:
		default:
		}
	}
	return nil
}

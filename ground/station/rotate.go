package station

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/internal/client"
)

// The steps of a rotation, by what has been done before them. The old key goes only when the
// new one has been seen to work: until then both ends take both, and nothing that is under way
// is lost.
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
	stepInstall: "is active: " + sdls.ErrState.Error(), stepActivate: "is active: " + sdls.ErrState.Error(), stepStart: "it is operational: " + sdls.ErrState.Error(),
	stepStop: "it is keyed: " + sdls.ErrState.Error(), stepExpire: "it is unkeyed: " + sdls.ErrState.Error(),
	stepDeactivate: "is deactivated: " + sdls.ErrState.Error(), stepDestroy: sdls.ErrNoKey.Error(),
}

// Rotate gives a channel a new key, or ends a rotation that stopped half way. It returns when
// the craft has forgotten the old one.
func (s *Station) Rotate(ctx context.Context, vc ccsds.VCID, down bool) (client.LinkKey, error) {
	if err := s.manages(); err != nil {
		return client.LinkKey{}, err
	}
	if !s.rotating.TryLock() {
		return client.LinkKey{}, fmt.Errorf("%w: a key is being changed", errRequest)
	}
	defer s.rotating.Unlock()
	w := way{vc, down}
	k, ok := s.channelKeys(w)
	if !ok {
		return client.LinkKey{}, fmt.Errorf("%w: %s is not protected", errRequest, w)
	}
	if k.Lost && k.Next == nil {
		return client.LinkKey{}, fmt.Errorf("%w: the key of %s is not known here: recover first", errRequest, w)
	}
	resumed := k.Next != nil
	if !resumed {
		next, err := s.newKey(link.Spare(k.Now.SPI))
		if err != nil {
			return client.LinkKey{}, err
		}
		if err := s.keepKeys(w, channelKeys{Now: k.Now, Next: &next}); err != nil {
			return client.LinkKey{}, err
		}
	}
	if err := s.rotate(ctx, w, resumed); err != nil {
		return client.LinkKey{}, s.halfDone(w, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.linkKey(w), nil
}

// halfDone tells everybody that a rotation has stopped, and who asked for it what to do.
func (s *Station) halfDone(w way, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.adviseKey(w)
	var refused *client.RefusedError
	if errors.As(err, &refused) {
		return fmt.Errorf("%w; if it is refused again: perilune key recover", err)
	}
	return fmt.Errorf("%w; the same command, or perilune key rotate --finish, goes on from here", err)
}

// adviseKey notes what the operator should know about the key of a channel. It needs the lock.
func (s *Station) adviseKey(w way) {
	if advice := s.linkKey(w).Advice(); advice != "" {
		s.record(client.Event{Kind: client.KindKeys, VC: uint8(w.vc), Text: advice})
		s.cfg.Log.Warn(advice)
	}
}

// channelKeys is a copy of the keys of a channel.
func (s *Station) channelKeys(w way) (channelKeys, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.keys[w]
	if !ok {
		return channelKeys{}, false
	}
	return *k, true
}

// rotate carries out the steps that are left. resumed says that the first of them may have been
// carried out already. A craft that no longer has what earlier steps did, since it lost its
// records or somebody worked by hand, is taken through them once more: until the new
// association has started nothing of the old one is gone.
func (s *Station) rotate(ctx context.Context, w way, resumed bool) error {
	s.stepping.Store(true)
	defer s.stepping.Store(false)
	done, again := -1, false // steps up to done may have been carried out already
	for {
		k, _ := s.channelKeys(w)
		if k.Next == nil {
			return nil
		}
		if resumed {
			done, resumed = k.Step, false
		}
		err := s.keyStep(ctx, w, k)
		var refused *client.RefusedError
		if errors.As(err, &refused) {
			switch {
			case k.Step <= done && already[k.Step] != "" && strings.HasSuffix(refused.Reason, already[k.Step]):
				err = nil
			case !again && missing(k.Step, refused):
				done, again = k.Step, true
				if err := s.keepKeys(w, channelKeys{Now: k.Now, Lost: k.Lost, Next: k.Next}); err != nil {
					return err
				}
				continue
			}
		}
		if err != nil {
			return fmt.Errorf("change the key of %s, step %d of %d: %w", w, k.Step+1, stepEnd, err)
		}
		after := channelKeys{Now: k.Now, Lost: k.Lost, Next: k.Next, Step: k.Step + 1}
		if after.Step == stepDeactivate && k.Lost {
			after.Step = stepEnd // nobody knows which key that was
		}
		if after.Step == stepEnd {
			after = channelKeys{Now: *k.Next}
		}
		if err := s.keepKeys(w, after); err != nil {
			return err
		}
	}
}

// missing says whether the craft refuses a step for want of what earlier ones did.
func missing(step int, refused *client.RefusedError) bool {
	return step > stepInstall && step <= stepStart &&
		(strings.HasSuffix(refused.Reason, sdls.ErrNoKey.Error()) || strings.HasSuffix(refused.Reason, sdls.ErrState.Error()) || strings.HasSuffix(refused.Reason, sdls.ErrSPI.Error()))
}

// newKey makes a key for an association.
func (s *Station) newKey(spi uint16) (next held, err error) {
	next.SPI = spi
	if next.ID, err = s.newNumber(); err == nil {
		_, err = rand.Read(next.Value[:])
	}
	return next, err
}

// keyStep carries out the next step of a rotation.
func (s *Station) keyStep(ctx context.Context, w way, k channelKeys) error {
	next := *k.Next
	var pdu sdls.PDU
	switch k.Step {
	case stepInstall:
		return s.installKey(ctx, next)
	case stepVerify:
		return s.verifyKey(ctx, next)
	case stepActivate:
		pdu = sdls.KeysPDU(sdls.KeyActivate, next.ID)
	case stepRekey:
		return s.rekey(ctx, w, next)
	case stepStart:
		pdu = sdls.StartPDU(next.SPI, s.cfg.Profile.Link(w.vc, w.down))
	case stepProve:
		if w.down {
			return s.seeKey(ctx, w, next)
		}
		return s.proveKey(ctx, w.vc)
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

// installPDU is the command that brings a key to the craft.
func (s *Station) installPDU(next held) (sdls.PDU, error) {
	var iv [12]byte
	if _, err := rand.Read(iv[:]); err != nil {
		return sdls.PDU{}, err
	}
	master := sdls.Key{ID: link.MasterKey, Value: *s.cfg.Master, State: sdls.Active, Master: true}
	return sdls.OTARPDU(master, iv, sdls.KeyBlock{ID: next.ID, Value: next.Value})
}

func (s *Station) installKey(ctx context.Context, next held) error {
	pdu, err := s.installPDU(next)
	if err != nil {
		return err
	}
	return s.procedure(ctx, pdu)
}

// rekeyPDU is the command that gives the next key to its association. The numbers of the
// downlink are the craft's, which goes on above those that it has used.
func (s *Station) rekeyPDU(w way, next held) (sdls.PDU, error) {
	number := s.cfg.Counters.Next
	if w.down {
		number = s.cfg.Counters.Floor
	}
	n, err := number(next.SPI)
	return sdls.RekeyPDU(next.SPI, next.ID, n, numberLength), err
}

// rekey gives the next key to its association. One that somebody has brought into another
// state by hand is freed first.
func (s *Station) rekey(ctx context.Context, w way, next held) error {
	pdu, err := s.rekeyPDU(w, next)
	if err != nil {
		return err
	}
	err = s.procedure(ctx, pdu)
	var refused *client.RefusedError
	if !errors.As(err, &refused) || !strings.HasSuffix(refused.Reason, sdls.ErrState.Error()) && !strings.HasSuffix(refused.Reason, sdls.ErrSPI.Error()) {
		return err
	}
	if err := s.free(ctx, next.SPI, sdls.Unkeyed); err != nil {
		return err
	}
	return s.procedure(ctx, pdu)
}

// free takes an association of the craft back to unkeyed, or makes it if it is gone. first is its state if no procedure has
// changed it.
func (s *Station) free(ctx context.Context, spi uint16, first sdls.State) error {
	state, err := s.stateOf(ctx, spi, first)
	var refused *client.RefusedError
	if sa, planned := s.cfg.Profile.Planned(spi); planned && errors.As(err, &refused) && strings.HasSuffix(refused.Reason, sdls.ErrSPI.Error()) {
		pdu, err := sdls.CreatePDU(sa)
		if err != nil {
			return err
		}
		return s.procedure(ctx, pdu)
	}
	if err == nil && state == sdls.Operational {
		err = s.procedure(ctx, sdls.AssociationPDU(sdls.SAStop, spi))
		state = sdls.Keyed
	}
	if err == nil && state == sdls.Keyed {
		err = s.procedure(ctx, sdls.AssociationPDU(sdls.SAExpire, spi))
	}
	return err
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
	reply, err := s.ask(ctx, sdls.VerifyPDU(c))
	if err != nil {
		return err
	}
	return ring.CheckProof(reply, c)
}

// proveKey shows that the craft carries out what comes under the new key. A frame of the bypass
// service may get lost, so that is tried again.
func (s *Station) proveKey(ctx context.Context, vc ccsds.VCID) (err error) {
	ping := pingBy(vc)
	ping.BD = ping.BD || s.recovering
	for range 5 {
		within, cancel := context.WithTimeout(ctx, time.Minute)
		err = s.await(within, ping, nil)
		cancel()
		if err == nil || ctx.Err() != nil || !ping.BD {
			break
		}
	}
	return err
}

// pingBy is a ping by an uplink channel.
func pingBy(vc ccsds.VCID) client.Request {
	return client.Request{Service: pus.ServiceTest, Subtype: pus.AreYouAlive, VC: uint8(vc), BD: vc == vcRecovery}
}

// seeWithin is how long a frame under a new key is waited for. A channel that has nothing to
// say has none; then the craft's word must do.
const seeWithin = 30 * time.Second

// seeKey waits until frames of a downlink channel come under the new key. The craft has changed
// over when it reported the start, and what it sent before came before that report.
func (s *Station) seeKey(ctx context.Context, w way, next held) error {
	until := s.now().Add(seeWithin)
	for s.now().Before(until) {
		s.mu.Lock()
		seen := s.secured[w.vc] == next.SPI
		s.mu.Unlock()
		if seen {
			return nil
		}
		select {
		case <-s.cfg.Clock.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	state, err := s.stateOf(ctx, next.SPI, sdls.Unkeyed)
	if err == nil && state != sdls.Operational {
		err = fmt.Errorf("association %d is %s", next.SPI, state)
	}
	return err
}

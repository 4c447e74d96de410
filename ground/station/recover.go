package station

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/internal/client"
)

// How the craft is called while its keys are not known for certain.
const (
	callTries  = 3
	callWithin = 10 * time.Second
	blindStep  = 3 * time.Second
)

// errNoCall says that no key of this station reaches the craft.
var errNoCall = errors.New("the craft answers to none of the keys that are known here on the recovery channel")

// Recover brings station and craft together again when they disagree about keys: a station that
// has lost what was changed, a craft that has lost its records, a rotation that cannot go on. It
// works through the recovery channel alone, asks the craft what it has, and gives every channel
// a new key whose own the craft does not prove to be the one known here.
func (s *Station) Recover(ctx context.Context) ([]client.LinkKey, error) {
	if err := s.manages(); err != nil {
		return nil, err
	}
	if !s.rotating.TryLock() {
		return nil, fmt.Errorf("%w: a key is being changed", errRequest)
	}
	defer s.rotating.Unlock()
	s.recovering = true
	defer func() { s.recovering = false }()
	if err := s.call(ctx); err != nil {
		return nil, err
	}
	keys, err := s.keyStates(ctx)
	var refused *client.RefusedError
	if errors.As(err, &refused) && strings.HasSuffix(refused.Reason, link.ErrUnmanaged.Error()) {
		// It keeps no records, so what it has is what it was built with.
		return s.backToImage()
	}
	if err != nil {
		return nil, fmt.Errorf("recover keys: %w", err)
	}
	if err := s.numbersAbove(keys); err != nil {
		return nil, err
	}
	for _, w := range s.ways() {
		if err := s.repair(ctx, w, keys); err != nil {
			return nil, fmt.Errorf("recover the key of %s: %w", w, err)
		}
	}
	if err := s.forgetOthers(ctx); err != nil {
		return nil, fmt.Errorf("recover keys: %w", err)
	}
	return s.KeyList(), nil
}

// call finds out by which keys the craft can be commanded on the recovery channel, and heard:
// those kept here or those of the image; and if it cannot be heard by them, new ones that it is
// given blindly.
func (s *Station) call(ctx context.Context) error {
	kept := map[way]channelKeys{}
	for _, w := range s.ways() {
		kept[w], _ = s.channelKeys(w)
	}
	for _, upOfImage := range []bool{false, true} {
		for _, downOfImage := range []bool{false, true} {
			for w, k := range kept {
				if w.down && downOfImage || w == recovery && upOfImage {
					k = channelKeys{Now: s.image(w)}
				}
				if err := s.try(w, k); err != nil {
					return err
				}
			}
			if s.answers(ctx) {
				return s.keepAll()
			}
		}
		switch heard, err := s.blind(ctx); {
		case err != nil:
			return err
		case heard:
			return s.keepAll()
		}
	}
	err := error(errNoCall)
	for w, k := range kept {
		err = errors.Join(err, s.try(w, k))
	}
	return err
}

// recovery is the channel of last resort.
var recovery = way{vc: vcRecovery}

// blind gives the craft a new key for the downlink channel by which it answers, without hearing
// what becomes of it. Which of the two associations is free is not known, so both are tried: on
// the one that is in use nothing of it is taken.
func (s *Station) blind(ctx context.Context) (heard bool, err error) {
	w := way{vcAnswers, true}
	k, ok := s.channelKeys(w)
	if !ok {
		return false, ctx.Err()
	}
	own := s.image(w).SPI
	for _, spi := range []uint16{link.Spare(own), own, link.Spare(own), own} {
		next, err := s.newKey(spi)
		if err != nil {
			return false, err
		}
		old := held{SPI: link.Spare(spi), ID: k.Now.ID, Value: k.Now.Value}
		if err := s.try(w, channelKeys{Now: old, Lost: true, Next: &next, Step: stepProve}); err != nil {
			return false, err
		}
		if err := s.blindly(ctx, w, next); err != nil {
			return false, err
		}
		if s.answers(ctx) {
			return true, nil
		}
	}
	return false, ctx.Err()
}

// blindly sends what brings a key into use.
func (s *Station) blindly(ctx context.Context, w way, next held) error {
	install, err := s.installPDU(next)
	if err != nil {
		return err
	}
	rekey, err := s.rekeyPDU(w, next)
	if err != nil {
		return err
	}
	for _, p := range []sdls.PDU{
		sdls.AssociationPDU(sdls.SAStop, next.SPI), sdls.AssociationPDU(sdls.SAExpire, next.SPI), install,
		sdls.KeysPDU(sdls.KeyActivate, next.ID), rekey, sdls.StartPDU(next.SPI, s.cfg.Profile.Link(w.vc, w.down)),
	} {
		within, cancel := context.WithTimeout(ctx, blindStep)
		err := s.procedure(within, p)
		cancel()
		var refused *client.RefusedError
		if ctx.Err() != nil || err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.As(err, &refused) {
			return errors.Join(err, ctx.Err())
		}
	}
	return nil
}

// try makes the link use keys that are not kept yet.
func (s *Station) try(w way, k channelKeys) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	*s.keys[w] = k
	return s.useKeys(w, k)
}

// keepAll keeps the keys that have been tried.
func (s *Station) keepAll() error {
	for _, w := range s.ways() {
		k, _ := s.channelKeys(w)
		if err := s.keepKeys(w, k); err != nil {
			return err
		}
	}
	return nil
}

// backToImage takes the keys of the image for all channels.
func (s *Station) backToImage() ([]client.LinkKey, error) {
	for _, w := range s.ways() {
		if err := s.keepKeys(w, channelKeys{Now: s.image(w)}); err != nil {
			return nil, err
		}
	}
	return s.KeyList(), nil
}

// answers pings the craft on the recovery channel.
func (s *Station) answers(ctx context.Context) bool {
	for range callTries {
		within, cancel := context.WithTimeout(ctx, callWithin)
		err := s.await(within, pingBy(vcRecovery), nil)
		cancel()
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			break
		}
	}
	return false
}

// numbersAbove gives no number to a key that one on board has.
func (s *Station) numbersAbove(keys []sdls.Key) error {
	n := uint16(firstKey)
	for _, k := range keys {
		n = max(n, k.ID)
	}
	have, err := s.lastNumber()
	if err != nil || have >= n {
		return err
	}
	return s.cfg.Keys.Put(recordNumber, n)
}

// repair makes sure of one channel. One whose key the craft proves, and uses as it is kept here,
// is left alone.
func (s *Station) repair(ctx context.Context, w way, keys []sdls.Key) error {
	k, _ := s.channelKeys(w)
	own := s.image(w).SPI
	states := map[uint16]sdls.State{}
	for _, spi := range []uint16{own, link.Spare(own)} {
		state, err := s.stateOf(ctx, spi, s.firstState(spi))
		if err != nil {
			return err
		}
		states[spi] = state
	}
	known := func(h held) bool {
		return states[h.SPI] == sdls.Operational && slices.ContainsFunc(keys, func(k sdls.Key) bool { return k.ID == h.ID && k.State == sdls.Active })
	}
	for _, h := range []held{k.Now, k.current()} {
		other := link.Spare(h.SPI)
		if !known(h) || s.verifyKey(ctx, h) != nil || w.down && states[other] == sdls.Operational && !s.comesUnder(w, h) {
			continue
		}
		if err := s.keepKeys(w, channelKeys{Now: h}); err != nil {
			return err
		}
		return s.free(ctx, other, s.firstState(other))
	}
	old := k.Now
	if old.SPI = own; states[own] != sdls.Operational {
		old.SPI = link.Spare(own)
	}
	if err := s.free(ctx, link.Spare(old.SPI), s.firstState(link.Spare(old.SPI))); err != nil {
		return err
	}
	next, err := s.newKey(link.Spare(old.SPI))
	if err == nil {
		err = s.keepKeys(w, channelKeys{Now: old, Lost: true, Next: &next})
	}
	if err != nil {
		return err
	}
	s.stepping.Store(true)
	defer s.stepping.Store(false)
	return s.rotate(ctx, w, false)
}

// comesUnder says whether the last frame of a downlink channel came under a key.
func (s *Station) comesUnder(w way, h held) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.secured[w.vc] == h.SPI
}

// forgetOthers has the craft destroy the keys that no channel uses any more, as far as it will:
// one under an association that somebody has made by hand stays.
func (s *Station) forgetOthers(ctx context.Context) error {
	keys, err := s.keyStates(ctx)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if _, use := s.inUse(k.ID); use != "" {
			continue
		}
		var refused *client.RefusedError
		if err := s.revoke(ctx, k); err != nil && !errors.As(err, &refused) {
			return err
		}
	}
	return nil
}

// revoke takes a key from the craft.
func (s *Station) revoke(ctx context.Context, k sdls.Key) error {
	if k.State == sdls.Active {
		if err := s.procedure(ctx, sdls.KeysPDU(sdls.KeyDeactivate, k.ID)); err != nil {
			return err
		}
	}
	return s.procedure(ctx, sdls.KeysPDU(sdls.KeyDestroy, k.ID))
}

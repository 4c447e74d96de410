package station

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
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
	s.stepping.Store(true) // until nothing of it is left to do: who sees no more of it can begin the next
	defer s.stepping.Store(false)
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

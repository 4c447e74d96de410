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

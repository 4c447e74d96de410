package station

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/internal/client"
)

// errGround is wrapped by what this station does not do to its own link.
var errGround = errors.New("not by hand")

// Procedure has the craft carry out a procedure by hand. What would leave this station without
// commands or telemetry is not done; what the craft refuses is a *client.RefusedError.
func (s *Station) Procedure(ctx context.Context, p client.Procedure) (out client.ProcedureReply, err error) {
	if err := s.manages(); err != nil {
		return out, err
	}
	if !s.rotating.TryLock() {
		return out, fmt.Errorf("%w: a key is being changed", errRequest)
	}
	defer s.rotating.Unlock()
	switch group, _, _ := strings.Cut(p.Name, "."); group {
	case "key":
		out, err = s.keyProcedure(ctx, p)
	case "sa":
		out, err = s.associationProcedure(ctx, p)
	default:
		out, err = s.monitorProcedure(ctx, p)
	}
	if err != nil {
		return client.ProcedureReply{}, fmt.Errorf("%s: %w", p.Name, err)
	}
	return out, nil
}

var done = client.ProcedureReply{Good: true}

func unknownProcedure(p client.Procedure) error {
	return fmt.Errorf("%w: there is no procedure %q", errRequest, p.Name)
}

// keyProcedure carries out those on keys.
func (s *Station) keyProcedure(ctx context.Context, p client.Procedure) (client.ProcedureReply, error) {
	switch p.Name {
	case "key.inventory":
		keys, err := s.keyStates(ctx)
		out := done
		for _, k := range keys {
			out.Keys = append(out.Keys, s.keyState(k))
		}
		return out, err
	case "key.load":
		return s.loadKey(ctx)
	case "key.verify":
		h, err := s.heldKey(p.Key)
		if err == nil {
			err = s.verifyKey(ctx, h)
		}
		return done, err
	}
	w, use := s.inUse(p.Key)
	if k, _ := s.channelKeys(w); use != "" && k.Next != nil {
		return done, fmt.Errorf("%w: key %d is %s, whose key is being changed: end that first", errGround, p.Key, use)
	}
	switch p.Name {
	case "key.activate":
		return done, s.procedure(ctx, sdls.KeysPDU(sdls.KeyActivate, p.Key))
	case "key.deactivate":
		return done, s.procedure(ctx, sdls.KeysPDU(sdls.KeyDeactivate, p.Key))
	case "key.revoke":
		return done, s.revokeKey(ctx, p.Key)
	}
	return done, unknownProcedure(p)
}

func (s *Station) keyState(k sdls.Key) client.KeyState {
	_, use := s.inUse(k.ID)
	return client.KeyState{Key: k.ID, State: k.State.String(), Use: use}
}

// loadedKey is the name under which a key is kept that no channel uses.
func loadedKey(id uint16) string { return fmt.Sprintf("key-%d", id) }

// loadKey brings a new key to the craft, pre-active.
func (s *Station) loadKey(ctx context.Context) (out client.ProcedureReply, err error) {
	h, err := s.newKey(0)
	if err == nil {
		err = s.cfg.Keys.Put(loadedKey(h.ID), h)
	}
	if err == nil {
		err = s.installKey(ctx, h)
	}
	if err == nil {
		err = s.verifyKey(ctx, h)
	}
	return client.ProcedureReply{Good: true, Keys: []client.KeyState{s.keyState(sdls.Key{ID: h.ID})}}, err
}

// heldKey is a key that this station knows.
func (s *Station) heldKey(id uint16) (h held, err error) {
	s.mu.Lock()
	for _, k := range s.keys {
		switch {
		case k.Next != nil && k.Next.ID == id:
			h = *k.Next
		case !k.Lost && k.Now.ID == id:
			h = k.Now
		}
	}
	s.mu.Unlock()
	if h.SPI != 0 {
		return h, nil
	}
	if err = s.cfg.Keys.Get(loadedKey(id), &h); errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: key %d is not known here", errRequest, id)
	}
	return h, err
}

// revokeKey deactivates a key if it is active, and destroys it.
func (s *Station) revokeKey(ctx context.Context, id uint16) error {
	keys, err := s.keyStates(ctx)
	if err != nil {
		return err
	}
	k := sdls.Key{ID: id}
	for _, have := range keys {
		if have.ID == id {
			k = have
		}
	}
	if err := s.revoke(ctx, k); err != nil {
		return err
	}
	return s.cfg.Keys.Delete(loadedKey(id))
}

// associationProcedure carries out those on associations.
func (s *Station) associationProcedure(ctx context.Context, p client.Procedure) (client.ProcedureReply, error) {
	if p.Name == "sa.status" {
		return s.associations(ctx, p.SPI)
	}
	w, own := s.wayOf(p.SPI)
	if k, _ := s.channelKeys(w); own && k.Next != nil {
		return done, fmt.Errorf("%w: the key of %s is being changed: end that first", errGround, w)
	}
	var pdu sdls.PDU
	var err error
	switch p.Name {
	case "sa.create":
		sa, planned := s.cfg.Profile.Planned(p.SPI)
		if !planned {
			sa = sdls.SA{SPI: p.SPI, Window: sdls.MaxWindow} // authenticated encryption by AES-GCM
		}
		pdu, err = sdls.CreatePDU(sa)
	case "sa.rekey":
		pdu = sdls.RekeyPDU(p.SPI, p.Key, p.Number, numberLength)
	case "sa.start":
		if own && w.down {
			return done, fmt.Errorf("%w: %s would come under a key that is not known here: rotate it", errGround, w)
		}
		var links []sdls.Link
		for _, vc := range p.VCs {
			links = append(links, s.cfg.Profile.Link(ccsds.VCID(vc), false))
		}
		pdu = sdls.StartPDU(p.SPI, links...)
	case "sa.number":
		pdu = sdls.SetARSNPDU(p.SPI, p.Number, numberLength)
	case "sa.window":
		pdu = sdls.SetWindowPDU(p.SPI, p.Number)
	default:
		which, ok := map[string]sdls.Procedure{"sa.stop": sdls.SAStop, "sa.expire": sdls.SAExpire, "sa.delete": sdls.SADelete}[p.Name]
		if !ok {
			return done, unknownProcedure(p)
		}
		pdu = sdls.AssociationPDU(which, p.SPI)
	}
	if err != nil {
		return done, err
	}
	return done, s.procedure(ctx, pdu)
}

// wayOf is the channel that an association of the profile is for.
func (s *Station) wayOf(spi uint16) (way, bool) {
	for _, w := range s.ways() {
		if own := s.image(w).SPI; spi == own || spi == link.Spare(own) {
			return w, true
		}
	}
	return way{}, false
}

// associations asks for the state and the number of an association, or with 0 of all that the
// profile has.
func (s *Station) associations(ctx context.Context, spi uint16) (out client.ProcedureReply, err error) {
	all := []uint16{spi}
	if spi == 0 {
		all = nil
		for _, w := range s.ways() {
			own := s.image(w).SPI
			all = append(all, own, link.Spare(own))
		}
	}
	out.Good = true
	for _, spi := range all {
		a := client.Association{SPI: spi, State: "none"}
		state, err := s.stateOf(ctx, spi, s.firstState(spi))
		var refused *client.RefusedError
		if errors.As(err, &refused) && strings.HasSuffix(refused.Reason, sdls.ErrSPI.Error()) {
			out.Associations = append(out.Associations, a)
			continue
		}
		if err != nil {
			return out, err
		}
		reply, err := s.ask(ctx, sdls.AssociationPDU(sdls.SAReadARSN, spi))
		if err != nil {
			return out, err
		}
		if _, a.Number, err = sdls.ParseARSN(reply); err != nil {
			return out, err
		}
		a.State = state.String()
		out.Associations = append(out.Associations, a)
	}
	return out, nil
}

// logWords are the events of the security log in words.
var logWords = map[sdls.LogCode]string{
	sdls.LogTruncated: "truncated", sdls.LogUnknownSPI: "unknown SPI", sdls.LogChannel: "wrong virtual channel",
	sdls.LogForged: "forged", sdls.LogReplayed: "replayed", sdls.LogRefused: "procedure refused",
	sdls.LogCarriedOut: "procedure carried out", sdls.LogSelfTestBad: "self-test failed",
}

// monitorProcedure carries out those of monitoring and control.
func (s *Station) monitorProcedure(ctx context.Context, p client.Procedure) (out client.ProcedureReply, err error) {
	if p.Name == "alarm.reset" {
		return done, s.procedure(ctx, sdls.PDU{Procedure: sdls.ResetAlarmFlag})
	}
	which, ok := map[string]sdls.Procedure{"ping": sdls.Ping, "selftest": sdls.SelfTesting, "log.status": sdls.LogStatus,
		"log.dump": sdls.DumpLog, "log.erase": sdls.EraseLog}[p.Name]
	if !ok {
		return out, unknownProcedure(p)
	}
	reply, err := s.ask(ctx, sdls.PDU{Procedure: which})
	if err != nil {
		return out, err
	}
	out.Good = true
	switch which {
	case sdls.SelfTesting:
		out.Good, err = sdls.ParseSelfTest(reply)
	case sdls.LogStatus, sdls.EraseLog:
		out.Log = &client.SecurityLog{}
		out.Log.Events, out.Log.Room, err = sdls.ParseLogStatus(reply)
	case sdls.DumpLog:
		events, bad := sdls.ParseLog(reply)
		for _, e := range events {
			out.Events = append(out.Events, client.SecurityEvent{Tag: e.Tag, What: logWords[e.Code], SPI: e.SPI, Number: e.Number})
		}
		err = bad
	}
	return out, err
}

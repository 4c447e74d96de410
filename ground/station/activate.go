package station

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/missions/bundle"
)

// errNoOrders says that this station may not sign flight orders.
var errNoOrders = errors.New("this station has no mission control key to sign orders with")

// maxActivations is how many activations are remembered.
const maxActivations = 256

// Activate takes a bundle and brings it to the craft: upload, flight order, telecommand.
// It returns once the bundle is taken; the rest goes on until ctx ends. With onBoard
// the bundle itself is not sent.
func (s *Station) Activate(ctx context.Context, src io.Reader, onBoard bool) (client.Activation, error) {
	if s.cfg.Orders == nil {
		return client.Activation{}, errNoOrders
	}
	tmp, err := os.CreateTemp(s.cfg.Temp, "bundle-*.tar")
	if err != nil {
		return client.Activation{}, err
	}
	size, err := io.Copy(tmp, src)
	if err = errors.Join(err, tmp.Close()); err != nil {
		return client.Activation{}, errors.Join(fmt.Errorf("take bundle: %w", err), os.Remove(tmp.Name()))
	}
	a, err := identify(tmp.Name())
	if err != nil {
		return client.Activation{}, errors.Join(err, os.Remove(tmp.Name()))
	}
	n, err := s.cfg.Counters.NextOf("activations")
	if err != nil {
		return client.Activation{}, errors.Join(err, os.Remove(tmp.Name()))
	}
	a.ID, a.Size, a.Step = fmt.Sprintf("%s-%d", short(a.Digest), n), uint64(size), client.StepUpload
	first := *a
	s.mu.Lock()
	if len(s.activations) >= maxActivations {
		for id, old := range s.activations {
			if old.Ended() {
				delete(s.activations, id)
			}
		}
	}
	s.activations[a.ID] = a
	s.step(a, client.StepUpload)
	s.mu.Unlock()
	go func() {
		err := s.activate(ctx, a, tmp.Name(), onBoard)
		s.ended(a, errors.Join(err, os.Remove(tmp.Name())))
	}()
	return first, nil
}

// identify reads who a bundle is. One whose form does not hold is sent all the same,
// named by the digest of the whole file: to refuse it is the craft's part.
func identify(path string) (*client.Activation, error) {
	b, err := bundle.Open(path, bundle.DefaultLimits())
	if err == nil {
		defer b.Close()
		return &client.Activation{Digest: b.Digest.String(), Tenant: b.Mission.Tenant, Mission: b.Mission.Name}, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d, err := digest.FromReader(f)
	return &client.Activation{Digest: d.String()}, err
}

// short is the part of a digest that names files.
func short(d string) string {
	_, hex, _ := strings.Cut(d, ":")
	return hex[:min(12, len(hex))]
}

// step moves an activation on. The caller holds the lock.
func (s *Station) step(a *client.Activation, step string) {
	a.Step, a.Changed = step, s.now().UTC()
	name := a.Tenant + "/" + a.Mission
	s.record(client.Event{Kind: client.KindActivation, Command: a.Command, Text: fmt.Sprintf("%s %s", name, step), Fields: map[string]any{
		"id": a.ID, "digest": a.Digest, "tenant": a.Tenant, "mission": a.Mission, "step": step, "rule": a.Rule, "reason": a.Reason,
	}})
}

func (s *Station) steps(a *client.Activation, step string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.step(a, step)
}

// activate carries an activation through.
func (s *Station) activate(ctx context.Context, a *client.Activation, path string, onBoard bool) error {
	file := "bundles/" + short(a.Digest) + ".tar"
	if !onBoard {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		err = s.carry(ctx, f, file, func(t client.Transfer) { a.Transfer = t.ID })
		if err = errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("bundle: %w", err)
		}
	}
	s.steps(a, client.StepOrder)
	token, sequence, err := s.cfg.Orders(a.Digest)
	if err != nil {
		return fmt.Errorf("sign flight order: %w", err)
	}
	order := fmt.Sprintf("orders/%d.jwt", sequence)
	if err := s.carry(ctx, strings.NewReader(token), order, func(client.Transfer) {}); err != nil {
		return fmt.Errorf("flight order: %w", err)
	}
	return s.await(ctx, client.Request{Function: "bundle.activate", Arguments: []string{file, order}}, func(cmd client.Command) {
		a.Command = cmd.ID
		s.step(a, client.StepCommand)
	})
}

// carry sends a file up and waits until it is there. begun gets the transfer, with the
// lock held.
func (s *Station) carry(ctx context.Context, src io.Reader, dest string, begun func(client.Transfer)) error {
	t, err := s.cfg.Files.Upload(s.now(), src, client.Put{Dest: dest})
	if err != nil {
		return err
	}
	s.mu.Lock()
	begun(t)
	s.mu.Unlock()
	s.poke()
	if t, err = s.cfg.Files.Wait(ctx, t.ID); err != nil {
		return err
	}
	if t.State != client.TransferFinished {
		return fmt.Errorf("transfer of %s: %s", t.Name, t.Condition)
	}
	return nil
}

// ended closes an activation with its outcome.
func (s *Station) ended(a *client.Activation, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var refused *client.RefusedError
	switch {
	case err == nil:
		s.step(a, client.StepActivated)
	case errors.As(err, &refused):
		a.Rule, a.Reason = refused.Rule, refused.Reason
		s.step(a, client.StepRefused)
	default:
		a.Reason = err.Error()
		s.step(a, client.StepFailed)
	}
}

// activation is a copy of an activation with how much of its bundle has gone up.
func (s *Station) activation(id string) (client.Activation, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.activations[id]
	if !ok {
		return client.Activation{}, false
	}
	out := *a
	for _, t := range s.cfg.Files.Transfers() {
		if t.ID == a.Transfer {
			out.Done, out.Size = t.Done, t.Size
		}
	}
	return out, true
}

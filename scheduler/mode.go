package scheduler

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/initproto"
	"github.com/perilune/perilune/missions/grant"
)

const (
	bucketMode = "mode"
	keyMode    = "safe"
)

// mode is normal or safe. Init says which at the start; a telecommand that changes it
// outlives a restart.
type mode struct {
	f     *flight
	cause string // of safe mode at the start

	mu  sync.Mutex
	now uint8
}

// newMode finds the mode to start in; cause says what else asks for safe mode.
func newMode(f *flight, cause string) *mode {
	m := &mode{f: f, cause: cause}
	if w := f.init.welcome; m.cause == "" && w.Mode == initproto.Safe {
		if m.cause = w.Cause; m.cause == "" {
			m.cause = "by init"
		}
	}
	if kept := ""; m.cause == "" && f.records.Get(bucketMode, keyMode, &kept) == nil {
		m.cause = kept
	}
	if m.cause != "" {
		m.now = pus.ModeSafe
		m.forgetAutostart()
	}
	return m
}

// Mode is pus.ModeNormal or pus.ModeSafe.
func (m *mode) Mode() uint8 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Enter ends all guests and the bus's store, and stays safe over restarts.
func (m *mode) Enter(ctx context.Context, cause string) error {
	m.mu.Lock()
	was := m.now
	m.now = pus.ModeSafe
	m.mu.Unlock()
	if was == pus.ModeSafe {
		return &pus.Refusal{Code: pus.FailureNotNow, Text: "the craft is in safe mode"}
	}
	if err := m.f.records.Put(bucketMode, keyMode, cause); err != nil {
		m.f.cfg.Log.Error("safe mode will not outlive a restart", "err", err)
	}
	m.f.services.Event(pus.EventHigh, pus.EventSafeEntered, cause)
	m.f.guests.Close("safe mode")
	m.forgetAutostart()
	return errors.Join(m.f.guests.StopAll(ctx), m.f.bus.DropStore())
}

// Leave asks init to start flight again, in normal mode.
func (m *mode) Leave(context.Context) error {
	if m.Mode() != pus.ModeSafe {
		return &pus.Refusal{Code: pus.FailureNotNow, Text: "the craft is not in safe mode"}
	}
	if err := m.f.records.Delete(bucketMode, keyMode); err != nil {
		return err
	}
	if m.f.damaged != "" {
		// Who leaves safe mode after damage knows what is lost with the records: schedule,
		// replay floors, active missions. They are put aside, not thrown away.
		if err := os.Rename(m.f.damaged, m.f.damaged+".damaged"); err != nil {
			return err
		}
		m.f.services.Event(pus.EventMedium, pus.EventSafeLeft, "damaged records are put aside; replay floors begin anew")
	}
	m.f.services.Event(pus.EventInfo, pus.EventSafeLeft, "flight starts again")
	return m.f.init.safeLeave()
}

// forgetAutostart lets missions start by themselves again once the mode is normal.
func (m *mode) forgetAutostart() {
	for _, t := range m.f.cfg.Craft.Tenants {
		for _, name := range t.Autostart {
			if err := m.f.records.Delete(bucketAutostart, t.Name+"/"+name); err != nil {
				m.f.cfg.Log.Error("autostart", "err", err)
			}
		}
	}
}

// Activate verifies the bundle of that name among the incoming files against the order
// in another, and makes it active.
func (f *flight) Activate(_ context.Context, bundle, order string) (string, error) {
	if f.store == nil {
		return "", &pus.Refusal{Code: pus.FailureNotNow, Text: "no mission store"}
	}
	for _, name := range []string{bundle, order} {
		if !filepath.IsLocal(name) {
			return "", &pus.Refusal{Code: pus.FailureBadData, Text: fmt.Sprintf("file name %q", name)}
		}
	}
	token, err := readToken(f.cfg.path("incoming", order))
	if err != nil {
		return "", &pus.Refusal{Code: pus.FailureUnknownName, Text: err.Error(), Err: err}
	}
	file := f.cfg.path("incoming", bundle)
	if _, err := os.Stat(file); err != nil {
		return "", &pus.Refusal{Code: pus.FailureUnknownName, Text: fmt.Sprintf("no bundle %s among the incoming files: upload it", bundle), Err: err}
	}
	in, err := f.store.Activate(file, token)
	if err != nil {
		return "", err
	}
	// What is active has been unpacked, and the order cannot be used again.
	for _, name := range []string{bundle, order} {
		if err := os.Remove(f.cfg.path("incoming", name)); err != nil {
			f.cfg.Log.Error("incoming file stays", "err", err)
		}
	}
	return fmt.Sprintf("%v %s %s", in.Guest(), in.Version, in.Digest), nil
}

func readToken(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, grant.MaxToken+1))
	if err != nil {
		return "", err
	}
	if len(b) > grant.MaxToken {
		return "", fmt.Errorf("order of more than %d octets", grant.MaxToken)
	}
	return string(b), nil
}

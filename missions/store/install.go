package store

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/internal/syncfile"
	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/missions/bundle"
	"github.com/perilune/perilune/missions/grant"
)

// Activate verifies the bundle in the file at bundlePath against trust, grant and
// order, and makes it the active version of its mission. A broken rule is a
// *missions.RuleError and changes nothing. The order's number and the mission are on
// stable storage before Activate returns.
func (s *Store) Activate(bundlePath, orderToken string) (*Installed, error) {
	return s.install(bundlePath, func(b *bundle.Bundle) (uint64, error) {
		used, err := s.used()
		if err != nil {
			return 0, err
		}
		o, err := s.trust.VerifyOrder(orderToken, b.Digest.String(), used, s.now)
		if err != nil {
			return 0, err
		}
		return o.Sequence, s.isLatest(o, b.Mission)
	})
}

// Preinstall makes the bundles in the folder dir active, which is part of the craft's
// signed image: the image stands for the order. One that does not hold is returned in
// errs and the others are installed.
func (s *Store) Preinstall(dir string) (errs []error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.tar"))
	if err != nil {
		return []error{err}
	}
	for _, f := range files {
		if _, err := s.install(f, nil); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", filepath.Base(f), err))
		}
	}
	return errs
}

// install verifies and activates. order returns the sequence of the order that allows
// it; nil says that the bundle is part of the image.
func (s *Store) install(file string, order func(*bundle.Bundle) (uint64, error)) (*Installed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := bundle.Open(file, s.limits)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	g, err := s.authorise(b, order == nil)
	if err != nil {
		return nil, err
	}
	guest := ids.Guest{Tenant: b.Mission.Tenant, Mission: b.Mission.Name}
	if have := s.active[guest]; have != nil && order == nil && (!have.Image || have.Digest == b.Digest.String()) {
		return have, nil // what was ordered from the ground stays ahead of the image's version
	}
	stage := s.path("staging", b.Digest.Encoded()[:12])
	if err := os.RemoveAll(stage); err != nil {
		return nil, err
	}
	defer os.RemoveAll(stage)
	if err := b.Extract(stage, s.arch); err != nil {
		return nil, err
	}
	if _, err := check(stage, s.arch, b.Mission); err != nil {
		return nil, err
	}
	var sequence uint64
	if order != nil {
		if sequence, err = order(b); err != nil {
			return nil, err
		}
	}
	return s.commit(b, g, stage, sequence)
}

// authorise checks grant, signature and quota.
func (s *Store) authorise(b *bundle.Bundle, image bool) (grant.Grant, error) {
	g, err := s.trust.Grant(b.Mission.Tenant, s.now, image)
	if err != nil {
		return g, err
	}
	signed, err := s.trust.VerifyBundle(b.Signature, b.Digest.String(), g)
	var others int64
	for _, in := range s.active {
		if in.Tenant == b.Mission.Tenant && in.Name != b.Mission.Name {
			others += in.size
		}
	}
	switch {
	case err != nil:
		return g, err
	case signed.Mission != b.Mission.Name || signed.Version != b.Mission.Version:
		return g, missions.Rulef(missions.RuleSignature, "signed as %s %s, mission.toml says %s %s", signed.Mission, signed.Version, b.Mission.Name, b.Mission.Version)
	case b.Mission.Guest.Memory > g.Quota.MemoryMiB:
		return g, missions.Rulef(missions.RuleQuota, "the guest wants %d MiB, the grant gives %d", b.Mission.Guest.Memory, g.Quota.MemoryMiB)
	case b.Mission.Guest.VCPUs > g.Quota.Processors():
		return g, missions.Rulef(missions.RuleVCPUs, "the guest wants %d vCPUs, the grant gives %d", b.Mission.Guest.VCPUs, g.Quota.Processors())
	case len(b.Mission.Channel) > g.Quota.Links():
		return g, missions.Rulef(missions.RuleChannels, "the mission has %d channels, the grant gives %s %d: name fewer in mission.toml, or ask the operator for a grant with more",
			len(b.Mission.Channel), g.Tenant, g.Quota.Links())
	case b.Unpacked()+others > int64(g.Quota.StorageMiB)<<20:
		return g, missions.Rulef(missions.RuleQuota, "unpacked it is %d octets, the tenant's other missions have %d, the grant gives %d MiB",
			b.Unpacked(), others, g.Quota.StorageMiB)
	case len(b.Mission.Net) > 0:
		return g, missions.Rulef(missions.RuleQuota, "the mission wants a network, the grant gives none")
	}
	return g, nil
}

// commit moves the staged files into place and writes the authority: first the order's
// number, so that a crash between the two refuses a replay rather than allowing it.
func (s *Store) commit(b *bundle.Bundle, g grant.Grant, stage string, sequence uint64) (*Installed, error) {
	r := record{Tenant: b.Mission.Tenant, Name: b.Mission.Name, Version: b.Mission.Version, Digest: b.Digest.String()}
	r.Image, r.Order = sequence == 0, sequence
	r.Dir = path.Join("active", r.Tenant, r.Name, b.Digest.Encoded()[:12])
	dir := s.path(filepath.FromSlash(r.Dir))
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, err
	}
	if err := moveIn(stage, dir); err != nil {
		return nil, err
	}
	// The way down to the folder must last as well: each of its parents may be new.
	if err := errors.Join(syncfile.Dir(filepath.Dir(dir)), syncfile.Dir(s.path("active", r.Tenant)), syncfile.Dir(s.path("active"))); err != nil {
		return nil, err
	}
	if sequence != 0 {
		if err := s.use(sequence); err != nil {
			return nil, err
		}
	}
	guest := ids.Guest{Tenant: r.Tenant, Mission: r.Name}
	if err := s.db.Put(bucketActive, guest.String(), r); err != nil {
		return nil, err
	}
	old := s.active[guest]
	in, err := s.load(r)
	if err != nil {
		return nil, err
	}
	in.Grant = g
	s.active[guest] = in
	if old != nil && old.Digest != in.Digest {
		// A running guest keeps its open files; the next start takes the new version.
		if err := os.RemoveAll(filepath.Dir(old.Kernel)); err != nil {
			s.log.Error("old version stays on disk until the next start", "mission", guest, "err", err)
		}
	}
	return in, nil
}

// moveIn puts stage in the place of dir. A folder that is there already, because the
// same bundle is active, is exchanged for it in one step: at no moment is there none.
func moveIn(stage, dir string) error {
	if _, err := os.Lstat(dir); errors.Is(err, os.ErrNotExist) {
		return os.Rename(stage, dir)
	}
	if err := unix.Renameat2(unix.AT_FDCWD, stage, unix.AT_FDCWD, dir, unix.RENAME_EXCHANGE); err != nil {
		return fmt.Errorf("exchange %s: %w", dir, err)
	}
	return nil
}

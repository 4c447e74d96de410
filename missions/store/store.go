// Package store keeps the missions of a craft: what is staged is verified, what is
// verified and ordered becomes active, and what is active survives a reset.
//
// On disk, below the store's folder:
//
//	staging/                      unpacked and not yet believed; emptied on start
//	active/<tenant>/<mission>/<first 12 digits of the digest>/{mission.toml,kernel,blobs/}
package store

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/perilune/perilune/internal/durable"
	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/missions/bundle"
	"github.com/perilune/perilune/missions/grant"
)

// Buckets and keys of the durable records.
const (
	bucketActive = "missions"
	bucketOrders = "orders"
	keySequence  = "last" // highest number of an order: all that programs from before keyUsed know
	keyUsed      = "used" // numbers of orders, grant.Used
)

// Installed is an active mission.
type Installed struct {
	Tenant, Name, Version string
	Digest                string
	Grant                 grant.Grant
	Mission               *missions.Mission
	Kernel                string            // path of the program
	Blobs                 map[string]string // device content's file name → path
	Image                 bool              // part of the craft's image, not sent up

	size int64 // octets of the program and the devices' contents
}

// Guest is the mission's name on board.
func (i *Installed) Guest() ids.Guest { return ids.Guest{Tenant: i.Tenant, Mission: i.Name} }

// record is what is kept of an active mission; the rest is read from its folder.
type record struct {
	Tenant, Name, Version, Digest, Dir string
	Image                              bool   // part of the craft's image
	Order                              uint64 `json:",omitempty"` // number of the order that made it active
}

// Store is safe for concurrent use.
type Store struct {
	dir    string
	trust  *grant.Trust
	db     *durable.DB
	now    grant.Now
	limits bundle.Limits
	arch   string
	log    *slog.Logger

	mu      sync.Mutex
	active  map[ids.Guest]*Installed
	leftOut []error
}

// Open reads the active missions below dir. A mission whose files are damaged is left
// out and logged; the others fly.
func Open(dir string, trust *grant.Trust, db *durable.DB, now grant.Now, log *slog.Logger) (*Store, error) {
	s := &Store{dir: dir, trust: trust, db: db, now: now, limits: bundle.DefaultLimits(),
		arch: runtime.GOARCH, log: log, active: map[ids.Guest]*Installed{}}
	if err := os.RemoveAll(s.path("staging")); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	for _, d := range []string{"staging", "active"} {
		if err := os.MkdirAll(s.path(d), 0o755); err != nil {
			return nil, fmt.Errorf("open store: %w", err)
		}
	}
	var used []string
	err := db.Each(bucketActive, func(key string, read func(any) error) error {
		var r record
		err := read(&r)
		var in *Installed
		if err == nil {
			used = append(used, r.Dir)
			in, err = s.load(r)
		} else {
			used = append(used, path.Join("active", key)) // all versions: nobody knows which one it was
		}
		if err != nil {
			log.Error("mission left out", "mission", key, "err", err)
			s.leftOut = append(s.leftOut, fmt.Errorf("%s: %w", key, err))
			return nil
		}
		s.active[in.Guest()] = in
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if err := s.sweep(used); err != nil {
		log.Error("old missions stay on disk", "err", err)
	}
	return s, nil
}

// LeftOut says which missions Open could not load, and why.
func (s *Store) LeftOut() []error { return s.leftOut }

// sweep removes the versions that no record names: a crash in the middle of an
// activation leaves such, either the new one or the one before. used are folders that
// stay, with all that is below them.
func (s *Store) sweep(used []string) error {
	all, err := filepath.Glob(s.path("active", "*", "*", "*"))
	if err != nil {
		return err
	}
	for _, dir := range all {
		keep := func(u string) bool {
			u = s.path(filepath.FromSlash(u))
			return dir == u || strings.HasPrefix(dir, u+string(filepath.Separator))
		}
		if !slices.ContainsFunc(used, keep) {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}
	return err
}

func (s *Store) path(elem ...string) string {
	return filepath.Join(append([]string{s.dir}, elem...)...)
}

// Get returns the active mission g, or nil.
func (s *Store) Get(g ids.Guest) *Installed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.active[g]
}

// List returns the active missions in the order of their names.
func (s *Store) List() []*Installed {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*Installed, 0, len(s.active))
	for _, in := range s.active {
		out = append(out, in)
	}
	slices.SortFunc(out, func(a, b *Installed) int {
		return strings.Compare(a.Guest().String(), b.Guest().String())
	})
	return out
}

// load reads an active mission from its folder.
func (s *Store) load(r record) (*Installed, error) {
	dir := s.path(filepath.FromSlash(r.Dir))
	data, err := os.ReadFile(filepath.Join(dir, "mission.toml"))
	if err != nil {
		return nil, err
	}
	m, err := missions.Parse(data, "mission.toml")
	if err != nil {
		return nil, err
	}
	if m.Tenant != r.Tenant || m.Name != r.Name {
		return nil, fmt.Errorf("mission.toml is of %s/%s, the record of %s/%s", m.Tenant, m.Name, r.Tenant, r.Name)
	}
	g, err := s.trust.Grant(r.Tenant, s.now, true)
	if err != nil {
		return nil, err
	}
	in := &Installed{Tenant: r.Tenant, Name: r.Name, Version: r.Version, Digest: r.Digest, Grant: g, Mission: m,
		Image: r.Image, Kernel: filepath.Join(dir, "kernel"), Blobs: map[string]string{}}
	if in.size, err = check(dir, s.arch, m); err != nil {
		return nil, err
	}
	for _, b := range m.Block {
		name := path.Base(b.File)
		in.Blobs[name] = filepath.Join(dir, "blobs", name)
	}
	return in, nil
}

package tenant

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/internal/syncfile"
)

// Bounds of products beside their octets. Each costs an event, a transfer and syncs of the
// disk, all of which others need too: a guest that ends more of them waits in its own queue.
const (
	productPause = 500 * time.Millisecond // between two, after productBurst at once
	productBurst = 16
	leastOctets  = 4096 // of storage that a file takes, an empty one too
)

// partPrefix marks a product that is not complete. No product's name can begin so.
const partPrefix = "~"

// product is a file that a guest is handing over.
type product struct {
	name string
	f    *os.File
	size uint64
	sum  hash.Hash
}

func (in *inbox) dir() string {
	return filepath.Join(in.m.cfg.Products, in.g.id.Tenant, in.g.id.Mission)
}

func (in *inbox) part(name string) string { return filepath.Join(in.dir(), partPrefix+name) }

// begin opens a product; one that is open is given up.
func (in *inbox) begin(name string) error {
	in.drop()
	if !hvt.ValidProductName(name) {
		return fmt.Errorf("%w: product name %q", errDatagram, clip(name))
	}
	if err := os.MkdirAll(in.dir(), 0o755); err != nil {
		return fmt.Errorf("product %s: %w", name, err)
	}
	if err := in.m.measure(in.g.id.Tenant); err != nil {
		return fmt.Errorf("product %s: %w", name, err)
	}
	if !in.m.take(in.g.id.Tenant, leastOctets, in.g.tenant.StorageMiB) {
		return fmt.Errorf("grant.quota: product %s: the tenant's %d MiB of storage are full", name, in.g.tenant.StorageMiB)
	}
	f, err := os.OpenFile(in.part(name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return fmt.Errorf("product %s: %w", name, err)
	}
	in.product = &product{name: name, f: f, sum: sha256.New()}
	return nil
}

// write appends to the open product, as far as the tenant's storage goes.
func (in *inbox) write(b []byte) error {
	p := in.product
	if p == nil {
		return fmt.Errorf("%w: product data without a product", errDatagram)
	}
	if !in.m.take(in.g.id.Tenant, len(b), in.g.tenant.StorageMiB) {
		in.drop()
		return fmt.Errorf("grant.quota: product %s: the tenant's %d MiB of storage are full", p.name, in.g.tenant.StorageMiB)
	}
	n, err := p.f.Write(b)
	p.sum.Write(b[:n])
	p.size += uint64(n)
	if err != nil {
		in.drop()
		return fmt.Errorf("product %s: %w", p.name, err)
	}
	return nil
}

// finish makes the product durable, gives it its name and tells who sends it.
func (in *inbox) finish(total uint64) error {
	p := in.product
	if p == nil {
		return fmt.Errorf("%w: product end without a product", errDatagram)
	}
	if p.size != total {
		in.drop()
		return fmt.Errorf("product %s: %d octets came, the guest says %d", p.name, p.size, total)
	}
	in.product = nil
	in.pace()
	name, err := in.commit(p)
	if err != nil {
		return fmt.Errorf("product %s: %w", p.name, errors.Join(err, os.Remove(in.part(p.name))))
	}
	done := Product{Guest: in.g.id, Name: name, Size: p.size, Digest: in.g.digest, Bundle: in.g.bundle}
	p.sum.Sum(done.SHA256[:0])
	in.m.cfg.Event(pus.EventInfo, pus.EventProductComplete, fmt.Sprintf("%s, %d octets, sha256:%x", name, p.size, done.SHA256))
	in.m.cfg.Done(done)
	return nil
}

// pace waits until one more product may end.
func (in *inbox) pace() {
	now := in.m.cfg.Clock.Now()
	if idle := now.Add(-productBurst * productPause); in.paced.Before(idle) {
		in.paced = idle
	}
	in.paced = in.paced.Add(productPause)
	_ = clock.Sleep(in.m.life, in.m.cfg.Clock, in.paced.Sub(now)) // or this program ends
}

// commit returns the product's name relative to the folder of products. A product of
// the same name that the ground does not have yet keeps its name.
func (in *inbox) commit(p *product) (string, error) {
	if err := errors.Join(p.f.Sync(), p.f.Close()); err != nil {
		return "", err
	}
	name := p.name
	for n := 2; ; n++ {
		_, err := os.Lstat(filepath.Join(in.dir(), name))
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return "", err
		}
		name = fmt.Sprintf("%s.%d", p.name, n)
	}
	if err := os.Rename(in.part(p.name), filepath.Join(in.dir(), name)); err != nil {
		return "", err
	}
	if err := syncfile.Dir(in.dir()); err != nil {
		return "", err
	}
	return path.Join(in.g.id.Tenant, in.g.id.Mission, name), nil
}

// drop gives up the open product.
func (in *inbox) drop() {
	if p := in.product; p != nil {
		_ = p.f.Close()
		_ = os.Remove(in.part(p.name)) // measured again at the next begin
		in.product = nil
	}
}

// end closes the open product: a guest that is over will not finish it, but one that
// outlives this program may, with the next, and one that is saved, when it goes on.
func (in *inbox) end() {
	if p := in.product; p != nil && in.m.goesOn(in.g) {
		_ = p.f.Close()
		return
	}
	in.drop()
}

// resume goes on with the product that was open when an earlier program ended or the
// guest was saved, and removes what a guest that is no more has left.
func (in *inbox) resume() {
	parts, _ := filepath.Glob(filepath.Join(in.dir(), partPrefix+"*")) // the pattern is good
	for i, part := range parts {
		if i == 0 && (in.g.adopted || in.g.resumed) {
			if p, err := reopen(part, strings.TrimPrefix(filepath.Base(part), partPrefix)); err == nil {
				in.product = p
				continue
			}
		}
		_ = os.Remove(part)
	}
	if err := in.m.measure(in.g.id.Tenant); err != nil {
		in.m.cfg.Log.Error("storage of products", "tenant", in.g.id.Tenant, "err", err)
	}
}

func reopen(part, name string) (*product, error) {
	f, err := os.OpenFile(part, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	p := &product{name: name, f: f, sum: sha256.New()}
	n, err := io.Copy(p.sum, f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	p.size = uint64(n)
	return p, nil
}

// measure counts the octets of a tenant's products and snapshots on disk, of each file at
// least leastOctets.
func (m *Manager) measure(tenant string) error {
	var n int64
	count := func(_ string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // sent and removed meanwhile
		}
		if err != nil || d.IsDir() {
			return err
		}
		if info, err := d.Info(); err == nil {
			n += max(info.Size(), leastOctets)
		}
		return nil
	}
	err := errors.Join(filepath.WalkDir(filepath.Join(m.cfg.Products, tenant), count),
		filepath.WalkDir(filepath.Join(m.cfg.Snapshots, tenant), count))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used[tenant] = n
	return err
}

// take counts n more octets of a tenant's, if its storage of so many MiB has room.
func (m *Manager) take(tenant string, n, mib int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.used[tenant]+int64(n) > int64(mib)<<20 {
		return false
	}
	m.used[tenant] += int64(n)
	return true
}

func clip(s string) string { return s[:min(len(s), 80)] }

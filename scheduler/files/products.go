package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/ccsds/pus"
)

// Bounds of products on their way. What is above them stays on disk and follows: no tenant
// keeps another from sending, nor the ground from being answered, by making many.
const (
	maxProducts = 48  // with a transaction; an entity has 64
	maxWaiting  = 256 // of a tenant, known by name; others are looked for when these have gone
)

// product waits for a transaction.
type product struct {
	name  string
	notes [][]byte
}

// tenantOf is whose product it is: its first folder's.
func tenantOf(name string) string {
	tenant, _, _ := strings.Cut(name, "/")
	return tenant
}

// Put sends the product file name to the ground, with notes for its user, now or when those
// before it have gone.
func (f *Files) Put(name string, notes [][]byte) error {
	f.mu.Lock()
	defer f.unlock()
	p, now := product{name, notes}, f.underWay()
	if now.names[name] || slices.ContainsFunc(f.waiting, func(o product) bool { return o.name == name }) {
		return nil
	}
	err := cfdp.ErrFull
	if len(now.names) < maxProducts {
		err = f.begin(p)
	}
	if errors.Is(err, cfdp.ErrFull) {
		f.wait(p)
		return nil
	}
	return err
}

func (f *Files) begin(p product) error {
	_, err := f.entity.Put(f.cfg.Clock.Now(), cfdp.Put{
		Dest: EntityGround, Source: p.name, DestName: p.name, Class: 2, Messages: p.notes,
	})
	if err == nil {
		f.notes[p.name] = p.notes
	}
	return err
}

// ended keeps a product that the ground did not take for the next contact, unless it was told to
// end it: then, and beyond maxWaiting, it stays on disk until the next start. f.mu is held.
func (f *Files) ended(i cfdp.Info) {
	notes := f.notes[i.Name]
	delete(f.notes, i.Name)
	if i.Condition != cfdp.NoError && i.Condition != cfdp.CancelReceived && len(f.failed) < maxWaiting {
		f.failed = append(f.failed, product{i.Name, notes})
	}
}

// wait keeps a product, or that its tenant has more. f.mu is held.
func (f *Files) wait(p product) {
	n := 0
	for _, o := range f.waiting {
		if tenantOf(o.name) == tenantOf(p.name) {
			n++
		}
	}
	if n >= maxWaiting {
		f.left[tenantOf(p.name)] = true
		return
	}
	f.waiting = append(f.waiting, p)
}

// underWay is what has a transaction: products, and how many of each tenant.
type underWay struct {
	names map[string]bool
	of    map[string]int
}

// underWay needs f.mu.
func (f *Files) underWay() underWay {
	u := underWay{map[string]bool{}, map[string]int{}}
	for _, t := range f.entity.Transactions() {
		if t.Source && !t.Served {
			u.names[t.Name] = true
			u.of[tenantOf(t.Name)]++
		}
	}
	return u
}

// sendMore begins transactions of products that wait, of the tenants that have the fewest first.
func (f *Files) sendMore() {
	f.mu.Lock()
	for len(f.waiting) > 0 {
		now := f.underWay()
		if len(now.names) >= maxProducts {
			break
		}
		next := 0
		for i, p := range f.waiting {
			if now.of[tenantOf(p.name)] < now.of[tenantOf(f.waiting[next].name)] {
				next = i
			}
		}
		p := f.waiting[next]
		err := f.begin(p)
		if errors.Is(err, cfdp.ErrFull) {
			break
		}
		f.waiting = slices.Delete(f.waiting, next, next+1)
		if err != nil {
			f.cfg.Log.Error("product left on disk", "name", p.name, "err", err)
		}
	}
	again := f.noneLeft()
	f.unlock()
	if again {
		if err := f.offerLeft(); err != nil {
			f.cfg.Log.Error("products left on disk", "err", err)
		}
	}
}

// noneLeft says whether a tenant that has more on disk has none waiting. f.mu is held.
func (f *Files) noneLeft() bool {
	for t := range f.left {
		if !slices.ContainsFunc(f.waiting, func(p product) bool { return tenantOf(p.name) == t }) {
			clear(f.left)
			return true
		}
	}
	return false
}

// offerLeft puts the products that are on disk without a transaction.
func (f *Files) offerLeft() error {
	return filepath.WalkDir(f.cfg.Products, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(f.cfg.Products, path)
		hidden := strings.HasPrefix(d.Name(), "~") || d.Name() == ".cfdp-part" // not complete
		switch {
		case err != nil:
			return err
		case d.IsDir() && hidden:
			return fs.SkipDir
		case !d.Type().IsRegular() || hidden:
			return nil
		}
		if err := f.Put(name, nil); err != nil {
			f.cfg.Log.Error("product left on disk", "name", name, "err", err)
		}
		return nil
	})
}

func (f *Files) sent(i cfdp.Info) {
	f.publish(i, "finished", "")
	// The name came from Put, which took it from inside the folder.
	if err := os.Remove(filepath.Join(f.cfg.Products, filepath.FromSlash(i.Name))); err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.cfg.Log.Error("sent product stays on disk", "name", i.Name, "err", err)
	}
	f.cfg.Event(pus.EventInfo, pus.EventProductSent, fmt.Sprintf("%s, %d octets", i.Name, i.Size))
}

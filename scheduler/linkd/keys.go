package linkd

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/internal/durable"
)

// keptKeys is the record of keys and associations: one, so that they change together.
type keptKeys struct {
	Keys         []sdls.Key
	Associations []keptAssociation
	Deleted      []uint16 // associations of the image that are gone
}

// keptAssociation is what procedures change of an association. The rest is the profile's, but
// for one that was created: that is Made.
type keptAssociation struct {
	SPI, Key uint16
	State    sdls.State
	Last     byte
	ARSN     uint64
	Order    uint64
	Window   int
	VCs      []ccsds.VCID
	Made     *made `json:",omitempty"`
}

// made is what a created association is, beside its channels and its window.
type made struct {
	Sends     bool
	Service   sdls.Service
	Algorithm sdls.Algorithm
	Layout    sdls.Layout
	Mask      []byte
}

func keep(r sdls.Record) keptAssociation {
	k := keptAssociation{SPI: r.SA.SPI, Key: r.KeyID, State: r.State, Last: r.Last, ARSN: r.ARSN, Order: r.Order, Window: r.SA.Window, VCs: r.SA.VCs}
	if r.Created {
		k.Made = &made{r.Sends, r.SA.Service, r.SA.Algorithm, r.SA.Layout, r.SA.Mask}
	}
	return k
}

// over puts what was kept in the place of what the image says of the association.
func (k keptAssociation) over(r sdls.Record) sdls.Record {
	if m := k.Made; m != nil {
		r = sdls.Record{Created: true, Sends: m.Sends}
		r.SA = sdls.SA{SPI: k.SPI, Service: m.Service, Algorithm: m.Algorithm, Layout: m.Layout, Mask: m.Mask}
	}
	r.KeyID, r.State, r.Last, r.ARSN, r.Order, r.SA.Window, r.SA.VCs = k.Key, k.State, k.Last, k.ARSN, k.Order, k.Window, k.VCs
	return r
}

const (
	bucketKeys = "sdls-keys"
	keyKeys    = "uplink"
)

// nonce is a vector for a proof: the craft has no counter that outlives its records.
func nonce() (iv [12]byte, err error) {
	_, err = rand.Read(iv[:])
	return iv, err
}

// manage lets the ground change keys, beginning with those of the last change.
func (l *Link) manage() error {
	p := l.cfg.Profile
	keys, records := p.FirstKeys(*l.cfg.Master), p.FirstRecords()
	var kept keptKeys
	err := l.cfg.Keys.Get(bucketKeys, keyKeys, &kept)
	switch {
	case err == nil:
		keys, records = kept.over(keys, records)
	case !errors.Is(err, durable.ErrNotFound):
		return fmt.Errorf("link keys: %w", err)
	}
	return l.space.Manage(keys, records, nonce)
}

// over puts what was kept in the place of what the image says. Keys of the image serve only
// associations that the image has and the record does not; its master key always.
func (k keptKeys) over(keys []sdls.Key, records []sdls.Record) ([]sdls.Key, []sdls.Record) {
	image := map[uint16]sdls.Record{}
	for _, r := range records {
		image[r.SA.SPI] = r
	}
	outKeys := keys[:1:1]
	for _, key := range k.Keys {
		if !key.Master {
			outKeys = append(outKeys, key)
		}
	}
	var out []sdls.Record
	for _, a := range k.Associations {
		r, ok := image[a.SPI]
		if ok || a.Made != nil {
			out = append(out, a.over(r))
		}
		delete(image, a.SPI)
	}
	for _, r := range records {
		if _, fresh := image[r.SA.SPI]; !fresh || slices.Contains(k.Deleted, r.SA.SPI) {
			continue
		}
		out = append(out, r)
		for _, key := range keys {
			if key.ID == r.KeyID && r.State == sdls.Operational {
				outKeys = append(outKeys, key)
			}
		}
	}
	return outKeys, out
}

// Procedure carries out an extended procedure of data link security. What it changed is
// durable when it returns, and so is what the security log says of it; if that fails nothing
// has changed, but that the log may be ahead of its file for a while. Until then nothing that
// comes up is taken; the downlink goes on.
func (l *Link) Procedure(command []byte) (reply []byte, err error) {
	l.file.Lock()
	defer l.file.Unlock()
	l.up.Lock()
	defer l.up.Unlock()
	l.mu.Lock()
	log := l.space.SecurityLog()
	before := log.Events()
	reply, err = l.space.Procedure(command)
	erased := len(log.Events()) < len(before)
	kept := l.keptKeys()
	l.mu.Unlock()
	if err == nil {
		err = l.saveKeys(kept)
	}
	restore := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		log.Restore(before)
	}
	if erased && err != nil {
		restore()
	}
	if e := l.saveLog(); e != nil && erased {
		restore()
		err = errors.Join(err, e)
	}
	if err != nil {
		return nil, err
	}
	return reply, nil
}

// keptKeys is the record of keys and associations as they are now. The lock is held.
func (l *Link) keptKeys() keptKeys {
	keys, records := l.space.Managed()
	kept := keptKeys{Keys: keys}
	for _, r := range records {
		kept.Associations = append(kept.Associations, keep(r))
	}
	for _, r := range l.cfg.Profile.FirstRecords() {
		if !slices.ContainsFunc(records, func(o sdls.Record) bool { return o.SA.SPI == r.SA.SPI }) {
			kept.Deleted = append(kept.Deleted, r.SA.SPI)
		}
	}
	return kept
}

// saveKeys makes keys and associations durable, or takes back what has changed of them.
func (l *Link) saveKeys(kept keptKeys) error {
	err := l.cfg.Keys.Put(bucketKeys, keyKeys, kept)
	if err == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(fmt.Errorf("link keys: %w", err), l.manage())
}

package linkd

import (
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/internal/durable"
)

// keptKeys is the record of keys and associations: one, so that they change together.
type keptKeys struct {
	Keys         []sdls.Key
	Associations []keptAssociation
}

// keptAssociation is what procedures change of an association. The rest is the profile's.
type keptAssociation struct {
	SPI, Key uint16
	State    sdls.State
	Last     byte
	ARSN     uint64
	Window   int
	VCs      []ccsds.VCID
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
	kept := map[uint16]keptAssociation{}
	for _, a := range k.Associations {
		kept[a.SPI] = a
	}
	out := keys[:1:1]
	for _, key := range k.Keys {
		if !key.Master {
			out = append(out, key)
		}
	}
	for i, r := range records {
		a, ok := kept[r.SA.SPI]
		if !ok {
			for _, key := range keys {
				if key.ID == r.KeyID && r.State == sdls.Operational {
					out = append(out, key)
				}
			}
			continue
		}
		r.KeyID, r.State, r.Last, r.ARSN, r.SA.Window, r.SA.VCs = a.Key, a.State, a.Last, a.ARSN, a.Window, a.VCs
		records[i] = r
	}
	return out, records
}

// Procedure carries out an extended procedure of data link security. What it changed is
// durable when it returns; if that fails nothing has changed.
func (l *Link) Procedure(command []byte) (reply []byte, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if reply, err = l.space.Procedure(command); err != nil {
		return nil, err
	}
	keys, records := l.space.Managed()
	kept := keptKeys{Keys: keys}
	for _, r := range records {
		kept.Associations = append(kept.Associations, keptAssociation{
			r.SA.SPI, r.KeyID, r.State, r.Last, r.ARSN, r.SA.Window, r.SA.VCs})
	}
	if err := l.cfg.Keys.Put(bucketKeys, keyKeys, kept); err != nil {
		return nil, errors.Join(fmt.Errorf("link keys: %w", err), l.manage())
	}
	return reply, nil
}

package store

import (
	"errors"

	"github.com/perilune/perilune/internal/durable"
	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/missions/grant"
)

// used reads the numbers of the orders that were carried out. A program from before there were such
// records took rising numbers alone: what it carried out last, and all below, is used.
func (s *Store) used() (u grant.Used, err error) {
	var last uint64
	for key, v := range map[string]any{keyUsed: &u, keySequence: &last} {
		if err := s.db.Get(bucketOrders, key, v); err != nil && !errors.Is(err, durable.ErrNotFound) {
			return u, err
		}
	}
	if last > u.Last {
		u = grant.UsedUpTo(last)
	}
	return u, nil
}

// use puts the number of an order on record. The highest is kept by itself too, for the sake of an older
// image that the craft may fall back to: that one then takes no order twice either.
func (s *Store) use(n uint64) error {
	u, err := s.used()
	if err != nil {
		return err
	}
	u = u.Add(n)
	if err := s.db.Put(bucketOrders, keyUsed, u); err != nil {
		return err
	}
	return s.db.Put(bucketOrders, keySequence, u.Last)
}

// isLatest refuses an order that would put an older version in the place of one which a later
// order has made active, be its files damaged now or not.
func (s *Store) isLatest(o grant.Order, m *missions.Mission) error {
	var r record
	guest := ids.Guest{Tenant: m.Tenant, Mission: m.Name}
	err := s.db.Get(bucketActive, guest.String(), &r)
	if err == nil && o.Sequence < r.Order {
		return missions.Rulef(missions.RuleLater, "order %d for %v %s, but order %d has made %s active since: to go back, sign a new order: 'perilune mission activate'",
			o.Sequence, guest, m.Version, r.Order, r.Version)
	}
	return nil
}

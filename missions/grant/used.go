package grant

import (
	"github.com/perilune/perilune/missions"
)

// OrderWindow is how far the number of an order may be behind the highest that was carried out:
// orders that are signed at the same time come on board in any order, each by a file transfer of its own.
const OrderWindow = 64

// Used are the numbers of the flight orders that a craft has carried out: one number, one order,
// whichever of the controls signed it. The zero value says none.
type Used struct {
	Last uint64 `json:"last"` // the highest
	Seen uint64 `json:"seen"` // bit i: Last - i
}

// UsedUpTo says that all numbers up to last are used.
func UsedUpTo(last uint64) Used {
	if last == 0 {
		return Used{}
	}
	return Used{Last: last, Seen: ^uint64(0)}
}

// Check says whether an order of number n may be carried out; if not it is a *missions.RuleError.
func (u Used) Check(n uint64) error {
	const again = "; to activate the bundle all the same, sign a new order: 'perilune mission activate'"
	switch {
	case n == 0:
		return missions.Rulef(missions.RuleSequence, "order 0: numbers begin with 1"+again)
	case n > u.Last:
		return nil
	case u.Last-n >= OrderWindow:
		return missions.Rulef(missions.RuleSequence, "order %d, the last one carried out was %d, and whether one so much older was is not known any more"+again, n, u.Last)
	case u.Seen>>(u.Last-n)&1 != 0:
		return missions.Rulef(missions.RuleSequence, "order %d was carried out before"+again, n)
	}
	return nil
}

// Add returns u with n, which Check has allowed.
func (u Used) Add(n uint64) Used {
	if n <= u.Last {
		u.Seen |= 1 << (u.Last - n)
		return u
	}
	return Used{Last: n, Seen: u.Seen<<(n-u.Last) | 1} // shifted by 64 and more it is 0
}

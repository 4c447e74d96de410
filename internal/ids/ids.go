// Package ids holds the words by which people and programs name things: tenants,
// missions and guests.
package ids

import (
	"fmt"
	"regexp"
	"strings"
)

// MaxName is the longest tenant or mission name in octets.
const MaxName = 32

var name = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// CheckName reports why s cannot name a tenant or a mission, or nil.
func CheckName(what, s string) error {
	if name.MatchString(s) {
		return nil
	}
	return fmt.Errorf("%s name %q: want a lower-case letter, then letters, digits or '-', at most %d octets", what, s, MaxName)
}

// Guest names one mission of one tenant, "tenant/mission".
type Guest struct{ Tenant, Mission string }

func (g Guest) String() string { return g.Tenant + "/" + g.Mission }

// ParseGuest reads "tenant/mission".
func ParseGuest(s string) (Guest, error) {
	t, m, ok := strings.Cut(s, "/")
	if !ok {
		return Guest{}, fmt.Errorf("guest %q: want tenant/mission", s)
	}
	if err := CheckName("tenant", t); err != nil {
		return Guest{}, fmt.Errorf("guest %q: %w", s, err)
	}
	if err := CheckName("mission", m); err != nil {
		return Guest{}, fmt.Errorf("guest %q: %w", s, err)
	}
	return Guest{t, m}, nil
}

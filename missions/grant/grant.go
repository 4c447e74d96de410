package grant

import (
	"fmt"
	"time"

	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/missions"
)

// Kinds of statements, in the "type" of the JWT.
const (
	kindGrant  = "perilune-grant"
	kindOrder  = "perilune-order"
	kindBundle = "perilune-bundle"
)

// Grant is what the operator lends to a tenant.
type Grant struct {
	Tenant    string    `json:"tenant"`
	Key       string    `json:"key"`   // the tenant's public key
	APID      uint16    `json:"apid"`  // under which its telemetry travels
	Epoch     uint32    `json:"epoch"` // a craft refuses grants older than its own epoch
	Quota     Quota     `json:"quota"`
	NotAfter  time.Time `json:"not_after,omitzero"` // zero: no end
	NotBefore time.Time `json:"not_before,omitzero"`
}

// Quota bounds a tenant; zero means none of it.
type Quota struct {
	MemoryMiB    int `json:"memory_mib"`    // a guest
	Guests       int `json:"guests"`        // at a time
	StorageMiB   int `json:"storage_mib"`   // bundles and products on board
	TelemetryBps int `json:"telemetry_bps"` // octets a second of telemetry
	VCPUs        int `json:"vcpus"`         // a guest; less than 1 is 1, as in grants that do not speak of it
	Channels     int `json:"channels"`      // to be open at a time, of all its guests; less than 1 is 1 as well
}

// Links is how many channels a tenant may have open.
func (q Quota) Links() int { return max(q.Channels, 1) }

// Processors is how many vCPUs a guest may have.
func (q Quota) Processors() int { return max(q.VCPUs, 1) }

// Order is mission control's word that bundles may be activated on a craft.
type Order struct {
	Craft     string    `json:"craft"`
	Epoch     uint32    `json:"epoch"`
	Sequence  uint64    `json:"sequence"` // one number, one order; of two for a mission the higher one holds
	Bundles   []string  `json:"bundles"`  // digests
	NotBefore time.Time `json:"not_before,omitzero"`
	NotAfter  time.Time `json:"not_after,omitzero"`
}

// Bundle is the tenant's signature under a bundle.
type Bundle struct {
	Tenant  string `json:"tenant"`
	Mission string `json:"mission"`
	Version string `json:"version"`
	Digest  string `json:"digest"` // of the OCI manifest
}

// SignGrant signs g with the operator's key.
func SignGrant(operator Key, g Grant) (string, error) {
	if err := ids.CheckName("tenant", g.Tenant); err != nil {
		return "", err
	}
	return sign(operator, kindGrant, g.Key, g)
}

// SignOrder signs o with mission control's key.
func SignOrder(control Key, o Order) (string, error) {
	return sign(control, kindOrder, o.Craft, o)
}

// SignBundle signs b with the tenant's key.
func SignBundle(tenant Key, b Bundle) (string, error) {
	return sign(tenant, kindBundle, b.Digest, b)
}

// ReadBundle checks the signature's own form and returns what it says and who says it.
func ReadBundle(token string) (b Bundle, signer string, err error) {
	signer, err = verify(token, kindBundle, &b)
	return b, signer, err
}

// Now is the craft's time, and whether it is valid.
type Now func() (t time.Time, valid bool)

// within holds the present against a span; either end may be open.
func within(now Now, from, to time.Time, rule, what string) error {
	if from.IsZero() && to.IsZero() {
		return nil
	}
	t, valid := now()
	switch {
	case !valid:
		return missions.Rulef(missions.RuleNoTime, "%s has dates, and the craft's time is not set", what)
	case !from.IsZero() && t.Before(from):
		return missions.Rulef(rule, "%s is not valid before %s, it is %s", what, stamp(from), stamp(t))
	case !to.IsZero() && t.After(to):
		return missions.Rulef(rule, "%s ended at %s, it is %s", what, stamp(to), stamp(t))
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func list(n int, what string) string { return fmt.Sprintf("%d %s", n, what) }

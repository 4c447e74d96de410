package grant

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/perilune/perilune/missions"
)

// Trust is what a craft believes from the start: it lies in the signed image.
type Trust struct {
	Craft     string   `json:"craft"`
	Epoch     uint32   `json:"epoch"`
	Operators []string `json:"operators"` // public keys whose grants hold
	Controls  []string `json:"controls"`  // public keys whose orders hold
	Grants    []string `json:"grants"`    // statements
}

// LoadTrust reads the trust file at path.
func LoadTrust(path string) (*Trust, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var t Trust
	if err := json.Unmarshal(data, &t); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if t.Craft == "" || len(t.Operators) == 0 {
		return nil, fmt.Errorf("%s: names no craft or no operator", path)
	}
	return &t, nil
}

// Grant finds and verifies the grant of tenant. A craft whose time is not set takes a
// grant with dates only where timeless is true: for missions that are part of the image.
func (t *Trust) Grant(tenant string, now Now, timeless bool) (Grant, error) {
	var refused error
	for _, token := range t.Grants {
		g, err := t.VerifyGrant(token)
		if err != nil {
			refused = err
			continue
		}
		if g.Tenant != tenant {
			continue
		}
		if _, valid := now(); valid || !timeless {
			if err := within(now, g.NotBefore, g.NotAfter, missions.RuleGrantTime, "the grant of "+tenant); err != nil {
				refused = err
				continue
			}
		}
		return g, nil
	}
	if refused != nil {
		return Grant{}, refused
	}
	return Grant{}, missions.Rulef(missions.RuleNoGrant, "tenant %q has no grant on %s (%s here)", tenant, t.Craft, list(len(t.Grants), "grants"))
}

// VerifyGrant checks that token is a grant by one of the operators, of this epoch.
func (t *Trust) VerifyGrant(token string) (Grant, error) {
	var g Grant
	issuer, err := verify(token, kindGrant, &g)
	if err != nil {
		return Grant{}, missions.Rulef(missions.RuleGrant, "%v", err)
	}
	if !slices.Contains(t.Operators, issuer) {
		return Grant{}, missions.Rulef(missions.RuleGrant, "signed by %s, who is no operator of %s", issuer, t.Craft)
	}
	if g.Epoch < t.Epoch {
		return Grant{}, missions.Rulef(missions.RuleEpoch, "grant of epoch %d, the craft is in %d", g.Epoch, t.Epoch)
	}
	return g, nil
}

// VerifyBundle checks that token is the tenant's signature under digest by the key in g.
func (t *Trust) VerifyBundle(token, digest string, g Grant) (Bundle, error) {
	b, signer, err := ReadBundle(token)
	switch {
	case err != nil:
		return Bundle{}, missions.Rulef(missions.RuleSignature, "%v", err)
	case signer != g.Key:
		return Bundle{}, missions.Rulef(missions.RuleSignature, "signed by %s, the grant of %s names %s", signer, g.Tenant, g.Key)
	case b.Tenant != g.Tenant:
		return Bundle{}, missions.Rulef(missions.RuleSignature, "signed for tenant %q, not %q", b.Tenant, g.Tenant)
	case b.Digest != digest:
		return Bundle{}, missions.Rulef(missions.RuleSignature, "the signature is for %s, the bundle is %s", b.Digest, digest)
	}
	return b, nil
}

// VerifyOrder checks that token is an order of mission control for this craft that
// names digest, is of its time, and has a number that is not used.
func (t *Trust) VerifyOrder(token, digest string, used Used, now Now) (Order, error) {
	var o Order
	issuer, err := verify(token, kindOrder, &o)
	switch {
	case err != nil:
		return Order{}, missions.Rulef(missions.RuleOrder, "%v", err)
	case !slices.Contains(t.Controls, issuer):
		return Order{}, missions.Rulef(missions.RuleOrder, "signed by %s, who is no mission control of %s", issuer, t.Craft)
	case o.Craft != t.Craft:
		return Order{}, missions.Rulef(missions.RuleCraft, "the order is for %q, this is %q", o.Craft, t.Craft)
	case o.Epoch != t.Epoch:
		return Order{}, missions.Rulef(missions.RuleOrderEp, "order of epoch %d, the craft is in %d", o.Epoch, t.Epoch)
	case !slices.Contains(o.Bundles, digest):
		return Order{}, missions.Rulef(missions.RuleOrderBndl, "the order names %s, none is %s", list(len(o.Bundles), "bundles"), digest)
	}
	if err := used.Check(o.Sequence); err != nil {
		return Order{}, err
	}
	if err := within(now, o.NotBefore, o.NotAfter, missions.RuleOrderTime, "the order"); err != nil {
		return Order{}, err
	}
	return o, nil
}

package grant_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/missions/grant"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func at(t time.Time) grant.Now { return func() (time.Time, bool) { return t, true } }

func unset() (time.Time, bool) { return time.Time{}, false }

const digest = "sha256:0000000000000000000000000000000000000000000000000000000000000001"

func rule(t *testing.T, err error, want string) {
	t.Helper()
	var r *missions.RuleError
	switch {
	case want == "" && err != nil:
		t.Errorf("got %v", err)
	case want != "" && (!errors.As(err, &r) || r.Rule != want):
		t.Errorf("got %v, want rule %s", err, want)
	}
}

func dev(t *testing.T) *grant.Dev {
	t.Helper()
	d, err := grant.DevKeys(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestGrantRules(t *testing.T) {
	d := dev(t)
	trust, err := d.Trust("luna", []grant.Grant{
		{Tenant: "acme"},
		{Tenant: "late", NotAfter: noon},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = trust.Grant("acme", unset, false)
	rule(t, err, "")
	_, err = trust.Grant("nobody", at(noon), false)
	rule(t, err, missions.RuleNoGrant)
	_, err = trust.Grant("late", at(noon.Add(-time.Second)), false)
	rule(t, err, "")
	_, err = trust.Grant("late", at(noon.Add(time.Second)), false)
	rule(t, err, missions.RuleGrantTime)
	_, err = trust.Grant("late", unset, false)
	rule(t, err, missions.RuleNoTime)
	_, err = trust.Grant("late", unset, true)
	rule(t, err, "")

	stranger, err := grant.NewKey(grant.Operator)
	if err != nil {
		t.Fatal(err)
	}
	key, _ := d.Tenant("acme")
	token, err := grant.SignGrant(stranger, grant.Grant{Tenant: "acme", Key: key.Public(), Epoch: 1})
	if err != nil {
		t.Fatal(err)
	}
	_, err = trust.VerifyGrant(token)
	rule(t, err, missions.RuleGrant)
	op, _ := d.Operator()
	token, err = grant.SignGrant(op, grant.Grant{Tenant: "acme", Key: key.Public(), Epoch: 0})
	if err != nil {
		t.Fatal(err)
	}
	_, err = trust.VerifyGrant(token)
	rule(t, err, missions.RuleEpoch)
}

func TestOrderRules(t *testing.T) {
	d := dev(t)
	trust, err := d.Trust("luna", nil)
	if err != nil {
		t.Fatal(err)
	}
	token, o, err := d.Order("luna", digest)
	if err != nil || o.Sequence != 1 {
		t.Fatalf("order %+v, %v", o, err)
	}
	_, err = trust.VerifyOrder(token, digest, grant.Used{}, unset)
	rule(t, err, "")
	_, err = trust.VerifyOrder(token, digest, grant.UsedUpTo(1), unset)
	rule(t, err, missions.RuleSequence)
	_, err = trust.VerifyOrder(token, strings.Replace(digest, "1", "2", 1), grant.Used{}, unset)
	rule(t, err, missions.RuleOrderBndl)
	if _, o, _ = d.Order("luna", digest); o.Sequence != 2 {
		t.Fatalf("second order has sequence %d", o.Sequence)
	}
	other, _, err := d.Order("terra", digest)
	if err != nil {
		t.Fatal(err)
	}
	_, err = trust.VerifyOrder(other, digest, grant.Used{}, unset)
	rule(t, err, missions.RuleCraft)
	tenant, _ := d.Tenant("acme")
	forged, err := grant.SignOrder(tenant, grant.Order{Craft: "luna", Epoch: 1, Sequence: 9, Bundles: []string{digest}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = trust.VerifyOrder(forged, digest, grant.Used{}, unset)
	rule(t, err, missions.RuleOrder)
	control, _ := d.Control()
	late, _ := grant.SignOrder(control, grant.Order{Craft: "luna", Epoch: 1, Sequence: 9, Bundles: []string{digest}, NotAfter: noon})
	_, err = trust.VerifyOrder(late, digest, grant.Used{}, at(noon.Add(1)))
	rule(t, err, missions.RuleOrderTime)
}

func TestEveryFlippedCharacterIsRefused(t *testing.T) {
	d := dev(t)
	trust, _ := d.Trust("luna", nil)
	token, _, err := d.Order("luna", digest)
	if err != nil {
		t.Fatal(err)
	}
	for i := range token {
		// The last character of a base64 segment has spare bits that carry nothing.
		if token[i] == '.' || i == len(token)-1 || token[i+1] == '.' {
			continue
		}
		b := []byte(token)
		b[i] ^= 1
		if _, err := trust.VerifyOrder(string(b), digest, grant.Used{}, unset); err == nil {
			t.Fatalf("character %d changed and nobody saw", i)
		}
	}
}

func TestKeysStay(t *testing.T) {
	dir := t.TempDir()
	d, _ := grant.DevKeys(dir)
	a, err := d.Operator()
	if err != nil {
		t.Fatal(err)
	}
	d, _ = grant.DevKeys(dir)
	b, err := d.Operator()
	if err != nil || a.Public() != b.Public() || a.Public()[0] != 'O' {
		t.Fatalf("%v then %v, %v", a, b, err)
	}
}

func FuzzToken(f *testing.F) {
	key, err := grant.NewKey(grant.Tenant)
	if err != nil {
		f.Fatal(err)
	}
	token, err := grant.SignBundle(key, grant.Bundle{Tenant: "acme", Digest: digest})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, s string) {
		_, _, _ = grant.ReadBundle(s)
	})
}

package grant

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/internal/syncfile"
)

// Dev is a folder of development keys that make themselves, for the simulator. Real
// keys are made offline and never lie beside each other.
type Dev struct{ dir string }

// DevKeys opens the folder, which need not exist yet.
func DevKeys(dir string) (*Dev, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return &Dev{dir}, nil
}

// Operator is the operator's key.
func (d *Dev) Operator() (Key, error) {
	return loadOrMake(Operator, filepath.Join(d.dir, "operator.nk"))
}

// Control is mission control's key.
func (d *Dev) Control() (Key, error) {
	return loadOrMake(Control, filepath.Join(d.dir, "control.nk"))
}

// Tenant is the key of a tenant.
func (d *Dev) Tenant(name string) (Key, error) {
	if err := ids.CheckName("tenant", name); err != nil {
		return Key{}, err
	}
	return loadOrMake(Tenant, filepath.Join(d.dir, "tenant-"+name+".nk"))
}

// Secret is a random secret of n octets that lies under name, such as a link key.
func (d *Dev) Secret(name string, n int) ([]byte, error) {
	path := filepath.Join(d.dir, name+".key")
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		data, err = randomBytes(n)
		if err == nil {
			err = syncfile.Replace(path, data)
		}
	}
	if err != nil {
		return nil, err
	}
	if len(data) != n {
		return nil, fmt.Errorf("%s: %d octets, want %d", path, len(data), n)
	}
	return data, nil
}

// Trust makes what craft believes: this folder's operator and control, and one grant
// for each entry of grants, whose Key is filled in with the tenant's development key.
func (d *Dev) Trust(craft string, grants []Grant) (*Trust, error) {
	op, err := d.Operator()
	if err != nil {
		return nil, err
	}
	control, err := d.Control()
	if err != nil {
		return nil, err
	}
	t := &Trust{Craft: craft, Epoch: 1, Operators: []string{op.Public()}, Controls: []string{control.Public()}}
	for _, g := range grants {
		key, err := d.Tenant(g.Tenant)
		if err != nil {
			return nil, err
		}
		g.Key, g.Epoch = key.Public(), t.Epoch
		token, err := SignGrant(op, g)
		if err != nil {
			return nil, err
		}
		t.Grants = append(t.Grants, token)
	}
	return t, nil
}

// Matches says whether t is what Trust would make of craft and grants, but for dates.
func (d *Dev) Matches(t *Trust, craft string, grants []Grant) bool {
	want, err := d.Trust(craft, grants)
	if err != nil || t.Craft != want.Craft || t.Epoch != want.Epoch || len(t.Grants) != len(want.Grants) ||
		!slices.Equal(t.Operators, want.Operators) || !slices.Equal(t.Controls, want.Controls) {
		return false
	}
	for i := range t.Grants {
		have, err1 := t.VerifyGrant(t.Grants[i])
		wanted, err2 := want.VerifyGrant(want.Grants[i])
		if err1 != nil || err2 != nil || have != wanted {
			return false
		}
	}
	return true
}

// Encode is the trust file's content.
func (t *Trust) Encode() ([]byte, error) { return json.MarshalIndent(t, "", "  ") }

// Order signs the next flight order of craft for bundles. The sequence is kept in the
// folder, on stable storage before the order is made, so that no number is used twice.
func (d *Dev) Order(craft string, bundles ...string) (token string, o Order, err error) {
	control, err := d.Control()
	if err != nil {
		return "", Order{}, err
	}
	path := filepath.Join(d.dir, "order.sequence")
	var last uint64
	data, err := os.ReadFile(path)
	if err == nil {
		last, err = strconv.ParseUint(strings.TrimSpace(string(data)), 10, 64)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", Order{}, fmt.Errorf("read %s: %w", path, err)
	}
	o = Order{Craft: craft, Epoch: 1, Sequence: last + 1, Bundles: bundles}
	if err := syncfile.Replace(path, []byte(strconv.FormatUint(o.Sequence, 10)+"\n")); err != nil {
		return "", Order{}, err
	}
	token, err = SignOrder(control, o)
	return token, o, err
}

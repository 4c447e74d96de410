// Package grant is who may do what on a craft: keys of operator, mission control and
// tenants (Ed25519 nkeys) and what they sign (JWTs): grants, flight orders, bundles.
package grant

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/nats-io/nkeys"

	"github.com/perilune/perilune/internal/syncfile"
)

// Role is whose key it is; it shows in the first letter of the public key.
type Role string

const (
	Operator Role = "operator" // owns the craft, signs grants; keys begin with O
	Tenant   Role = "tenant"   // signs bundles; keys begin with A
	Control  Role = "control"  // mission control, signs flight orders; keys begin with U
)

var prefixes = map[Role]nkeys.PrefixByte{
	Operator: nkeys.PrefixByteOperator,
	Tenant:   nkeys.PrefixByteAccount,
	Control:  nkeys.PrefixByteUser,
}

// Key signs. It holds a secret; it prints only its public half.
type Key struct{ pair nkeys.KeyPair }

// NewKey makes a key for role.
func NewKey(role Role) (Key, error) {
	prefix, ok := prefixes[role]
	if !ok {
		return Key{}, fmt.Errorf("role %q: want operator, tenant or control", role)
	}
	pair, err := nkeys.CreatePair(prefix)
	if err != nil {
		return Key{}, fmt.Errorf("make %s key: %w", role, err)
	}
	return Key{pair}, nil
}

// LoadKey reads the seed in the file at path.
func LoadKey(path string) (Key, error) {
	seed, err := os.ReadFile(path)
	if err != nil {
		return Key{}, err
	}
	pair, err := nkeys.FromSeed(bytes.TrimSpace(seed))
	if err != nil {
		return Key{}, fmt.Errorf("%s: not an nkey seed: %w", path, err)
	}
	return Key{pair}, nil
}

// Save writes the seed to a new file that only its owner reads. An existing file stays.
func (k Key) Save(path string) error {
	seed, err := k.pair.Seed()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(seed, '\n'))
	return errors.Join(err, f.Sync(), f.Close(), syncfile.Dir(filepath.Dir(path)))
}

// Public is the public half in nkey text, "" for the zero key.
func (k Key) Public() string {
	if k.pair == nil {
		return ""
	}
	p, err := k.pair.PublicKey()
	if err != nil {
		return ""
	}
	return p
}

func (k Key) String() string { return k.Public() }

// loadOrMake reads the key at path, or makes one for role and saves it there.
func loadOrMake(role Role, path string) (Key, error) {
	k, err := LoadKey(path)
	if !errors.Is(err, os.ErrNotExist) {
		return k, err
	}
	if k, err = NewKey(role); err != nil {
		return Key{}, err
	}
	return k, k.Save(path)
}

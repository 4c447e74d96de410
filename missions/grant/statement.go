package grant

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/jwt/v2"
)

// MaxToken is the longest statement in octets.
const MaxToken = 16 << 10

// ErrToken says that a text is not a statement, or that its signature does not hold.
var ErrToken = errors.New("not a signed statement")

// sign puts v under kind into a JWT of subject, signed by k.
func sign(k Key, kind, subject string, v any) (string, error) {
	if k.pair == nil {
		return "", errors.New("no key to sign with")
	}
	body, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	c := jwt.NewGenericClaims(subject)
	if c == nil {
		return "", fmt.Errorf("sign %s: empty subject", kind)
	}
	c.Data["type"] = kind
	c.Data["version"] = 2
	c.Data["perilune"] = json.RawMessage(body)
	token, err := c.Encode(k.pair)
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", kind, err)
	}
	return token, nil
}

// verify checks token's own signature and reads its content of kind into v. It
// returns the signer's public key; whether that one may say so is the caller's to know.
func verify(token, kind string, v any) (issuer string, err error) {
	defer func() {
		// A token is bytes from outside; should the library trip over one, it is a bad token.
		if r := recover(); r != nil {
			issuer, err = "", fmt.Errorf("%w: %v", ErrToken, r)
		}
	}()
	token = strings.TrimSpace(token)
	if len(token) > MaxToken {
		return "", fmt.Errorf("%w: %d octets, at most %d", ErrToken, len(token), MaxToken)
	}
	c, err := jwt.DecodeGeneric(token)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrToken, err)
	}
	if got, _ := c.Data["type"].(string); got != kind {
		return "", fmt.Errorf("%w: it is %q, want %q", ErrToken, got, kind)
	}
	body, err := json.Marshal(c.Data["perilune"])
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrToken, err)
	}
	if err := json.Unmarshal(body, v); err != nil {
		return "", fmt.Errorf("%w: %w", ErrToken, err)
	}
	return c.Issuer, nil
}

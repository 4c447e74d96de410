package station

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/perilune/perilune/internal/syncfile"
	"github.com/perilune/perilune/missions/craft"
)

// KeyStore keeps what a station knows of link keys that were changed, as files beside the keys
// of the image: who still has that folder, with the master key in it, can command the craft.
// Each file is sealed by AES-GCM under a key that is derived from the master key.
//
//	magic 4 | nonce 12 | JSON, encrypted | MAC 16
type KeyStore struct {
	dir, craft string
	aead       cipher.AEAD
}

const (
	storeMagic = "PLK1"
	storeNonce = 12
)

// ErrKeyStore says that a file of changed keys cannot be read: it is damaged, or was written
// for another craft or under another master key.
var ErrKeyStore = errors.New("changed link keys cannot be read")

// NewKeyStore keeps the keys of a craft in dir.
func NewKeyStore(dir, craft string, master [32]byte) (*KeyStore, error) {
	key, err := hkdf.Key(sha256.New, master[:], nil, "perilune changed link keys", 32)
	if err != nil {
		return nil, fmt.Errorf("changed link keys: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("changed link keys: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	return &KeyStore{dir, craft, aead}, err
}

func (k *KeyStore) path(name string) string { return filepath.Join(k.dir, craft.ChangedFile(name)) }
func (k *KeyStore) aad(name string) []byte {
	return []byte(storeMagic + "\x00" + k.craft + "\x00" + name)
}

// Put writes v under name; when it returns nil, v is on stable storage.
func (k *KeyStore) Put(name string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("changed link keys: %w", err)
	}
	out := append([]byte(storeMagic), make([]byte, storeNonce)...)
	nonce := out[len(storeMagic):]
	if _, err := rand.Read(nonce); err != nil {
		return fmt.Errorf("changed link keys: %w", err)
	}
	if err := syncfile.Replace(k.path(name), k.aead.Seal(out, nonce, text, k.aad(name))); err != nil {
		return fmt.Errorf("changed link keys: %w", err)
	}
	return nil
}

// Get reads what was put under name into v; fs.ErrNotExist if nothing was.
func (k *KeyStore) Get(name string, v any) error {
	data, err := os.ReadFile(k.path(name))
	if err != nil {
		return fmt.Errorf("changed link keys: %w", err)
	}
	text, err := k.open(name, data)
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrKeyStore, k.path(name), err)
	}
	return nil
}

func (k *KeyStore) open(name string, data []byte) ([]byte, error) {
	const head = len(storeMagic) + storeNonce
	if len(data) < head || string(data[:len(storeMagic)]) != storeMagic {
		return nil, fmt.Errorf("%d octets that do not begin as such a file does", len(data))
	}
	return k.aead.Open(nil, data[len(storeMagic):head], data[head:], k.aad(name))
}

// Delete removes what was put under name; nothing there is no error.
func (k *KeyStore) Delete(name string) error {
	err := os.Remove(k.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = syncfile.Dir(k.dir)
	}
	if err != nil {
		return fmt.Errorf("changed link keys: %w", err)
	}
	return nil
}

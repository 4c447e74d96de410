// Package durable keeps the authority of a craft or a station: small records that
// are written with a checksum and fsynced before anything acts on them.
//
// A record is JSON inside an envelope of version and CRC-32C, in a bbolt file. bbolt
// survives a power cut; the checksum finds bits that flipped afterwards.
package durable

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Version is the schema of the envelope. Newer records are refused, not misread.
const Version = 1

var (
	// ErrNotFound says that no record has that key.
	ErrNotFound = errors.New("no such record")
	// ErrCorrupt says that a record or the file fails its checks.
	ErrCorrupt = errors.New("corrupt record")
	// ErrNewer says that a newer program wrote the record.
	ErrNewer = errors.New("record of a newer version")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// envelope: version (1 octet), CRC-32C of the rest (4 octets, big endian), JSON.
const envelope = 5

// DB is an open record file. It is safe for concurrent use.
type DB struct{ b *bolt.DB }

// Open opens or creates the record file at path. A file that is not a record file,
// or is damaged beyond opening, is ErrCorrupt.
func Open(path string) (db *DB, err error) {
	defer func() {
		// bbolt panics on some damaged files; for us that is a corrupt file like another.
		if r := recover(); r != nil {
			db, err = nil, fmt.Errorf("open %s: %w: %v", path, ErrCorrupt, r)
		}
	}()
	b, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: 5 * time.Second})
	if err != nil {
		if errors.Is(err, berrors.ErrInvalid) || errors.Is(err, berrors.ErrChecksum) || errors.Is(err, berrors.ErrVersionMismatch) {
			return nil, fmt.Errorf("open %s: %w: %w", path, ErrCorrupt, err)
		}
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return &DB{b}, nil
}

// Close ends the use of the file.
func (d *DB) Close() error { return d.b.Close() }

// Put stores v under key in bucket; when it returns nil, v is on stable storage.
func (d *DB) Put(bucket, key string, v any) error {
	data, err := seal(v)
	if err != nil {
		return fmt.Errorf("put %s/%s: %w", bucket, key, err)
	}
	err = d.b.Update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte(bucket))
		if err != nil {
			return err
		}
		return b.Put([]byte(key), data)
	})
	if err != nil {
		return fmt.Errorf("put %s/%s: %w", bucket, key, err)
	}
	return nil
}

// Get reads the record key of bucket into v: ErrNotFound, ErrCorrupt or ErrNewer
// when that cannot be.
func (d *DB) Get(bucket, key string, v any) error {
	err := d.b.View(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(bucket))
		if b == nil {
			return ErrNotFound
		}
		data := b.Get([]byte(key))
		if data == nil {
			return ErrNotFound
		}
		return open(data, v)
	})
	if err != nil {
		return fmt.Errorf("get %s/%s: %w", bucket, key, err)
	}
	return nil
}

// Delete removes a record; one that is not there is no error.
func (d *DB) Delete(bucket, key string) error {
	err := d.b.Update(func(tx *bolt.Tx) error {
		if b := tx.Bucket([]byte(bucket)); b != nil {
			return b.Delete([]byte(key))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("delete %s/%s: %w", bucket, key, err)
	}
	return nil
}

// Each calls fn for every record of bucket in key order; read decodes the record.
func (d *DB) Each(bucket string, fn func(key string, read func(v any) error) error) error {
	return d.b.View(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(bucket))
		if b == nil {
			return nil
		}
		return b.ForEach(func(k, data []byte) error {
			return fn(string(k), func(v any) error { return open(data, v) })
		})
	})
}

func seal(v any) ([]byte, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	data := make([]byte, envelope, envelope+len(body))
	data[0] = Version
	binary.BigEndian.PutUint32(data[1:], crc32.Checksum(body, castagnoli))
	return append(data, body...), nil
}

func open(data []byte, v any) error {
	if len(data) < envelope {
		return fmt.Errorf("%w: %d octets", ErrCorrupt, len(data))
	}
	if data[0] > Version {
		return fmt.Errorf("%w: %d, this program reads up to %d", ErrNewer, data[0], Version)
	}
	body := data[envelope:]
	if crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(data[1:]) {
		return fmt.Errorf("%w: checksum", ErrCorrupt)
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return nil
}

// Package safe is what flight falls back to when what it rests on is broken: records
// in memory where there is no disk, and the mode in which no guest runs.
package safe

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/perilune/perilune/internal/durable"
)

// Records has the methods of durable.DB and forgets everything when the program ends.
// The link's replay floors begin at zero with it: who flies on without a disk prefers
// to be commanded.
type Records struct {
	mu sync.Mutex
	m  map[string][]byte
}

// NewRecords makes an empty set.
func NewRecords() *Records { return &Records{m: map[string][]byte{}} }

func name(bucket, key string) string { return bucket + "\x00" + key }

// Put stores v under key in bucket.
func (r *Records) Put(bucket, key string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("put %s/%s: %w", bucket, key, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.m[name(bucket, key)] = data
	return nil
}

// Get reads the record key of bucket into v, or returns durable.ErrNotFound.
func (r *Records) Get(bucket, key string, v any) error {
	r.mu.Lock()
	data, ok := r.m[name(bucket, key)]
	r.mu.Unlock()
	if !ok {
		return fmt.Errorf("get %s/%s: %w", bucket, key, durable.ErrNotFound)
	}
	return json.Unmarshal(data, v)
}

// Delete removes a record; one that is not there is no error.
func (r *Records) Delete(bucket, key string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.m, name(bucket, key))
	return nil
}

// Each calls fn for every record of bucket in key order.
func (r *Records) Each(bucket string, fn func(key string, read func(v any) error) error) error {
	r.mu.Lock()
	var keys []string
	records := map[string][]byte{}
	for k, data := range r.m {
		if key, ok := strings.CutPrefix(k, bucket+"\x00"); ok {
			keys = append(keys, key)
			records[key] = data
		}
	}
	r.mu.Unlock()
	slices.Sort(keys)
	for _, k := range keys {
		if err := fn(k, func(v any) error { return json.Unmarshal(records[k], v) }); err != nil {
			return err
		}
	}
	return nil
}

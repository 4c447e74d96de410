package services

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/perilune/perilune/internal/durable"
)

// kept is a value of authority: a change is on stable storage before it counts.
type kept[T any] struct {
	records Records
	key     string
	wake    chan struct{} // after a change

	mu  sync.Mutex
	now T
}

// load reads the value; without a record, or with one that cannot be read, it is first.
func load[T any](r Records, key string, first T) (*kept[T], error) {
	k := &kept[T]{records: r, key: key, wake: make(chan struct{}, 1)}
	err := r.Get(bucketServices, key, &k.now)
	if err == nil {
		return k, nil
	}
	k.now = first
	if errors.Is(err, durable.ErrNotFound) {
		return k, nil
	}
	return k, fmt.Errorf("%s: %w", key, err)
}

// clone copies v, so that what fn does to one does not touch the other.
func clone[T any](v T) (out T, err error) {
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	return out, err
}

// get returns a copy.
func (k *kept[T]) get() T {
	k.mu.Lock()
	defer k.mu.Unlock()
	v, err := clone(k.now)
	if err != nil {
		panic(err) // the types are ours: they are what JSON can say
	}
	return v
}

// change does fn to the value, or, if fn or the disk fails, nothing.
func (k *kept[T]) change(fn func(*T) error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	next, err := clone(k.now)
	if err == nil {
		err = fn(&next)
	}
	if err == nil {
		err = k.records.Put(bucketServices, k.key, next)
	}
	if err != nil {
		return err
	}
	k.now = next
	select {
	case k.wake <- struct{}{}:
	default:
	}
	return nil
}

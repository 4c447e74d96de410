package safe_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/perilune/perilune/internal/durable"
	"github.com/perilune/perilune/scheduler/safe"
)

type records interface {
	Put(bucket, key string, v any) error
	Get(bucket, key string, v any) error
	Delete(bucket, key string) error
	Each(bucket string, fn func(key string, read func(v any) error) error) error
}

// Records in memory must behave as those on disk, which they stand in for.
func TestLikeDisk(t *testing.T) {
	db, err := durable.Open(filepath.Join(t.TempDir(), "records.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for name, r := range map[string]records{"disk": db, "memory": safe.NewRecords()} {
		t.Run(name, func(t *testing.T) {
			var n int
			if err := r.Get("a", "x", &n); !errors.Is(err, durable.ErrNotFound) {
				t.Errorf("get what is not there: %v", err)
			}
			if err := r.Delete("a", "x"); err != nil {
				t.Errorf("delete what is not there: %v", err)
			}
			for i, k := range []string{"z", "x", "y", "x"} {
				if err := r.Put("a", k, i); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.Put("ab", "other", 9); err != nil {
				t.Fatal(err)
			}
			if err := r.Put("a", "bad", func() {}); err == nil {
				t.Error("stored a function")
			}
			if err := r.Delete("a", "y"); err != nil {
				t.Fatal(err)
			}
			var keys []string
			var values []int
			err := r.Each("a", func(key string, read func(any) error) error {
				keys, values = append(keys, key), append(values, 0)
				return read(&values[len(values)-1])
			})
			if err != nil || !slices.Equal(keys, []string{"x", "z"}) || !slices.Equal(values, []int{3, 0}) {
				t.Errorf("%v %v, %v", keys, values, err)
			}
			stop := errors.New("stop")
			if err := r.Each("a", func(string, func(any) error) error { return stop }); !errors.Is(err, stop) {
				t.Errorf("a callback's error became %v", err)
			}
		})
	}
}

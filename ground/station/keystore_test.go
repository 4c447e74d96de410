package station_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/perilune/perilune/ground/station"
	"github.com/perilune/perilune/missions/craft"
)

type kept struct{ Value [4]byte }

func store(t testing.TB, dir, name string, master byte) *station.KeyStore {
	t.Helper()
	k, err := station.NewKeyStore(dir, name, [32]byte{master})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// What was put comes back to who has the master key, and the file tells nobody else.
func TestKeyStore(t *testing.T) {
	dir := t.TempDir()
	k := store(t, dir, "luna", 1)
	var got kept
	if err := k.Get("up-0", &got); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing was put: %v", err)
	}
	for _, v := range []kept{{[4]byte{1}}, {[4]byte{1, 2, 3, 4}}} {
		if err := k.Put("up-0", v); err != nil {
			t.Fatal(err)
		}
		if err := store(t, dir, "luna", 1).Get("up-0", &got); err != nil || got != v {
			t.Errorf("%v comes back as %v, %v", v, got, err)
		}
	}
	file := filepath.Join(dir, craft.ChangedFile("up-0"))
	if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"other master key": store(t, dir, "luna", 2).Get("up-0", &got),
		"other craft":      store(t, dir, "sol", 1).Get("up-0", &got),
		"other channel":    put(t, k, dir, "up-1", data).Get("up-1", &got),
		"cut":              put(t, k, dir, "up-2", data[:20]).Get("up-2", &got),
		"flipped":          put(t, k, dir, "up-3", append(append([]byte(nil), data[:30]...), append([]byte{data[30] ^ 1}, data[31:]...)...)).Get("up-3", &got),
	} {
		if !errors.Is(err, station.ErrKeyStore) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for range 2 {
		if err := k.Delete("up-0"); err != nil {
			t.Error(err)
		}
	}
	if err := k.Get("up-0", &got); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("deleted: %v", err)
	}
}

func put(t testing.TB, k *station.KeyStore, dir, name string, data []byte) *station.KeyStore {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, craft.ChangedFile(name)), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return k
}

// FuzzKeyStore: no file panics, and none is taken that another key has sealed.
func FuzzKeyStore(f *testing.F) {
	dir := f.TempDir()
	if err := store(f, dir, "luna", 2).Put("up-0", kept{}); err != nil {
		f.Fatal(err)
	}
	sealed, err := os.ReadFile(filepath.Join(dir, craft.ChangedFile("up-0")))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add(sealed[:16])
	k := store(f, dir, "luna", 1)
	f.Fuzz(func(t *testing.T, data []byte) {
		var got kept
		if err := put(t, k, dir, "up-0", data).Get("up-0", &got); !errors.Is(err, station.ErrKeyStore) {
			t.Fatalf("%x: %v", data, err)
		}
	})
}

package durable_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/perilune/perilune/internal/durable"
)

type record struct{ Name string }

func TestPutGetAcrossOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	db, err := durable.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Put("b", "k", record{"needle-in-the-file"}); err != nil {
		t.Fatal(err)
	}
	db.Close()
	db, err = durable.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var got record
	if err := db.Get("b", "k", &got); err != nil || got.Name != "needle-in-the-file" {
		t.Fatalf("got %+v, %v", got, err)
	}
	if err := db.Get("b", "other", &got); !errors.Is(err, durable.ErrNotFound) {
		t.Fatalf("got %v, want ErrNotFound", err)
	}
	if err := db.Delete("b", "k"); err != nil {
		t.Fatal(err)
	}
	if err := db.Get("b", "k", &got); !errors.Is(err, durable.ErrNotFound) {
		t.Fatalf("after delete got %v, want ErrNotFound", err)
	}
}

func TestFlippedBitIsFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	db, err := durable.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Put("b", "k", record{"needle-in-the-file"}); err != nil {
		t.Fatal(err)
	}
	db.Close()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndex(data, []byte("needle"))
	data[at] ^= 2
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err = durable.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var got record
	if err := db.Get("b", "k", &got); !errors.Is(err, durable.ErrCorrupt) {
		t.Fatalf("got %+v, %v; want ErrCorrupt", got, err)
	}
}

func TestGarbageFileIsCorrupt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	if err := os.WriteFile(path, bytes.Repeat([]byte("garbage!"), 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := durable.Open(path); !errors.Is(err, durable.ErrCorrupt) {
		t.Fatalf("got %v, want ErrCorrupt", err)
	}
}

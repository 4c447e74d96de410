package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/perilune/perilune/ccsds/cfdp"
)

// FuzzParseEntry: no line of a listing panics; what is taken for an entry can be printed
// either way, and says the same when it is written again.
func FuzzParseEntry(f *testing.F) {
	for _, line := range []string{"f 12 1700000000 data.bin", `d 4096 1700000000 "two words"`, "? 0 0 x y", "...", `f 1 1 "\xff"`,
		"f -1 5 x", "f 1 99999999999999 x", "f 1 1 ", ""} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		e, ok := parseEntry(line)
		if !ok {
			return
		}
		if _, err := json.Marshal(e); err != nil {
			t.Fatal(err)
		}
		kind := map[string]string{"file": "f", "folder": "d", "other": "?"}[e.Kind]
		again := kind + " " + strconv.FormatInt(e.Size, 10) + " " + strconv.FormatInt(e.Changed.Unix(), 10) + " " + strconv.QuoteToASCII(e.Name)
		if back, ok := parseEntry(again); !ok || back != e {
			t.Fatalf("%q is %+v, and written again %+v", line, e, back)
		}
	})
}

// What the file store on board lists is read as it is, whatever the names.
func TestParseListing(t *testing.T) {
	root := t.TempDir()
	names := []string{"plain", "two words", "quote\"d", "\x01\xff", "-", "f 1 1 x", "..."}
	for i, name := range names {
		if err := os.WriteFile(filepath.Join(root, name), make([]byte, i), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(root, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	store, err := cfdp.DirStore(root)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	text, err := store.List("")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]entry{}
	for line := range strings.Lines(string(text)) {
		e, ok := parseEntry(strings.TrimSuffix(line, "\n"))
		if !ok {
			t.Fatalf("%q is no entry", line)
		}
		got[e.Name] = e
	}
	for i, name := range names {
		if e := got[name]; e.Kind != "file" || e.Size != int64(i) {
			t.Errorf("%q: %+v", name, e)
		}
	}
	if got["folder"].Kind != "folder" || len(got) != len(names)+1 {
		t.Errorf("%d entries: %+v", len(got), got)
	}
}

package sdk_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"testing"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/missions/sdk"
)

// Solo5's manifest files give the notes that its own tools give, and are written as its
// elftool prints them.
func TestManifestAgainstSolo5(t *testing.T) {
	data, err := os.ReadFile("testdata/manifest.golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Cases []struct{ Name, JSON, Note, Query string }
	}
	if err := json.Unmarshal(data, &golden); err != nil || len(golden.Cases) < 3 {
		t.Fatalf("%d cases, %v", len(golden.Cases), err)
	}
	for _, c := range golden.Cases {
		m, err := sdk.ParseManifestJSON([]byte(c.JSON))
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		note, err := sdk.ManifestNote(m)
		if err != nil || hex.EncodeToString(note) != c.Note {
			t.Errorf("%s: note %x, %v, want %s", c.Name, note, err, c.Note)
		}
		if got := sdk.ManifestJSON(m); string(got) != c.Query {
			t.Errorf("%s: %s, elftool prints %s", c.Name, got, c.Query)
		}
	}
}

func TestManifestJSON(t *testing.T) {
	m := hvt.Manifest{Entries: []hvt.Entry{{Name: "disk", Type: hvt.Block}, hvt.Extend("disk", hvt.BlockRing, 256),
		hvt.Extend("notes", hvt.Channel, 4096), hvt.Extend("seed", hvt.Seed, 0)}}
	if got, err := sdk.ParseManifestJSON(sdk.ManifestJSON(m)); err != nil || !reflect.DeepEqual(got, m) {
		t.Errorf("%v came back as %v, %v", m, got, err)
	}
	for name, text := range map[string]string{
		"nothing":    ``,
		"other type": `{"type":"solo5.abi","version":1,"devices":[]}`,
		"version":    `{"type":"solo5.manifest","version":2,"devices":[]}`,
		"devices":    `{"type":"solo5.manifest","version":1}`,
		"key":        `{"type":"solo5.manifest","version":1,"devices":[],"more":1}`,
		"name":       `{"type":"solo5.manifest","version":1,"devices":[{"name":"a b","type":"NET_BASIC"}]}`,
		"no name":    `{"type":"solo5.manifest","version":1,"devices":[{"type":"NET_BASIC"}]}`,
		"no type":    `{"type":"solo5.manifest","version":1,"devices":[{"name":"a"}]}`,
		"a type":     `{"type":"solo5.manifest","version":1,"devices":[{"name":"a","type":"PCI"}]}`,
		"count":      `{"type":"solo5.manifest","version":1,"devices":[{"name":"a","type":"NET_BASIC","count":1}]}`,
		"depth":      `{"type":"solo5.manifest","version":1,"devices":[{"name":"a","type":"BLOCK_RING","count":3}]}`,
		"tail":       `{"type":"solo5.manifest","version":1,"devices":[]} {}`,
	} {
		if m, err := sdk.ParseManifestJSON([]byte(text)); !errors.Is(err, sdk.ErrManifestJSON) {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
}

func FuzzManifestJSON(f *testing.F) {
	f.Add([]byte(`{"type":"solo5.manifest","version":1,"devices":[{"name":"a","type":"CHANNEL","count":9}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := sdk.ParseManifestJSON(data)
		if err != nil {
			return
		}
		text := sdk.ManifestJSON(m)
		again, err := sdk.ParseManifestJSON(text)
		if err != nil || !bytes.Equal(sdk.ManifestJSON(again), text) {
			t.Fatalf("%s came back with %v", text, err)
		}
	})
}

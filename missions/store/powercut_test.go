package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/perilune/perilune/internal/durable"
	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/missions/grant"
)

// snapshot copies what is on disk at this moment, as a power cut leaves it: nothing was
// closed.
func (w *world) snapshot(what string) string {
	w.t.Helper()
	to := filepath.Join(w.t.TempDir(), what)
	from := filepath.Join(w.dir, what)
	if st, err := os.Stat(from); err == nil && st.IsDir() {
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			w.t.Fatal(err)
		}
		return to
	}
	data, err := os.ReadFile(from)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		w.t.Fatal(err)
	}
	return to
}

// restore goes on with folders and records of earlier moments.
func (w *world) restore(folders, records string) {
	w.t.Helper()
	if err := w.db.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.dir = w.t.TempDir()
	for what, from := range map[string]string{"missions": folders, "records.db": records} {
		if err := os.Rename(from, filepath.Join(w.dir, what)); err != nil {
			w.t.Fatal(err)
		}
	}
	w.open()
}

func TestActivationOutlivesAPowerCut(t *testing.T) {
	w := newWorld(t)
	in := w.activate(spec{block: bytes.Repeat([]byte("moon"), 256)})
	w.restore(w.snapshot("missions"), w.snapshot("records.db"))
	w.wantActive("borealis/earth 1.0.0")
	w.wantTidy()
	got := w.store.Get(earth)
	if got == nil || got.Digest != in.Digest || got.Image || got.Grant.Quota != quota || got.Mission.Guest.Memory != 8 {
		t.Fatalf("after the cut %+v", got)
	}
	if disk, err := os.ReadFile(got.Blobs["disk.img"]); err != nil || len(disk) != 1024 || string(disk[:4]) != "moon" {
		t.Errorf("%d octets on the device, %v", len(disk), err)
	}
	if other := w.store.Get(ids.Guest{Tenant: "acme", Mission: "earth"}); other != nil {
		t.Errorf("another tenant has %v", other.Guest())
	}
}

// TestPowerCutBetweenTheSteps builds what is on disk between each two steps of an
// activation: files, then the order's number, the highest number, then the record, then the old files.
func TestPowerCutBetweenTheSteps(t *testing.T) {
	for _, tt := range []struct {
		name              string
		newFiles, newRecs bool
		numbers           map[string]any // what is written of the order's number, and not the record
		want              string
		replay            string // rule that refuses the order when it is sent again; "" if it holds
	}{
		{"before any", false, false, nil, "1.0.0", ""},
		{"after the files", true, false, nil, "1.0.0", ""},
		{"after the number", true, false, map[string]any{"used": grant.Used{Last: 2, Seen: 3}}, "1.0.0", missions.RuleSequence},
		{"after the highest", true, false, map[string]any{"used": grant.Used{Last: 2, Seen: 3}, "last": 2}, "1.0.0", missions.RuleSequence},
		{"after the record", true, true, nil, "2.0.0", missions.RuleSequence},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.activate(spec{})
			oldFiles, oldRecords := w.snapshot("missions"), w.snapshot("records.db")
			path, digest := w.pack(spec{version: "2.0.0"})
			order := w.order(digest)
			if _, err := w.store.Activate(path, order); err != nil {
				t.Fatal(err)
			}
			folders, records := oldFiles, oldRecords
			if tt.newFiles {
				// Both versions lie there until the last step.
				folders = w.snapshot("missions")
				if err := os.CopyFS(folders, os.DirFS(oldFiles)); err != nil {
					t.Fatal(err)
				}
			}
			if tt.newRecs {
				records = w.snapshot("records.db")
			}
			if tt.numbers != nil {
				db, err := durable.Open(records)
				if err != nil {
					t.Fatal(err)
				}
				for key, v := range tt.numbers {
					if err := db.Put("orders", key, v); err != nil {
						t.Fatal(err)
					}
				}
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
			}
			w.restore(folders, records)
			w.wantActive("borealis/earth " + tt.want)
			w.wantTidy()
			_, err := w.store.Activate(path, order)
			if tt.replay != "" {
				w.wantRule(err, tt.replay)
				_, err = w.store.Activate(path, w.order(digest))
			}
			if err != nil {
				t.Fatal(err)
			}
			w.wantActive("borealis/earth 2.0.0")
			w.wantTidy()
		})
	}
}

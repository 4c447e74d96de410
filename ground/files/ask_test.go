package files_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/internal/client"
)

// states counts the transfers in each state.
func (r *rig) states() map[string]int {
	n := map[string]int{}
	for _, t := range r.files.Transfers() {
		n[string(t.State)]++
	}
	return n
}

// More questions at once than the craft sends answers at once are all answered.
func TestManyQuestions(t *testing.T) {
	r := rigWith(t, cfdp.Config{Serve: true, Limits: cfdp.Limits{MaxTransactions: 4}})
	if err := os.WriteFile(filepath.Join(r.board, "a"), []byte("octets"), 0o644); err != nil {
		t.Fatal(err)
	}
	for i := range 24 {
		ask := client.Ask{Kind: client.AskList}
		if i%2 == 1 {
			ask = client.Ask{Kind: client.AskGet, Name: "a"}
		}
		if _, err := r.files.Ask(r.now, ask); err != nil {
			t.Fatal(err)
		}
	}
	for range 300 { // questions that found the craft full are repeated by timers
		r.carry(50)
	}
	for _, a := range r.files.Transfers() {
		if a.Up && a.State != client.TransferFinished {
			t.Errorf("%s %s: %s, %s", a.Asks, a.Name, a.State, a.Condition)
		}
	}
}

// A question that is never answered fails, when nothing has come down for as long as the
// timers have it; time without signal does not count. Until then it can be cancelled.
func TestUnanswered(t *testing.T) {
	r := newRig(t) // its craft answers nothing
	for range 2 {
		if _, err := r.files.Ask(r.now, client.Ask{Kind: client.AskList}); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		r.carry(50)
	}
	if n := r.states(); n[string(client.TransferActive)] != 2 {
		t.Fatalf("%v", n)
	}
	first := r.files.Transfers()[0]
	if got, err := r.files.Control(r.now, first.ID, "cancel"); err != nil || got.State != client.TransferFailed {
		t.Errorf("cancelled: %+v, %v", got, err)
	}
	r.files.Freeze(r.now, true)
	r.now = r.now.Add(10 * time.Hour)
	r.files.Tick(r.now)
	r.files.Freeze(r.now, false)
	r.now = r.now.Add(time.Minute)
	next := r.files.Tick(r.now)
	if n := r.states(); n[string(client.TransferActive)] != 1 {
		t.Fatalf("after a pass without signal: %v", n)
	}
	for range 100 {
		if next.IsZero() {
			t.Fatal("no timer runs, and a question is open")
		}
		r.now = next
		if next = r.files.Tick(r.now); r.states()[string(client.TransferActive)] == 0 {
			return
		}
	}
	t.Errorf("still open: %v", r.states())
}

// A record that is damaged, or of a newer program, costs its transfer and no other, and
// does not keep the station from starting.
func TestDamagedRecord(t *testing.T) {
	r := newRig(t)
	data := bytes.Repeat([]byte("perilune"), 1000)
	if _, err := r.files.Upload(r.now, bytes.NewReader(data), client.Put{Dest: "a"}); err != nil {
		t.Fatal(err)
	}
	r.close()
	db, err := bolt.Open(filepath.Join(r.dir, "db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte("cfdp"))
		for key, value := range map[string]string{"send-1-7": "\x01torn", "send-1-8": "", "closed": "\x63of another version"} {
			if err := b.Put([]byte(key), []byte(value)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	r.open()
	for range 40 {
		r.carry(20)
	}
	if got, err := os.ReadFile(filepath.Join(r.board, "a")); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d octets arrived, %v", len(got), err)
	}
}

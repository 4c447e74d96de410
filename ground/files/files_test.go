package files_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/ground/files"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/internal/durable"
)

var start = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// rig is our end and a craft's entity, with a hand that carries PDUs between them.
type rig struct {
	t      *testing.T
	dir    string
	db     *durable.DB
	files  *files.Files
	craft  *cfdp.Entity
	board  string
	now    time.Time
	events []client.Event
}

func newRig(t *testing.T) *rig {
	t.Helper()
	return rigWith(t, cfdp.Config{})
}

// rigWith has a craft of its own kind.
func rigWith(t *testing.T, craft cfdp.Config) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), board: t.TempDir(), now: start}
	store, err := cfdp.DirStore(r.board)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	craft.Local, craft.Store = files.EntityCraft, store
	if r.craft, err = cfdp.New(craft, cfdp.Events{}); err != nil {
		t.Fatal(err)
	}
	r.open()
	t.Cleanup(r.close)
	return r
}

func (r *rig) open() {
	r.t.Helper()
	var err error
	if r.db, err = durable.Open(filepath.Join(r.dir, "db")); err != nil {
		r.t.Fatal(err)
	}
	r.files, err = files.Open(files.Config{
		Dir: r.dir, State: r.db, Now: r.now, Log: slog.New(slog.DiscardHandler),
		Event: func(e files.Event) { r.events = append(r.events, e) },
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) close() {
	if err := errors.Join(r.files.Close(), r.db.Close()); err != nil {
		r.t.Error(err)
	}
}

// carry moves at most n PDUs each way and lets a second pass.
func (r *rig) carry(n int) {
	r.now = r.now.Add(time.Second)
	for range n {
		if pdu, ok := r.files.Next(r.now); ok {
			_ = r.craft.Receive(r.now, pdu) // what it cannot use it need not take
		}
		if pdu, ok := r.craft.Next(r.now); ok {
			_ = r.files.Receive(r.now, pdu, 99)
		}
	}
	r.craft.Tick(r.now)
	r.files.Tick(r.now)
}

func (r *rig) last(kind string) client.Event {
	for i := len(r.events) - 1; i >= 0; i-- {
		if r.events[i].Kind == kind {
			return r.events[i]
		}
	}
	r.t.Fatalf("no event %s", kind)
	return client.Event{}
}

func TestUploadGoesOnAfterARestart(t *testing.T) {
	r := newRig(t)
	data := bytes.Repeat([]byte("perilune"), 10_000)
	up, err := r.files.Upload(r.now, bytes.NewReader(data), client.Put{Dest: "bundles/a.tar"})
	if err != nil {
		t.Fatal(err)
	}
	r.carry(20)
	r.close()
	stray := filepath.Join(r.dir, "outbox", "up-0") // of an upload that a crash ended
	if err := os.WriteFile(stray, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r.open()
	if _, err := os.Lstat(stray); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a stray file stays in the outbox: %v", err)
	}
	again := r.files.Transfers()
	if len(again) != 1 || again[0].ID != up.ID || again[0].State != client.TransferActive || again[0].Name != "bundles/a.tar" {
		t.Fatalf("after a restart %+v", again)
	}
	for range 40 {
		r.carry(20)
	}
	got, err := os.ReadFile(filepath.Join(r.board, "bundles", "a.tar"))
	if err != nil || !bytes.Equal(got, data) {
		t.Fatalf("%d octets arrived, %v", len(got), err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if end, err := r.files.Wait(ctx, up.ID); err != nil || end.State != client.TransferFinished {
		t.Errorf("end %+v, %v", end, err)
	}
	if left, _ := filepath.Glob(filepath.Join(r.dir, "outbox", "up-*")); len(left) > 0 {
		t.Errorf("left in the outbox: %v", left)
	}
}

func TestReceivedFileHasItsOrigin(t *testing.T) {
	r := newRig(t)
	for name, data := range map[string]string{"product.bin": "abc"} {
		if err := os.WriteFile(filepath.Join(r.board, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.craft.Put(r.now, cfdp.Put{Dest: files.EntityGround, Source: "product.bin", DestName: "acme/beacon/log.txt", Class: 2}); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		r.carry(20)
	}
	// The record of another file, half of which is there: it hides none.
	if err := os.WriteFile(filepath.Join(r.dir, "provenance", "half.json"), []byte(`{"name": "ha`), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := r.files.List()
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	f := all[0]
	// FIPS 180-2, appendix B.1: the digest of "abc".
	const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if f.Name != "acme/beacon/log.txt" || f.Tenant != "acme" || f.Mission != "beacon" || f.Size != 3 || f.SHA256 != abc {
		t.Errorf("origin %+v", f)
	}
	if e := r.last(client.KindFileFinished); e.Bit != 99 || e.Field("sha256") != abc || e.Field("direction") != "down" {
		t.Errorf("event %+v", e)
	}
	file, err := r.files.OpenFile(f.Name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if got, _ := io.ReadAll(file); string(got) != "abc" {
		t.Errorf("content %q", got)
	}
}

func TestNamesStayInTheirFolders(t *testing.T) {
	r := newRig(t)
	for _, name := range []string{"", "/etc/passwd", "../up", "a/../../b", "a\\b", "a\x00b", string(bytes.Repeat([]byte("n"), 300))} {
		if _, err := r.files.Upload(r.now, bytes.NewReader(nil), client.Put{Dest: name}); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("upload to %q: %v", name, err)
		}
	}
	if err := os.WriteFile(filepath.Join(r.dir, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../secret", filepath.Join(r.dir, "files", "link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link", "../secret", "../db", ".", "none"} {
		if f, err := r.files.OpenFile(name); err == nil {
			f.Close()
			t.Errorf("%q was opened", name)
		}
	}
}

func TestFailedTransferIsToldAsSuch(t *testing.T) {
	r := newRig(t)
	up, err := r.files.Upload(r.now, bytes.NewReader([]byte("x")), client.Put{Dest: "dir/x"})
	if err != nil {
		t.Fatal(err)
	}
	// On board a file stands where a folder would have to be.
	if err := os.WriteFile(filepath.Join(r.board, "dir"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for range 60 {
		r.carry(20)
	}
	all := r.files.Transfers()
	if len(all) != 1 || all[0].ID != up.ID || all[0].State != client.TransferFailed || all[0].Condition == "" {
		t.Errorf("%+v", all)
	}
}

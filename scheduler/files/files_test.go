package files_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/bus"
	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/scheduler/depot"
	"github.com/perilune/perilune/scheduler/files"
	"github.com/perilune/perilune/scheduler/safe"
)

type world struct {
	t       *testing.T
	dir     string
	records *safe.Records
	disk    files.Records // of transfers; the records unless a test has another
	clock   *clock.Fake
	board   *files.Files
	ground  *cfdp.Entity
	events  []string
	depot   *depot.Depot // nil: without bounds
	bounds  files.Depot  // its own unless a test has another
	maxPDU  int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), records: safe.NewRecords(), clock: clock.NewFake(time.Unix(1000, 0))}
	w.disk = w.records
	for _, d := range []string{"incoming", "products", "ground"} {
		if err := os.Mkdir(filepath.Join(w.dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	store, err := cfdp.DirStore(filepath.Join(w.dir, "ground"))
	if err != nil {
		t.Fatal(err)
	}
	if w.ground, err = cfdp.New(cfdp.Config{Local: files.EntityGround, Store: store}, cfdp.Events{}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) open() {
	w.t.Helper()
	var err error
	w.board, err = files.New(files.Config{
		Incoming: filepath.Join(w.dir, "incoming"), Products: filepath.Join(w.dir, "products"),
		Saver: files.Saver{Records: w.disk}, Clock: w.clock, Log: slog.New(slog.DiscardHandler),
		Event:   func(_ uint8, id pus.EventID, text string) { w.events = append(w.events, id.String()+": "+text) },
		Publish: func(bus.Event) {}, Depot: w.bounds, MaxPDU: w.maxPDU,
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// quota has a depot of so many octets bound what comes in.
func (w *world) quota(octets uint64) {
	w.t.Helper()
	var err error
	if w.depot, err = depot.Open(filepath.Join(w.dir, "incoming"), w.records, octets, 100); err != nil {
		w.t.Fatal(err)
	}
	w.bounds = w.depot
	w.t.Cleanup(func() { _ = w.depot.Close() })
}

func (w *world) write(name string, data []byte) {
	w.t.Helper()
	file := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// next is what the craft sends next.
func (w *world) next() ([]byte, bool) {
	w.board.Prepare()
	return w.board.Next()
}

// exchange carries PDUs both ways until neither side has any, at most n rounds. Both
// take all of them.
func (w *world) exchange(n int) {
	w.t.Helper()
	for _, err := range w.carry(n) {
		w.t.Fatal(err)
	}
}

// carry is exchange with what was said to PDUs that were not taken.
func (w *world) carry(n int) (refused []error) {
	w.t.Helper()
	for range n {
		down, ok1 := w.next()
		if ok1 {
			if err := w.ground.Receive(w.clock.Now(), down); err != nil {
				refused = append(refused, err)
			}
		}
		up, ok2 := w.ground.Next(w.clock.Now())
		if ok2 {
			if err := w.board.Receive(up); err != nil {
				refused = append(refused, err)
			}
		}
		if !ok1 && !ok2 {
			break
		}
	}
	return refused
}

func (w *world) has(event string) bool {
	for _, e := range w.events {
		if strings.HasPrefix(e, event) {
			return true
		}
	}
	return false
}

func TestBothWays(t *testing.T) {
	w := newWorld(t)
	w.open()
	bundle := bytes.Repeat([]byte("bundle"), 5000)
	w.write("ground/bundles/m.tar", bundle)
	if _, err := w.ground.Put(w.clock.Now(), cfdp.Put{Dest: files.EntityCraft, Source: "bundles/m.tar", DestName: "bundles/m.tar"}); err != nil {
		t.Fatal(err)
	}
	w.write("products/acme/beacon/p", []byte("product"))
	if err := w.board.Put("acme/beacon/p", [][]byte{[]byte("note")}); err != nil {
		t.Fatal(err)
	}
	w.exchange(1000)
	if got, err := os.ReadFile(filepath.Join(w.dir, "incoming", "bundles", "m.tar")); err != nil || !bytes.Equal(got, bundle) {
		t.Errorf("%d octets came up, %v", len(got), err)
	}
	if got, err := os.ReadFile(filepath.Join(w.dir, "ground", "acme", "beacon", "p")); err != nil || string(got) != "product" {
		t.Errorf("%q came down, %v", got, err)
	}
	if !w.has("bundle staged: bundles/m.tar, 30000 octets") || !w.has("product sent: acme/beacon/p") {
		t.Errorf("events %q", w.events)
	}
	if _, err := os.Stat(filepath.Join(w.dir, "products", "acme", "beacon", "p")); !os.IsNotExist(err) {
		t.Errorf("the product is still on board: %v", err)
	}
}

// More products than an entity has transactions all come down, and a tenant that has many
// does not keep another one's waiting behind them, nor the ground's questions.
func TestManyProducts(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.board.Freeze(true) // no contact
	put := func(name string) {
		w.write("products/"+name, []byte(name))
		if err := w.board.Put(name, nil); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 1200 {
		put(fmt.Sprintf("many/m/p%d", i))
	}
	put("one/m/p")
	w.board.Freeze(false)
	down := func(name string) bool {
		_, err := os.Stat(filepath.Join(w.dir, "ground", name))
		return err == nil
	}
	list, err := cfdp.Listing(files.EntityCraft, "", "list")
	if err == nil {
		_, err = w.ground.Put(w.clock.Now(), list)
	}
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < 200 && !(down("one/m/p") && down("list")); i++ {
		w.exchange(20)
	}
	if !down("one/m/p") || !down("list") {
		t.Errorf("the product of the one is down: %v, the listing: %v", down("one/m/p"), down("list"))
	}
	if down("many/m/p1000") {
		t.Error("all of the many went first")
	}
	w.exchange(20000)
	if all, err := filepath.Glob(filepath.Join(w.dir, "ground", "many", "m", "*")); err != nil || len(all) != 1200 {
		t.Errorf("%d of 1200 came down, %v", len(all), err)
	}
	if left, err := filepath.Glob(filepath.Join(w.dir, "products", "*", "*", "*")); err != nil || len(left) != 0 {
		t.Errorf("%d are left on board, %v", len(left), err)
	}
}

// A product that finds all transactions taken by what the ground asked for follows them.
func TestProductBehindQuestions(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.write("incoming/a", []byte("octets"))
	for i := range 64 {
		p, err := cfdp.Proxy(files.EntityCraft, cfdp.Put{Dest: files.EntityGround, Source: "a", DestName: fmt.Sprint("back", i)})
		if err == nil {
			_, err = w.ground.Put(w.clock.Now(), p)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for { // the questions come, and nothing goes down
		up, ok := w.ground.Next(w.clock.Now())
		if !ok {
			break
		}
		if err := w.board.Receive(up); err != nil {
			t.Fatal(err)
		}
	}
	w.write("products/acme/beacon/p", []byte("product"))
	if err := w.board.Put("acme/beacon/p", nil); err != nil {
		t.Fatal(err)
	}
	w.exchange(5000)
	if back, err := filepath.Glob(filepath.Join(w.dir, "ground", "back*")); err != nil || len(back) != 64 {
		t.Errorf("%d of 64 came back, %v", len(back), err)
	}
	if got, err := os.ReadFile(filepath.Join(w.dir, "ground", "acme", "beacon", "p")); err != nil || string(got) != "product" {
		t.Errorf("%q came down, %v", got, err)
	}
}

// A product that the ground could not take comes again in the next contact, and one that the
// ground has cancelled does not.
func TestProductThatFailed(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.write("ground/acme", []byte("in the way"))
	for _, name := range []string{"acme/beacon/p", "other/beacon/p"} {
		w.write("products/"+name, bytes.Repeat([]byte("product"), 1000))
		if err := w.board.Put(name, nil); err != nil {
			t.Fatal(err)
		}
	}
	w.exchange(8)
	for _, i := range w.ground.Transactions() {
		if i.DestName == "other/beacon/p" {
			if err := w.ground.Cancel(i.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.carry(1000)
	down := func(name string) bool {
		_, err := os.Stat(filepath.Join(w.dir, "ground", name))
		return err == nil
	}
	if down("acme/beacon/p") || down("other/beacon/p") {
		t.Fatal("a product is down: the test tries nothing")
	}
	if err := os.Remove(filepath.Join(w.dir, "ground", "acme")); err != nil {
		t.Fatal(err)
	}
	w.carry(1000)
	if down("acme/beacon/p") {
		t.Error("it was sent again within the contact")
	}
	w.board.Freeze(true)
	w.board.Freeze(false)
	w.exchange(1000)
	if !down("acme/beacon/p") || down("other/beacon/p") {
		t.Errorf("in the next contact: the one %v, the cancelled one %v", down("acme/beacon/p"), down("other/beacon/p"))
	}
}

// Where frames are short, what is said about a product is longer than a piece of it.
func TestLongNotesInShortFrames(t *testing.T) {
	w := newWorld(t)
	w.maxPDU = 256
	w.open()
	part := strings.Repeat("n", 32)
	name := part + "/" + part + "/" + strings.Repeat("p", 64) // the longest there is
	w.write("products/"+name, bytes.Repeat([]byte("product"), 1000))
	var notes [][]byte
	for range 4 {
		notes = append(notes, bytes.Repeat([]byte("note "), 20))
	}
	if err := w.board.Put(name, notes); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		pdu, ok := w.next()
		if !ok {
			break
		}
		if _, b, err := cfdp.Decode(pdu); err != nil {
			t.Fatal(err)
		} else if _, data := b.(*cfdp.FileData); data && len(pdu) > w.maxPDU {
			t.Fatalf("file data of %d octets", len(pdu))
		}
		if err := w.ground.Receive(w.clock.Now(), pdu); err != nil {
			t.Fatal(err)
		}
	}
	w.exchange(100)
	if st, err := os.Stat(filepath.Join(w.dir, "ground", name)); err != nil || st.Size() != 7000 {
		t.Errorf("%v, %v", st, err)
	}
}

// After a restart: a transfer under way goes on, a product without one is offered, one
// that is not complete is left alone.
func TestRestart(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.write("products/acme/beacon/long", bytes.Repeat([]byte{7}, 50_000))
	if err := w.board.Put("acme/beacon/long", nil); err != nil {
		t.Fatal(err)
	}
	w.exchange(20)
	w.write("products/acme/beacon/left", []byte("left"))
	w.write("products/acme/beacon/~part", []byte("part"))
	w.open()
	w.exchange(1000)
	for name, size := range map[string]int64{"long": 50_000, "left": 4} {
		if st, err := os.Stat(filepath.Join(w.dir, "ground", "acme", "beacon", name)); err != nil || st.Size() != size {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.Stat(filepath.Join(w.dir, "products", "acme", "beacon", "~part")); err != nil {
		t.Error(err)
	}
	sent := 0
	for _, e := range w.events {
		if strings.HasPrefix(e, "product sent") {
			sent++
		}
	}
	if sent != 2 {
		t.Errorf("events %q", w.events)
	}
}

func TestFrozen(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.write("products/a/b/p", []byte("x"))
	if err := w.board.Put("a/b/p", nil); err != nil {
		t.Fatal(err)
	}
	w.board.Freeze(true)
	if _, ok := w.next(); ok {
		t.Error("a frozen craft sends")
	}
	w.clock.Advance(100 * time.Hour)
	if after, _ := w.board.Tick(); after != time.Minute {
		t.Errorf("a frozen craft has a timer in %v", after)
	}
	w.board.Freeze(false)
	w.exchange(100)
	if !w.has("product sent") {
		t.Errorf("events %q", w.events)
	}
}

func TestHostile(t *testing.T) {
	w := newWorld(t)
	w.open()
	for _, pdu := range [][]byte{nil, {0}, bytes.Repeat([]byte{0xFF}, 900)} {
		if err := w.board.Receive(pdu); err == nil {
			t.Errorf("PDU % x was taken", pdu[:min(4, len(pdu))])
		}
	}
	for _, name := range []string{"../records.db", "/etc/passwd", "nothing"} {
		if err := w.board.Put(name, nil); err == nil {
			t.Errorf("sends %q", name)
		}
	}
}

// The ground may list, fetch and change what it sent up, and nothing else: tenants'
// products, what is unfinished and what lies beside the folder are out of its reach.
func TestGroundAsks(t *testing.T) {
	w := newWorld(t)
	w.open()
	w.write("incoming/bundles/m.tar", []byte("bundle"))
	w.write("products/acme/beacon/secret", []byte("secret"))
	w.write("secret", []byte("secret"))
	w.board.Freeze(true) // the product itself would come down by right
	ask := func(p cfdp.Put, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.ground.Put(w.clock.Now(), p); err != nil {
			t.Fatal(err)
		}
	}
	ask(cfdp.Listing(files.EntityCraft, "", "list"))
	ask(cfdp.Proxy(files.EntityCraft, cfdp.Put{Dest: files.EntityGround, Source: "bundles/m.tar", DestName: "back"}))
	for i, name := range []string{"acme/beacon/secret", "../secret", "../products/acme/beacon/secret"} {
		ask(cfdp.Proxy(files.EntityCraft, cfdp.Put{Dest: files.EntityGround, Source: name, DestName: "loot" + string(rune('0'+i))}))
		ask(cfdp.Put{Dest: files.EntityCraft, Requests: []cfdp.FilestoreRequest{{Action: cfdp.ActionDeleteFile, First: name}}}, nil)
		ask(cfdp.Put{Dest: files.EntityCraft, Requests: []cfdp.FilestoreRequest{{Action: cfdp.ActionRenameFile, First: "bundles/m.tar", Second: name}}}, nil)
	}
	w.board.Freeze(false)
	w.exchange(2000)
	if got, err := os.ReadFile(filepath.Join(w.dir, "ground", "back")); err != nil || string(got) != "bundle" {
		t.Errorf("%q came down, %v", got, err)
	}
	if got, err := os.ReadFile(filepath.Join(w.dir, "ground", "list")); err != nil || !strings.Contains(string(got), " bundles\n") || strings.Contains(string(got), "acme") {
		t.Errorf("listing %q, %v", got, err)
	}
	if loot, err := filepath.Glob(filepath.Join(w.dir, "ground", "loot*")); err != nil || len(loot) > 0 {
		t.Errorf("%v came down", loot)
	}
	for _, name := range []string{"incoming/bundles/m.tar", "products/acme/beacon/secret", "secret"} {
		if _, err := os.Stat(filepath.Join(w.dir, name)); err != nil {
			t.Error(err)
		}
	}
}

// What filestore requests make is held to the bounds of what uploads bring.
func TestRequestsInBounds(t *testing.T) {
	w := newWorld(t)
	w.write("incoming/a", make([]byte, 60))
	w.write("incoming/b", make([]byte, 50))
	w.quota(180)
	w.open()
	ask := func(r cfdp.FilestoreRequest) {
		t.Helper()
		if _, err := w.ground.Put(w.clock.Now(), cfdp.Put{Dest: files.EntityCraft, Requests: []cfdp.FilestoreRequest{r}}); err != nil {
			t.Fatal(err)
		}
		w.exchange(20)
	}
	ask(cfdp.FilestoreRequest{Action: cfdp.ActionAppendFile, First: "a", Second: "b"})
	ask(cfdp.FilestoreRequest{Action: cfdp.ActionAppendFile, First: "b", Second: "c"}) // not there
	ask(cfdp.FilestoreRequest{Action: cfdp.ActionReplaceFile, First: "b", Second: "a"})
	for name, want := range map[string]int64{"a": 60, "b": 60} {
		if st, err := os.Stat(filepath.Join(w.dir, "incoming", name)); err != nil || st.Size() != want {
			t.Errorf("%s: %v, %v; want %d octets", name, st, err, want)
		}
	}
}

// An upload goes on after a restart in its middle: what the craft had written down is
// not sent again.
func TestUploadThroughRestart(t *testing.T) {
	w := newWorld(t)
	w.open()
	const size = 900_000
	w.write("ground/big", bytes.Repeat([]byte("upload"), size/6))
	if _, err := w.ground.Put(w.clock.Now(), cfdp.Put{Dest: files.EntityCraft, Source: "big", DestName: "big"}); err != nil {
		t.Fatal(err)
	}
	w.exchange(600)
	w.open()
	sent := 0
	for range 5000 {
		up, ok := w.ground.Next(w.clock.Now())
		if ok {
			if _, b, err := cfdp.Decode(up); err == nil {
				if d, is := b.(*cfdp.FileData); is {
					sent += len(d.Data)
				}
			}
			if err := w.board.Receive(up); err != nil {
				t.Fatal(err)
			}
		}
		down, ok2 := w.next()
		if ok2 {
			if err := w.ground.Receive(w.clock.Now(), down); err != nil {
				t.Fatal(err)
			}
		}
		if !ok && !ok2 {
			break
		}
	}
	if st, err := os.Stat(filepath.Join(w.dir, "incoming", "big")); err != nil || st.Size() != size {
		t.Fatalf("%v, %v", st, err)
	}
	if left := size - 600*884; sent > left+size/10 {
		t.Errorf("%d octets were sent after the restart, of which %d were new", sent, left)
	}
}

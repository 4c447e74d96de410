package hostile_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/perilune/perilune/tender/tendertest"
)

// change is one edit of the tender's source that takes a defence away.
type change struct{ file, old, new string }

// defences, by name, and what takes each away.
var defences = map[string][]change{
	"bounds": {{"tender/memory.go", "func (m *memory) slice(gpa, n uint64, allowed func(zone) bool) ([]byte, error) {",
		`func (m *memory) slice(gpa, n uint64, allowed func(zone) bool) ([]byte, error) {
	if end := m.limit; gpa >= end || n > end-gpa {
		return m.b[gpa : gpa+n], nil
	}`}},
	"zones": {{"tender/memory.go", "z.start < gpa+n && !allowed(z)", "z.start < gpa+n && !allowed(z) && false"}},
	"disk": {{"tender/modules/block.go", "return io.Offset < d.capacity &&",
		"return true || io.Offset < d.capacity &&"}},
	"handle": {
		{"tender/hypercalls.go", "io.Handle < hvt.MaxEntries && m.blocks[io.Handle] != nil", "true"},
		{"tender/hypercalls.go", "io.Handle < hvt.MaxEntries && m.nets[io.Handle] != nil", "true"},
	},
	"protection": {{"tender/memory.go", "err := unix.Mprotect(m.b[start:end], prot)", "err := error(nil)"}},
	"stop":       {{"tender/kvm/vcpu.go", "tid := c.tid.Load(); tid != 0", "tid := c.tid.Load(); tid == -1"}},
	"console":    {{"tender/slot/console.go", "c.allow(float64(n)) && c.send", "c.send"}},
	"limit":      {{"tender/modules/net.go", "if d.limit > 0 && (", "if false && ("}},
	// The record is read where it lies, and once more a while after its check.
	"copy": {
		{"tender/hypercalls.go", "r := record[:copy(record[:], src)]", "r := src; _ = record"},
		{"tender/hypercalls.go", "m.blocks[io.Handle] != nil {", "m.blocks[io.Handle] != nil {\n\t\ttime.Sleep(20 * time.Microsecond)\n\t\tio, _ = hvt.DecodeBlockIO(r)"},
		{"tender/hypercalls.go", "m.nets[io.Handle] != nil {", "m.nets[io.Handle] != nil {\n\t\ttime.Sleep(20 * time.Microsecond)\n\t\tio, _ = hvt.DecodeNetIO(r)"},
	},

	"vcpu": {
		{"tender/vcpus.go", "if int(w.CPU) < len(p.m.processors) {", "{"},
		{"tender/vcpus.go", "int(s.CPU) >= len(m.processors) || ", ""},
	},
	"place": {
		{"tender/vcpus.go", "s.Entry < hvt.MinBase || s.Stack%16 != 0 {", "false {"},
		{"tender/vcpus.go", "m.mem.Readable(s.Entry, 1); err != nil {", "m.mem.Readable(s.Entry, 1); err != nil && false {"},
		{"tender/vcpus.go", "if s.Stack < hvt.MinBase+16 {", "if false {"},
		{"tender/vcpus.go", "m.mem.Writable(s.Stack-16, 16); err != nil {", "m.mem.Writable(s.Stack-16, 16); err != nil && false {"},
	},
	"begun":    {{"tender/vcpus.go", "if p.begun {", "if false {"}},
	"extended": {{"tender/kvm/kvm.go", "n.Valid() && (v.Extended || !n.Extended())", "n.Valid()"}},
	"owner":    {{"tender/processor.go", "case p.number != 0 && ownedByFirst(n):", "case false:"}},
	"quit":     {{"tender/processor.go", "if len(m.processors) > 1 {\n\t\tm.quit()", "if false {\n\t\tm.quit()"}},
	"token":    {{"tender/processor.go", "make(chan struct{}, 1)", "make(chan struct{}, 2)"}},

	"length": {{"tender/modules/blockring.go", "s.Len > 0 && s.Len <= hvt.MaxRingTransfer &&", ""},
		{"tender/modules/block.go", "io.Len <= d.capacity-io.Offset &&", ""}},
	"tail":   {{"tender/queue/queue.go", "if left > q.depth {", "if false {"}},
	"head":   {{"tender/queue/queue.go", "if unread > q.depth {", "if false {"}},
	"record": {{"tender/extension.go", "unix.Mprotect(m.ext.mem[:hvt.RecordSize], unix.PROT_READ)", "error(nil)"}},
	"places": {{"tender/queue/queue.go", "if q.taken+unread >= q.depth {", "if false {"},
		{"tender/queue/queue.go", "min(left, q.depth-q.taken-unread)", "left"}},
	// The device works on the request where it lies.
	"ring copy": {{"tender/queue/queue.go", "q.dev.Submit(q.batch[:k], q.answer)",
		"q.dev.Submit(unsafe.Slice((*hvt.Submission)(unsafe.Pointer(&q.mem[hvt.RingSubmissions+((q.head-1)&(q.depth-1))*hvt.SubmissionSize])), 1), q.answer)"}},
	"kick":           {{"tender/kvm/kick_amd64.go", "x.Store && ", ""}, {"tender/kvm/kick_arm64.go", "!x.Store || ", ""}},
	"net ring index": {{"tender/ring/ring.go", "n > slots {", "n > slots && false {"}},
	"ring handle":    {{"tender/ring.go", "if handle >= hvt.MaxEntries {", "if false {"}},
}

// endless are the defences without which some guests, or the tender, go on for
// ever.
var endless = map[string]bool{"all of a ring": true, "begun": true, "head": true, "quit": true}

// rounds are calls that write over the guest's own stack or tables if nothing keeps them from it. On
// arm64 the exception that follows goes round for ever: these guests have no vectors.
var rounds = []string{"read 1 e00 T-1ff 200", "receive 2 T-1ff 200", "one start@2000"}

// endless says whether the row may go on for ever without its defence.
func (r row) endless() bool {
	return endless[r.defence] || runtime.GOARCH == "arm64" && slices.Contains(rounds, r.call)
}

func init() {
	for _, name := range []string{"bounds", "tail", "head", "net ring index", "ring handle"} {
		defences["all of a ring"] = append(defences["all of a ring"], defences[name]...)
	}
}

// without gives the tender that lacks one defence.
func without(t *testing.T, defence string) string {
	t.Helper()
	if tendertest.Prepared() {
		path, err := filepath.Abs(filepath.Join(preparedControls, defence))
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	overlay, err := changed(t.TempDir(), defence)
	if err != nil {
		t.Fatal(err)
	}
	prog, err := tendertest.BuildTender("-overlay", overlay)
	if err != nil {
		t.Fatal(err)
	}
	return prog
}

// changed makes a file for go build's -overlay that takes a defence away, in the folder dir.
func changed(dir, defence string) (overlay string, err error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for _, c := range defences[defence] {
		path := filepath.Join(root, c.file)
		from := path
		if replace[path] != "" {
			from = replace[path]
		}
		b, err := os.ReadFile(from)
		if err != nil {
			return "", err
		}
		if !strings.Contains(string(b), c.old) {
			return "", fmt.Errorf("%s has no %q any more", c.file, c.old)
		}
		replace[path] = filepath.Join(dir, strings.ReplaceAll(c.file, "/", "_"))
		if err := os.WriteFile(replace[path], []byte(strings.ReplaceAll(string(b), c.old, c.new)), 0o600); err != nil {
			return "", err
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o600)
}

// Without its defence, each row ends otherwise: the tender crashes or goes
// round for ever, shows what it should not, or enlarges the tenant's disk.
func TestControls(t *testing.T) {
	if testing.Short() {
		t.Skip("building several tenders takes minutes: left out of -short")
	}
	tests := map[string][]row{}
	for _, r := range rows() {
		if r.defence != "" {
			tests[r.defence] = append(tests[r.defence], r)
		}
	}
	for _, defence := range slices.Sorted(maps.Keys(tests)) {
		t.Run(defence, func(t *testing.T) {
			tender := without(t, defence)
			for _, r := range tests[defence] {
				t.Run(r.guest+" "+r.call, func(t *testing.T) { control(t, tender, r) })
			}
		})
	}
	t.Run("protection", func(t *testing.T) {
		if e := run(t, without(t, "protection"), "mmio", "w X", patience); !e.is(alive) {
			t.Errorf("text cannot be written: %+v", e)
		}
	})
}

// tries are how often a race is run without its defence: who comes first is chance, and in one
// run of thousands of rounds on a busy machine perhaps always the same.
const tries = 20

// chance says whether a row may end in the same way without its defence: a race, or a guest that
// looks a while later at what the tender has done.
func (r row) chance() bool { return r.want == "raced" || strings.HasPrefix(r.call, "full ") }

func control(t *testing.T, tender string, r row) {
	for try := 1; ; try++ {
		e := run(t, tender, r.guest, r.call, patienceWithout)
		if e.status == -1 && !r.endless() { // a slow machine, perhaps
			if e = run(t, tender, r.guest, r.call, patience); e.status == -1 {
				t.Error("does not end")
			}
		}
		switch {
		case !e.is(r.want) || setups[r.guest].disk && e.disk != 4096:
			return
		case !r.chance() || try == tries:
			t.Errorf("ends in the same way, %d times: %+v", try, e)
			return
		}
	}
}

package cfdp_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/cfdp"
)

// served is a ground, and a craft that does what the ground asks for.
func served(t *testing.T) (a, b *node, l *link) {
	t.Helper()
	a = newNode(t, ground, func(c *cfdp.Config) { c.Saver = memSaver{} })
	b = newNode(t, craft, func(c *cfdp.Config) { c.Serve, c.Saver = true, memSaver{} })
	l = newLink(t, a, b, 4)
	l.loss = 0.1
	return a, b, l
}

func act(a cfdp.Action, names ...string) cfdp.FilestoreRequest {
	f := cfdp.FilestoreRequest{Action: a, First: names[0]}
	if len(names) > 1 {
		f.Second = names[1]
	}
	return f
}

// Each action, where it may and where it may not; the answers come back.
func TestFilestoreActions(t *testing.T) {
	outside := t.TempDir()
	for _, c := range []struct {
		do   cfdp.FilestoreRequest
		want cfdp.RequestStatus
		is   string // name=content, "name" for a directory, "!name" for none
	}{
		{act(cfdp.ActionCreateFile, "new"), 0, "new="},
		{act(cfdp.ActionCreateFile, "one"), 1, "one=1"},
		{act(cfdp.ActionCreateFile, "no/such/dir"), 1, "!no"},
		{act(cfdp.ActionDeleteFile, "one"), 0, "!one"},
		{act(cfdp.ActionDeleteFile, "none"), 1, ""},
		{act(cfdp.ActionDeleteFile, "dir"), 2, "dir"},
		{act(cfdp.ActionRenameFile, "one", "uno"), 0, "uno=1"},
		{act(cfdp.ActionRenameFile, "none", "uno"), 1, "!uno"},
		{act(cfdp.ActionRenameFile, "one", "two"), 2, "two=22"},
		{act(cfdp.ActionRenameFile, "one", "no/such"), 3, "one=1"},
		{act(cfdp.ActionAppendFile, "one", "two"), 0, "one=122"},
		{act(cfdp.ActionAppendFile, "none", "two"), 1, "!none"},
		{act(cfdp.ActionAppendFile, "one", "none"), 2, "one=1"},
		{act(cfdp.ActionReplaceFile, "one", "two"), 0, "one=22"},
		{act(cfdp.ActionReplaceFile, "one", "dir"), 2, "one=1"},
		{act(cfdp.ActionCreateDirectory, "more"), 0, "more"},
		{act(cfdp.ActionCreateDirectory, "one"), 1, "one=1"},
		{act(cfdp.ActionRemoveDirectory, "empty"), 0, "!empty"},
		{act(cfdp.ActionRemoveDirectory, "none"), 1, ""},
		{act(cfdp.ActionRemoveDirectory, "dir"), 2, "dir"},
		{act(cfdp.ActionDenyFile, "one"), 0, "!one"},
		{act(cfdp.ActionDenyFile, "none"), 0, ""},
		{act(cfdp.ActionDenyFile, "dir"), 2, "dir"},
		{act(cfdp.ActionDenyDirectory, "none"), 0, ""},
		{act(cfdp.ActionDenyDirectory, "dir"), 2, "dir"},
		// Nothing leads out, and nothing to what is unfinished.
		{act(cfdp.ActionDeleteFile, "../x"), 2, ""},
		{act(cfdp.ActionDeleteFile, "out/prey"), 2, ""},
		{act(cfdp.ActionRenameFile, "one", "out/loot"), 3, "one=1"},
		{act(cfdp.ActionRenameFile, "one", "/tmp/loot"), 3, "one=1"},
		{act(cfdp.ActionAppendFile, "one", "out/prey"), 2, "one=1"},
		{act(cfdp.ActionCreateDirectory, "out/dir"), 1, ""},
		{act(cfdp.ActionRemoveDirectory, ".cfdp-part"), 2, ""},
		{act(cfdp.ActionDenyDirectory, "."), 2, ""},
	} {
		t.Run(c.do.String(), func(t *testing.T) {
			a, b, l := served(t)
			b.write("one", []byte("1"))
			b.write("two", []byte("22"))
			b.write("dir/file", []byte("x"))
			prey := filepath.Join(outside, "prey")
			err := errors.Join(os.Mkdir(filepath.Join(b.dir, "empty"), 0o755), os.Symlink(outside, filepath.Join(b.dir, "out")),
				os.WriteFile(prey, []byte("prey"), 0o644))
			if err != nil {
				t.Fatal(err)
			}
			id := a.put(l, cfdp.Put{Dest: craft, Requests: []cfdp.FilestoreRequest{c.do, act(cfdp.ActionCreateFile, "second")}})
			l.run(3000, l.quiet)
			got := a.check(id, cfdp.NoError).Responses
			second := cfdp.RequestNotPerformed
			if c.want == cfdp.RequestDone {
				second = cfdp.RequestDone
			}
			if len(got) != 2 || got[0].FilestoreRequest != c.do || got[0].Status != c.want || got[1].Status != second {
				t.Errorf("responses %v", got)
			}
			if b.exists("second") != (c.want == cfdp.RequestDone) {
				t.Error("what follows a request that fails is not performed")
			}
			checkFile(t, b, c.is)
			if all, err := os.ReadDir(outside); err != nil || len(all) != 1 {
				t.Errorf("outside: %v, %v", all, err)
			}
		})
	}
}

func checkFile(t *testing.T, n *node, is string) {
	t.Helper()
	name, content, file := strings.Cut(is, "=")
	switch gone := strings.TrimPrefix(name, "!"); {
	case is == "":
	case gone != name:
		if n.exists(gone) {
			t.Errorf("%s is there", gone)
		}
	case !file:
		if !n.exists(name) {
			t.Errorf("%s is not there", name)
		}
	case string(n.read(name)) != content:
		t.Errorf("%s holds %q", name, n.read(name))
	}
}

// A restart in the middle of the requests does not carry them out twice, and
// the answer survives.
func TestRequestsOnce(t *testing.T) {
	a, b, l := served(t)
	a.write("in", []byte("new"))
	b.write("log", []byte("old"))
	id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "part", Requests: []cfdp.FilestoreRequest{act(cfdp.ActionAppendFile, "log", "part"), act(cfdp.ActionDeleteFile, "part")}})
	l.watch = func(to *node, pdu []byte) bool { return to == b } // the craft is not heard
	for len(b.finished) == 0 {
		l.step()
	}
	b.restart()
	b.restart()
	l.watch = nil
	l.run(3000, l.quiet)
	if i := a.check(id, cfdp.NoError); len(i.Responses) != 2 || i.Responses[1].Status != cfdp.RequestDone {
		t.Errorf("%v", i.Responses)
	}
	if got := string(b.read("log")); got != "oldnew" || b.exists("part") {
		t.Errorf("log %q", got)
	}
}

// The ground fetches a file by a proxy put; how it went comes back.
func TestProxyPut(t *testing.T) {
	for _, class := range []int{1, 2} {
		a, b, l := served(t)
		if class == 1 {
			l.loss = 0
		}
		data := pattern(20_000, 3)
		b.write("there", data)
		p, err := cfdp.Proxy(craft, cfdp.Put{Dest: ground, Source: "there", DestName: "here", Class: class, Messages: [][]byte{[]byte("hello")}})
		if err != nil {
			t.Fatal(err)
		}
		id := a.put(l, p)
		l.run(8000, func() bool { return l.quiet() && len(l.flight) == 0 })
		a.check(id, cfdp.NoError)
		if !bytes.Equal(a.read("here"), data) {
			t.Error("file differs")
		}
		answered := false
		for _, i := range a.finished {
			for _, v := range i.Messages {
				m, _, err := cfdp.DecodeMessage(v)
				answered = answered || err == nil && m.Type == cfdp.MessageProxyPutResponse && m.Faulty == cfdp.NoError
			}
			if i.DestName == "here" && (i.Class != class || string(i.Messages[0]) != "hello") {
				t.Errorf("%+v", i)
			}
		}
		if !answered {
			t.Error("no answer")
		}
	}
}

// What cannot be sent is refused by an answer; who does not serve says nothing.
func TestProxyRefused(t *testing.T) {
	a, b, l := served(t)
	for _, name := range []string{"none", "../x", "/etc/passwd"} {
		p, err := cfdp.Proxy(craft, cfdp.Put{Dest: ground, Source: name, DestName: "here"})
		if err != nil {
			t.Fatal(err)
		}
		id := a.put(l, p)
		l.run(5000, l.quiet)
		found := false
		for _, i := range a.finished {
			var refused, ours bool
			for _, v := range i.Messages {
				m, _, _ := cfdp.DecodeMessage(v)
				refused = refused || m.Type == cfdp.MessageProxyPutResponse && m.Faulty == cfdp.FilestoreRejection
				ours = ours || m.Type == cfdp.MessageOriginating && m.ID == id
			}
			found = found || refused && ours
		}
		if !found || a.exists("here") {
			t.Errorf("%s: no answer", name)
		}
	}
	a.write("secret", []byte("x"))
	p, err := cfdp.Proxy(ground, cfdp.Put{Dest: craft, Source: "secret", DestName: "loot"})
	if err != nil {
		t.Fatal(err)
	}
	b.put(l, p)
	l.run(5000, l.quiet)
	if b.exists("loot") {
		t.Error("an entity that does not serve sent a file")
	}
}

func TestDirectoryListing(t *testing.T) {
	a, b, l := served(t)
	b.write("dir/one", []byte("1"))
	b.write("dir/two\nlines", nil)
	b.write("dir/sub/x", nil)
	p, err := cfdp.Listing(craft, "dir", "list.txt")
	if err != nil {
		t.Fatal(err)
	}
	a.put(l, p)
	l.run(5000, l.quiet)
	line := strings.Split(string(a.read("list.txt")), "\n")
	if len(line) != 4 || !strings.HasPrefix(line[0], "f 1 ") || !strings.HasSuffix(line[0], " one") ||
		!strings.HasPrefix(line[1], "d ") || !strings.HasSuffix(line[2], ` "two\nlines"`) {
		t.Errorf("%q", line)
	}
	for _, dir := range []string{"none", "..", "dir/one"} {
		if p, err = cfdp.Listing(craft, dir, "none.txt"); err != nil {
			t.Fatal(err)
		}
		a.put(l, p)
		l.run(5000, l.quiet)
		if a.exists("none.txt") {
			t.Errorf("%s is listed", dir)
		}
	}
}

// The ground suspends what the craft sends, hears how far it is, and lets it go
// on; with transactions of others it cannot meddle.
func TestRemoteControl(t *testing.T) {
	a, b, l := served(t)
	b.write("big", pattern(400_000, 1))
	down := b.put(l, cfdp.Put{Dest: ground, Source: "big", DestName: "big"})
	ask := func(m cfdp.MessageType, id cfdp.TransactionID) cfdp.Message {
		p := cfdp.Put{Dest: craft}
		if err := p.Message(cfdp.Message{Type: m, ID: id, First: "report"}); err != nil {
			t.Fatal(err)
		}
		mine := a.put(l, p)
		var answer cfdp.Message
		l.run(4000, func() bool {
			for _, i := range a.finished {
				ours := false
				var got cfdp.Message
				for _, v := range i.Messages {
					m2, _, _ := cfdp.DecodeMessage(v)
					ours = ours || m2.Type == cfdp.MessageOriginating && m2.ID == mine
					if m2.Type == m+1 {
						got = m2
					}
				}
				if ours {
					answer = got
				}
			}
			return answer.Type != 0
		})
		return answer
	}
	if m := ask(cfdp.MessageSuspend, down); !m.Flag || m.Status != cfdp.StatusActive || m.ID != down {
		t.Errorf("%+v", m)
	}
	if i := b.e.Transactions()[0]; !i.Suspended {
		t.Errorf("%+v", i)
	}
	if m := ask(cfdp.MessageReport, down); m.Flag || !strings.Contains(string(a.read("report")), "suspended true") {
		t.Errorf("%+v", m)
	}
	if m := ask(cfdp.MessageResume, down); m.Flag || m.Status != cfdp.StatusActive {
		t.Errorf("%+v", m)
	}
	if m := ask(cfdp.MessageSuspend, cfdp.TransactionID{Source: 77, Sequence: 1}); m.Flag || m.Status != cfdp.StatusUnrecognized {
		t.Errorf("%+v", m)
	}
	l.run(20_000, l.quiet)
	if !bytes.Equal(a.read("big"), b.read("big")) {
		t.Error("file differs")
	}
}

// File data of a higher priority goes first, whenever it comes.
func TestPriorities(t *testing.T) {
	a, b, l := pair(t, 1, nil)
	for i, p := range []uint8{1, 5, 3} {
		a.write(name(i), pattern(50_000, uint64(i)))
		a.put(l, cfdp.Put{Dest: craft, Source: name(i), DestName: name(i), Priority: p})
	}
	var order []string
	l.watch = func(to *node, pdu []byte) bool {
		if _, p := body(t, pdu); to == b && isA[*cfdp.EOF](p) {
			h, _, _ := cfdp.DecodeHeader(pdu)
			for _, i := range a.e.Transactions() {
				if i.ID == h.ID() {
					order = append(order, i.Name)
				}
			}
		}
		return true
	}
	l.run(5000, l.quiet)
	if strings.Join(order, " ") != strings.Join([]string{name(1), name(2), name(0)}, " ") {
		t.Errorf("order %v", order)
	}
}

// A file whose size nobody knows before its end.
func TestUnbounded(t *testing.T) {
	for _, size := range []int{0, 1, 884, 30_000} {
		a, b, l := pair(t, 1, nil)
		l.loss = 0.1
		data := pattern(size, 5)
		a.write("in", data)
		id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out", Unbounded: true, Checksum: cfdp.ChecksumProximity1})
		l.watch = func(_ *node, pdu []byte) bool {
			if _, p := body(t, pdu); isA[*cfdp.Metadata](p) && p.(*cfdp.Metadata).FileSize != 0 {
				t.Error("the size is told before the end")
			}
			return true
		}
		l.run(5000, l.quiet)
		if i := a.check(id, cfdp.NoError); i.Size != uint64(size) || !bytes.Equal(b.read("out"), data) {
			t.Errorf("%d octets: %+v", size, i)
		}
	}
}

// In the prompted and asynchronous modes nothing is asked for before EOF but on
// their occasions.
func TestNAKModes(t *testing.T) {
	for _, mode := range []cfdp.NAKMode{cfdp.NAKImmediate, cfdp.NAKDeferred, cfdp.NAKPrompted, cfdp.NAKAsynchronous} {
		a, b := newNode(t, ground, nil), newNode(t, craft, func(c *cfdp.Config) { c.NAK = mode })
		l := newLink(t, a, b, 2)
		l.loss = 0.1
		data := pattern(400_000, 1)
		a.write("in", data)
		id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
		for range 300 {
			l.step()
		}
		if got := b.naks > 0; got != (mode == cfdp.NAKImmediate) {
			t.Errorf("mode %d: %d NAKs before EOF", mode, b.naks)
		}
		before := b.naks
		var err error
		if mode == cfdp.NAKPrompted {
			err = a.e.Prompt(id, false)
		} else {
			err = b.e.AskMissing(id)
		}
		if err != nil {
			t.Fatal(err)
		}
		for range 60 {
			l.step()
		}
		if b.naks == before {
			t.Errorf("mode %d: no NAK", mode)
		}
		l.run(10_000, l.quiet)
		if a.check(id, cfdp.NoError); !bytes.Equal(b.read("out"), data) {
			t.Error("file differs")
		}
	}
}

// Keep Alive PDUs tell the sender how far the receiver is; one that is too far
// behind is a fault, which may be ignored.
func TestKeepAlive(t *testing.T) {
	for _, handler := range []cfdp.Handler{0, cfdp.HandlerIgnore} {
		a := newNode(t, ground, func(c *cfdp.Config) {
			c.Limits.KeepAlive = 60_000
			c.Faults = map[cfdp.Condition]cfdp.Handler{cfdp.KeepAliveLimit: handler}
		})
		b := newNode(t, craft, func(c *cfdp.Config) {
			c.Timers.KeepAlive, c.NAK = 50*time.Millisecond, cfdp.NAKDeferred
		})
		l := newLink(t, a, b, 2)
		a.write("in", pattern(400_000, 1))
		id := a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out"})
		for range 150 {
			l.step()
		}
		if i := a.e.Transactions()[0]; i.Reported == 0 || i.Reported >= i.Done {
			t.Errorf("%+v", i)
		}
		l.loss = 0.5
		l.run(20_000, l.quiet)
		want := cfdp.KeepAliveLimit
		if handler == cfdp.HandlerIgnore {
			want = cfdp.NoError
		}
		a.check(id, want)
	}
}

// What a receiver does about a wrong checksum is for the handler to say, which
// the sender may choose.
func TestFaultHandlers(t *testing.T) {
	for _, c := range []struct {
		handler   cfdp.Handler
		kept      bool
		finished  bool
		condition cfdp.Condition
	}{
		{cfdp.HandlerCancel, false, true, cfdp.ChecksumFailure}, {cfdp.HandlerIgnore, true, true, cfdp.ChecksumFailure},
		{cfdp.HandlerAbandon, false, true, cfdp.ChecksumFailure}, {cfdp.HandlerSuspend, false, false, 0},
	} {
		b := newNode(t, craft, nil)
		v := byte(cfdp.ChecksumFailure)<<4 | byte(c.handler)
		meta := &cfdp.Metadata{Dest: "out", FileSize: 4, TLVs: []cfdp.TLV{{Type: cfdp.TLVFaultHandler, Value: []byte{v}}}}
		for _, p := range []cfdp.Body{meta, &cfdp.FileData{Data: []byte("abcd")}, &cfdp.EOF{FileSize: 4, Checksum: 1}} {
			_ = b.e.Receive(time.Unix(1, 0), from(t, 1, p))
		}
		i, finished := b.finished[cfdp.TransactionID{Source: ground, Sequence: 1}]
		if finished != c.finished || i.Condition != c.condition || b.exists("out") != c.kept {
			t.Errorf("handler %d: finished %t, %+v, kept %t", c.handler, finished, i, b.exists("out"))
		}
		told := false
		for pdu, ok := b.e.Next(time.Unix(1, 0)); ok; pdu, ok = b.e.Next(time.Unix(1, 0)) {
			_, p := body(t, pdu)
			told = told || isA[*cfdp.Finished](p)
		}
		if told != (c.handler == cfdp.HandlerCancel || c.handler == cfdp.HandlerIgnore) {
			t.Errorf("handler %d: the sender was told: %t", c.handler, told)
		}
	}
}

// records is a store of files that are made of records: a length octet and as
// many more.
type records struct{ *cfdp.Dir }

type recordFile struct {
	cfdp.Reader
	ends []uint64
}

func (s records) Open(name string) (cfdp.Reader, error) {
	f, err := s.Dir.Open(name)
	if err != nil {
		return nil, err
	}
	r := &recordFile{Reader: f}
	for at := int64(0); at < f.Size(); {
		var n [2]byte
		if _, err := f.ReadAt(n[:], at); err != nil {
			return nil, err
		}
		at += int64(binary.BigEndian.Uint16(n[:]))
		r.ends = append(r.ends, uint64(at))
	}
	return r, nil
}

func (r *recordFile) RecordEnd(offset uint64) uint64 {
	for _, e := range r.ends {
		if e > offset {
			return e
		}
	}
	return offset
}

// Record boundaries are kept, and the receiver's user hears of them.
func TestRecords(t *testing.T) {
	a, b, l := pair(t, 3, nil)
	l.loss = 0.1
	var data []byte
	for i, n := range []int{10, 2000, 300, 884, 5} {
		data = append(data, append(binary.BigEndian.AppendUint16(nil, uint16(n)), pattern(n-2, uint64(i))...)...)
	}
	a.write("in", data)
	store, err := cfdp.DirStore(a.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	a.cfg.Store = records{store}
	if a.e, err = cfdp.New(a.cfg, cfdp.Events{}); err != nil {
		t.Fatal(err)
	}
	whole, pieces := 0, 0
	ends := map[uint64]bool{10: true, 2010: true, 2310: true, 3194: true, 3199: true}
	b.e, err = cfdp.New(b.cfg, cfdp.Events{Segment: func(_ cfdp.TransactionID, part cfdp.Segment, d cfdp.FileData) {
		pieces++
		if d.Continuation == 3 {
			whole++
		}
		if starts := d.Continuation&1 != 0; starts != (part.Start == 0 || ends[part.Start]) || d.Continuation&2 != 0 != ends[part.End] {
			t.Errorf("%v has state %d", part, d.Continuation)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	a.put(l, cfdp.Put{Dest: craft, Source: "in", DestName: "out", Records: true})
	l.run(3000, l.quiet)
	if !bytes.Equal(b.read("out"), data) || whole < 3 || pieces < 6 {
		t.Errorf("%d pieces, %d whole records", pieces, whole)
	}
}

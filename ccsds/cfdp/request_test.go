package cfdp_test

import (
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/cfdp"
)

// No request makes a file larger than a transfer could.
func TestRequestsAreBounded(t *testing.T) {
	for _, action := range []cfdp.Action{cfdp.ActionAppendFile, cfdp.ActionReplaceFile} {
		a, b, l := served(t)
		b.cfg.Limits.MaxFileSize = 10
		b.restart()
		b.write("one", []byte("123456"))
		b.write("two", []byte("12345"))
		b.write("large", []byte("12345678901"))
		first, second := "one", "two" // 11 octets together
		if action == cfdp.ActionReplaceFile {
			second = "large" // alone
		}
		id := a.put(l, cfdp.Put{Dest: craft, Requests: []cfdp.FilestoreRequest{act(action, first, second)}})
		l.run(3000, l.quiet)
		if got := a.check(id, cfdp.NoError).Responses; len(got) != 1 || got[0].Status != 3 || got[0].Message != "11 octets, at most 10" {
			t.Errorf("%v: %v", action, got)
		}
		checkFile(t, b, "one=123456")
		b.noParts(t)
	}
}

// Behind a request that cannot be read none is performed, and the answers say so.
func TestUnreadableRequest(t *testing.T) {
	for name, bad := range map[string][]byte{
		"action 9": {0x90, 1, 'x'}, "one name of two": {0x20, 1, 'x'}, "cut off": {0x00, 9, 'x'}, "nothing": {}, "an octet too many": {0x00, 1, 'x', 0},
	} {
		b := newNode(t, craft, func(c *cfdp.Config) { c.Serve = true })
		var tlvs []cfdp.TLV
		for _, n := range []string{"before", "", "behind"} {
			field := cfdp.TLV{Type: cfdp.TLVFilestoreRequest, Value: bad}
			if n != "" {
				var err error
				if field, err = act(cfdp.ActionCreateFile, n).TLV(); err != nil {
					t.Fatal(err)
				}
			}
			tlvs = append(tlvs, field)
		}
		for _, p := range []cfdp.Body{&cfdp.Metadata{TLVs: tlvs}, &cfdp.EOF{}} {
			if err := b.e.Receive(time.Unix(1, 0), from(t, 1, p)); err != nil {
				t.Fatal(err)
			}
		}
		checkFile(t, b, "before=")
		checkFile(t, b, "!behind")
		checkFile(t, b, "!x")
		var got []cfdp.RequestStatus
		for pdu, ok := b.e.Next(time.Unix(1, 0)); ok; pdu, ok = b.e.Next(time.Unix(1, 0)) {
			_, p := body(t, pdu)
			f, is := p.(*cfdp.Finished)
			if !is {
				continue
			}
			for _, field := range f.TLVs {
				answer, err := cfdp.DecodeFilestoreResponse(field.Value)
				if err != nil {
					t.Errorf("%s: response % x: %v", name, field.Value, err)
				}
				got = append(got, answer.Status)
			}
		}
		if n := len(got); n < 2 || got[0] != cfdp.RequestDone || got[1] != cfdp.RequestNotPerformed || got[n-1] != cfdp.RequestNotPerformed || (n == 2) != (name == "action 9") {
			t.Errorf("%s: statuses %v", name, got)
		}
	}
}

// A proxy put with a request that cannot be read is refused whole: who asked would take the
// requests behind it for done.
func TestUnreadableProxyRequest(t *testing.T) {
	a, b, l := served(t)
	b.write("there", []byte("x"))
	p, err := cfdp.Proxy(craft, cfdp.Put{Dest: ground, Source: "there", DestName: "here"})
	if err == nil {
		err = p.Message(cfdp.Message{Type: cfdp.MessageProxyRequest, Value: []byte{0x90, 1, 'x'}})
	}
	if err != nil {
		t.Fatal(err)
	}
	a.put(l, p)
	l.run(5000, l.quiet)
	refused := false
	for _, i := range a.finished {
		for _, v := range i.Messages {
			m, _, _ := cfdp.DecodeMessage(v)
			refused = refused || m.Type == cfdp.MessageProxyPutResponse && m.Faulty == cfdp.FilestoreRejection
		}
	}
	if !refused || a.exists("here") {
		t.Errorf("refused: %t", refused)
	}
}

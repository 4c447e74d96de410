package sdls_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/sdls"
)

// Every PDU comes out as a script builds it field by field that knows nothing of this package:
// test/golden/sdls_procedures.py says where the layouts are from.
func TestGoldenProcedures(t *testing.T) {
	file, err := os.ReadFile("testdata/procedures.txt")
	if err != nil {
		t.Fatal(err)
	}
	iota := func(from, n int) (b []byte) {
		for i := range n {
			b = append(b, byte(from+i))
		}
		return b
	}
	key := sdls.Key{ID: 0, Value: [32]byte(iota(0, 32)), State: sdls.Active, Master: true}
	ask := func(p sdls.Procedure) sdls.PDU { return sdls.PDU{Procedure: p} }
	cmac := sdls.SA{SPI: 10, Algorithm: sdls.AESCMAC, Service: sdls.Authentication, Layout: sdls.Layout{SN: 4, Pad: 1, MAC: 8}, Mask: []byte{0xFF, 0xFF}}
	made := map[string]sdls.PDU{
		"otar":     must(sdls.OTARPDU(key, [12]byte(iota(200, 12)), sdls.KeyBlock{ID: 1001, Value: [32]byte(iota(100, 32))})),
		"activate": sdls.KeysPDU(sdls.KeyActivate, 1001, 1002), "deactivate": sdls.KeysPDU(sdls.KeyDeactivate, 1001),
		"verify":  sdls.VerifyPDU(sdls.Challenge{Key: 1001, Value: [16]byte(iota(0, 16))}),
		"destroy": sdls.KeysPDU(sdls.KeyDestroy, 1001), "inventory": sdls.InventoryPDU(0, 65535),
		"read": sdls.AssociationPDU(sdls.SAReadARSN, 7), "delete": sdls.AssociationPDU(sdls.SADelete, 7),
		"create gcm":        must(sdls.CreatePDU(sdls.SA{SPI: 7, Mask: []byte{0, 0, 0xFC, 0, 0, 0xFF}, Window: 64})),
		"create gmac":       must(sdls.CreatePDU(sdls.SA{SPI: 8, Service: sdls.Authentication, Layout: sdls.Layout{IV: 12, Pad: 2, MAC: 12}, Window: 256})),
		"create encryption": must(sdls.CreatePDU(sdls.SA{SPI: 9, Service: sdls.Encryption})),
		"create cmac":       must(sdls.CreatePDU(cmac)),
		"window":            sdls.SetWindowPDU(7, 9), "rekey": sdls.RekeyPDU(7, 1001, 5, 12), "number": sdls.SetARSNPDU(7, 1<<40, 12),
		"start": sdls.StartPDU(7, sdls.Link{SCID: 42, VCID: 3}, sdls.Link{Version: 12, SCID: 42, VCID: 62, MAP: 1}),
		"stop":  sdls.AssociationPDU(sdls.SAStop, 7), "expire": sdls.AssociationPDU(sdls.SAExpire, 7), "status": sdls.AssociationPDU(sdls.SAStatus, 7),
		"ping": ask(sdls.Ping), "log status": ask(sdls.LogStatus), "dump": ask(sdls.DumpLog), "erase": ask(sdls.EraseLog),
		"self-test": ask(sdls.SelfTesting), "alarm": ask(sdls.ResetAlarmFlag),
	}
	read := map[string]func(sdls.PDU) (any, error){
		"inventory reply": func(p sdls.PDU) (any, error) { return sdls.ParseInventory(p) },
		"read reply": func(p sdls.PDU) (any, error) {
			spi, n, err := sdls.ParseARSN(p)
			return [2]uint64{uint64(spi), n}, err
		},
		"status reply":    func(p sdls.PDU) (any, error) { return sdls.ParseStatus(p) },
		"dump reply":      func(p sdls.PDU) (any, error) { return sdls.ParseLog(p) },
		"self-test reply": func(p sdls.PDU) (any, error) { return sdls.ParseSelfTest(p) },
		"ping reply":      func(p sdls.PDU) (any, error) { return len(p.Data), nil },
	}
	status := func(p sdls.PDU) (any, error) {
		events, room, err := sdls.ParseLogStatus(p)
		return [2]uint16{events, room}, err
	}
	read["log status reply"], read["erase reply"] = status, status
	want := map[string]any{
		"inventory reply": []sdls.Key{{ID: 1, State: sdls.Active}, {ID: 1001, State: sdls.Deactivated}},
		"read reply":      [2]uint64{7, 0x0123456789ABCDEF}, "status reply": sdls.Status{SPI: 7, Last: 0x1B},
		"log status reply": [2]uint16{2, 62}, "erase reply": [2]uint16{0, 64}, "self-test reply": true, "ping reply": 0,
		"dump reply": []sdls.LogEvent{{Tag: sdls.LogFrame, Code: sdls.LogForged, SPI: 7, Number: 99}, {Tag: 0x1E, Code: sdls.LogRefused, SPI: 2}},
	}
	seen := 0
	for line := range strings.Lines(string(file)) {
		name, text, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok {
			continue
		}
		seen++
		golden, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if p, ok := made[name]; ok {
			if got, err := p.Append(nil); err != nil || !bytes.Equal(got, golden) {
				t.Errorf("%s: %x (%v), want %x", name, got, err, golden)
			}
			continue
		}
		p, err := sdls.ParsePDU(golden)
		if err != nil || read[name] == nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, err := read[name](p); err != nil || !reflect.DeepEqual(got, want[name]) {
			t.Errorf("%s: %+v (%v), want %+v", name, got, err, want[name])
		}
	}
	if seen != len(made)+len(read) {
		t.Errorf("%d lines, want %d", seen, len(made)+len(read))
	}
}

// Each procedure in each state of an association: it leads to the state that the book's diagram
// has, or is refused as not for this state.
func TestStatesOfAssociations(t *testing.T) {
	const none = sdls.State(9)
	create := must(sdls.CreatePDU(sdls.SA{SPI: 5}))
	steps := []struct {
		name     string
		p        sdls.PDU
		from, to sdls.State
	}{
		{"create", create, none, sdls.Unkeyed},
		{"rekey", sdls.RekeyPDU(5, 10, 1, 12), sdls.Unkeyed, sdls.Keyed},
		{"start", sdls.StartPDU(5, sdls.Link{VCID: 4}), sdls.Keyed, sdls.Operational},
		{"stop", sdls.AssociationPDU(sdls.SAStop, 5), sdls.Operational, sdls.Keyed},
		{"expire", sdls.AssociationPDU(sdls.SAExpire, 5), sdls.Keyed, sdls.Unkeyed},
		{"delete", sdls.AssociationPDU(sdls.SADelete, 5), sdls.Unkeyed, none},
	}
	way := map[sdls.State][]sdls.PDU{none: nil, sdls.Unkeyed: {create}, sdls.Keyed: {create, steps[1].p}, sdls.Operational: {create, steps[1].p, steps[2].p}}
	state := func(c *craft) sdls.State {
		for _, r := range c.m.Records() {
			if r.SA.SPI == 5 {
				return r.State
			}
		}
		return none
	}
	for from, before := range way {
		for _, s := range steps {
			c := newCraft(t)
			for _, p := range before {
				c.must(t, p)
			}
			_, err := c.do(s.p, nil)
			switch want := from == s.from; {
			case want && (err != nil || state(c) != s.to):
				t.Errorf("%s when %s: %s, %v", s.name, from, state(c), err)
			case !want && from == none && !errors.Is(err, sdls.ErrSPI), !want && from != none && !errors.Is(err, sdls.ErrState):
				t.Errorf("%s when %s: %v", s.name, from, err)
			case !want && state(c) != from:
				t.Errorf("%s when %s is refused and leads to %s", s.name, from, state(c))
			}
			if r, err := c.do(sdls.AssociationPDU(sdls.SAStatus, 5), nil); err == nil {
				if st, err := sdls.ParseStatus(r); err != nil || st.State(none) != state(c) {
					t.Errorf("%s when %s: status %+v (%v), want %s", s.name, from, st, err, state(c))
				}
			}
		}
	}
}

// Each procedure in each state of a key.
func TestStatesOfKeys(t *testing.T) {
	otar := must(sdls.OTARPDU(master, [12]byte{3}, sdls.KeyBlock{ID: 40, Value: [32]byte{40}}))
	procedures := map[string]sdls.PDU{"load": otar, "activate": sdls.KeysPDU(sdls.KeyActivate, 40), "deactivate": sdls.KeysPDU(sdls.KeyDeactivate, 40), "destroy": sdls.KeysPDU(sdls.KeyDestroy, 40)}
	const none = "none"
	for from, row := range map[string]struct {
		way  []string
		want map[string]string
	}{
		none:          {nil, map[string]string{"load": "pre-active"}},
		"pre-active":  {[]string{"load"}, map[string]string{"load": "pre-active", "activate": "active", "destroy": none}},
		"active":      {[]string{"load", "activate"}, map[string]string{"deactivate": "deactivated"}},
		"deactivated": {[]string{"load", "activate", "deactivate"}, map[string]string{"load": "pre-active", "destroy": none}},
	} {
		for name, p := range procedures {
			c := newCraft(t)
			for _, w := range row.way {
				c.must(t, procedures[w])
			}
			_, err := c.do(p, nil)
			got := none
			for _, k := range c.keys.Keys() {
				if k.ID == 40 {
					got = k.State.String()
				}
			}
			want, taken := row.want[name]
			if !taken {
				want = from
			}
			if got != want || taken != (err == nil) || err != nil && !errors.Is(err, sdls.ErrState) && !errors.Is(err, sdls.ErrNoKey) {
				t.Errorf("%s when %s: %s, %v; want %s", name, from, got, err, want)
			}
		}
	}
}

// A created association opens what a sender with the same rules protects.
func TestCreated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sa := sdls.SA{SPI: uint16(rapid.IntRange(5, 15).Draw(t, "spi")), Window: rapid.IntRange(0, sdls.MaxWindow).Draw(t, "window"),
			Service: sdls.Service(rapid.IntRange(0, 2).Draw(t, "service")), Mask: rapid.SliceOfN(rapid.Byte(), 1, 9).Draw(t, "mask")}
		if sa.Service == sdls.Authentication && rapid.Bool().Draw(t, "cmac") {
			sa.Algorithm = sdls.AESCMAC
		}
		sa.Layout = sdls.DefaultLayout(sa.Algorithm, sa.Service)
		sa.Layout.Pad = rapid.IntRange(0, 2).Draw(t, "pad")
		width := max(sa.Layout.IV, sa.Layout.SN)
		c := newCraft(t)
		for _, p := range []sdls.PDU{must(sdls.CreatePDU(sa)), sdls.RekeyPDU(sa.SPI, 10, 0, width), sdls.StartPDU(sa.SPI, sdls.Link{VCID: 5})} {
			if _, err := c.do(p, nil); err != nil {
				t.Fatal(err)
			}
		}
		sa.Key, sa.VCs = [32]byte{10}, []ccsds.VCID{5}
		s, err := sdls.NewSender([]sdls.SA{sa})
		if err != nil {
			t.Fatal(err)
		}
		field, err := s.Apply(nil, sa.SPI, 5, 1, header, []byte("text"))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.recv.Open(5, header, field); err != nil || string(got) != "text" {
			t.Fatalf("%q, %v", got, err)
		}
	})
}

// Associations of what is sent: the one that was started last protects, also after a restart,
// and stopping it gives way to the one before.
func TestSending(t *testing.T) {
	c := newCraft(t)
	for _, p := range []sdls.PDU{
		must(sdls.CreatePDU(sdls.SA{SPI: 16})), must(sdls.CreatePDU(sdls.SA{SPI: 20})),
		sdls.RekeyPDU(20, 10, 50, 12), sdls.StartPDU(20, sdls.Link{VCID: 1}),
		sdls.RekeyPDU(16, 10, 70, 12), sdls.StartPDU(16, sdls.Link{VCID: 1}), sdls.SetARSNPDU(16, 90, 12),
	} {
		c.must(t, p)
	}
	if want := []uint16{20, 16}; !reflect.DeepEqual(c.sent.order, want) || c.sent.number[20] != 50 || c.sent.number[16] != 90 {
		t.Errorf("in use %v of %v", c.sent.order, c.sent.number)
	}
	if _, err := c.do(sdls.SetWindowPDU(16, 9), nil); !errors.Is(err, sdls.ErrState) {
		t.Errorf("window of what is sent: %v", err)
	}
	again := sending{}
	keys, err := sdls.NewKeyring(c.keys.Keys()...)
	if err != nil {
		t.Fatal(err)
	}
	recv, err := sdls.NewReceiver(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sdls.NewManager(sdls.Config{Keys: keys, Records: c.m.Records(), Receiver: recv, Sender: &again}); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(again.order, c.sent.order) {
		t.Errorf("after a restart in use %v, before %v", again.order, c.sent.order)
	}
	if _, err := sdls.NewManager(sdls.Config{Keys: keys, Records: c.m.Records(), Receiver: recv}); !errors.Is(err, sdls.ErrBadSA) {
		t.Errorf("nobody sends: %v", err)
	}
	c.must(t, sdls.AssociationPDU(sdls.SAStop, 16))
	if r := c.must(t, sdls.AssociationPDU(sdls.SAReadARSN, 16)); !bytes.HasSuffix(r.Data, []byte{0, 90}) || !reflect.DeepEqual(c.sent.order, []uint16{20}) {
		t.Errorf("number %x, in use %v", r.Data, c.sent.order)
	}
}

// FuzzReplies: no reply panics, whoever made it up.
func FuzzReplies(f *testing.F) {
	for _, p := range []sdls.PDU{
		{Reply: true, Procedure: sdls.KeyInventory, Data: []byte{0, 1, 0, 1, 1}}, {Reply: true, Procedure: sdls.SAStatus, Data: []byte{0, 1, 0x1B}},
		{Reply: true, Procedure: sdls.SAReadARSN, Data: make([]byte, 14)}, {Reply: true, Procedure: sdls.LogStatus, Data: []byte{0, 1, 0, 63}},
		{Reply: true, Procedure: sdls.DumpLog, Data: append([]byte{0xFF, 0, 11, 4}, make([]byte, 10)...)}, {Reply: true, Procedure: sdls.SelfTesting, Data: []byte{0}},
	} {
		b, err := p.Append(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := sdls.ParsePDU(data)
		if err != nil {
			return
		}
		if keys, err := sdls.ParseInventory(p); err == nil && 2+3*len(keys) != len(p.Data) {
			t.Fatalf("%d keys in %x", len(keys), data)
		}
		if events, err := sdls.ParseLog(p); err == nil && 14*len(events) != len(p.Data) {
			t.Fatalf("%d events in %x", len(events), data)
		}
		_, _ = sdls.ParseStatus(p)
		_, _, _ = sdls.ParseARSN(p)
		_, _, _ = sdls.ParseLogStatus(p)
		_, _ = sdls.ParseSelfTest(p)
	})
}

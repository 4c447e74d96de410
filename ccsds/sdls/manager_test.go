package sdls_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/sdls"
)

// The life of an association with a key brought over the link: rekeying, proof, activation,
// start, frames, stop, expiry, and all of it again with another key.
func TestLifeOfAnAssociation(t *testing.T) {
	c := newCraft(t)
	fresh := [32]byte{20, 1}
	frame := func(n uint64) error {
		s, err := sdls.NewSender([]sdls.SA{{SPI: 2, Key: fresh, VCs: []ccsds.VCID{5}}})
		if err != nil {
			t.Fatal(err)
		}
		field, err := s.Apply(nil, 2, 5, n, header, []byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.recv.Open(5, header, field)
		return err
	}
	otar, err := sdls.OTARPDU(master, [12]byte{1}, sdls.KeyBlock{ID: 20, Value: fresh}, sdls.KeyBlock{ID: 21, Value: [32]byte{21}})
	if err != nil {
		t.Fatal(err)
	}
	c.must(t, otar)
	ground, err := sdls.NewKeyring(sdls.Key{ID: 20, Value: fresh})
	if err != nil {
		t.Fatal(err)
	}
	challenge := sdls.Challenge{Key: 20, Value: [16]byte{1, 2, 3}}
	if err := ground.CheckProof(c.must(t, sdls.VerifyPDU(challenge)), challenge); err != nil {
		t.Error(err)
	}
	if err := frame(1); !errors.Is(err, sdls.ErrSPI) {
		t.Errorf("frame under an unkeyed association: %v", err)
	}
	c.must(t, sdls.RekeyPDU(2, 20, 100, 12))
	if _, err := c.do(sdls.StartPDU(2, sdls.Link{VCID: 5}), nil); !errors.Is(err, sdls.ErrState) {
		t.Errorf("start with a key that is not active: %v", err)
	}
	c.must(t, sdls.KeysPDU(sdls.KeyActivate, 20))
	c.must(t, sdls.StartPDU(2, sdls.Link{Version: 0, SCID: 42, VCID: 5}))
	if err := frame(100); !errors.Is(err, sdls.ErrReplayed) {
		t.Errorf("number 100: %v", err)
	}
	if err := frame(101); err != nil {
		t.Error(err)
	}
	if r := c.must(t, sdls.AssociationPDU(sdls.SAReadARSN, 2)); !bytes.Equal(r.Data, []byte{0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 101}) || !r.Reply {
		t.Errorf("anti-replay number %x", r.Data)
	}
	c.must(t, sdls.SetWindowPDU(2, 8))
	c.must(t, sdls.SetARSNPDU(2, 110, 12))
	if err := frame(110); !errors.Is(err, sdls.ErrReplayed) {
		t.Errorf("number 110: %v", err)
	}
	if err := frame(115); err != nil {
		t.Error(err)
	}
	if err := frame(112); err != nil {
		t.Errorf("number 112 is in the window: %v", err)
	}
	if _, err := c.do(sdls.KeysPDU(sdls.KeyDeactivate, 20), nil); !errors.Is(err, sdls.ErrInUse) {
		t.Errorf("a key in use is deactivated: %v", err)
	}
	c.must(t, sdls.AssociationPDU(sdls.SAStop, 2))
	if err := frame(120); !errors.Is(err, sdls.ErrSPI) {
		t.Errorf("frame under a stopped association: %v", err)
	}
	if r := c.must(t, sdls.AssociationPDU(sdls.SAStatus, 2)); !bytes.Equal(r.Data, []byte{0, 2, 0x1E}) {
		t.Errorf("status %x", r.Data)
	}
	c.must(t, sdls.AssociationPDU(sdls.SAExpire, 2))
	if _, err := c.do(sdls.RekeyPDU(2, 20, 3, 12), nil); !errors.Is(err, sdls.ErrReplayed) {
		t.Errorf("the old key from number 3: %v", err)
	}
	c.must(t, sdls.KeysPDU(sdls.KeyDeactivate, 20))
	c.must(t, sdls.KeysPDU(sdls.KeyDestroy, 20))
	if r := c.must(t, sdls.InventoryPDU(0, 65535)); !bytes.Equal(r.Data, []byte{0, 3, 0, 10, 1, 0, 11, 0, 0, 21, 0}) {
		t.Errorf("inventory %x", r.Data)
	}
	c.must(t, sdls.KeysPDU(sdls.KeyActivate, 21))
	c.must(t, sdls.RekeyPDU(2, 21, 0, 12))
	c.must(t, sdls.StartPDU(2))
	c.must(t, sdls.AssociationPDU(sdls.SAStop, 2))
	c.must(t, sdls.AssociationPDU(sdls.SAExpire, 2))
	c.must(t, sdls.AssociationPDU(sdls.SADelete, 2))
	if n := len(c.m.Records()); n != 1 {
		t.Errorf("%d associations are left", n)
	}
	if r := c.must(t, sdls.PDU{Procedure: sdls.Ping}); len(r.Data) != 0 || r.Procedure != sdls.Ping {
		t.Errorf("ping answers %+v", r)
	}
}

// What Records and Keys say is enough to go on after a restart.
func TestManagerRestart(t *testing.T) {
	c := newCraft(t)
	s, err := sdls.NewSender([]sdls.SA{{SPI: 1, Key: [32]byte{10}, VCs: []ccsds.VCID{0}}})
	if err != nil {
		t.Fatal(err)
	}
	field, err := s.Apply(nil, 1, 0, 9, header, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.recv.Open(0, header, field); err != nil {
		t.Fatal(err)
	}
	keys, err := sdls.NewKeyring(c.keys.Keys()...)
	if err != nil {
		t.Fatal(err)
	}
	recv, err := sdls.NewReceiver(nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := sdls.NewManager(sdls.Config{Keys: keys, Records: c.m.Records(), Receiver: recv})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := recv.Open(0, header, field); !errors.Is(err, sdls.ErrReplayed) {
		t.Errorf("replay after restart: %v", err)
	}
	if !reflect.DeepEqual(m.Records(), c.m.Records()) {
		t.Errorf("records %+v, want %+v", m.Records(), c.m.Records())
	}
}

func TestManagerRefuses(t *testing.T) {
	c := newCraft(t)
	forged, err := sdls.OTARPDU(sdls.Key{ID: 1, Value: [32]byte{0xAB}}, [12]byte{}, sdls.KeyBlock{ID: 30, Value: [32]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	otar := func(id uint16, value byte) sdls.PDU {
		p, err := sdls.OTARPDU(master, [12]byte{}, sdls.KeyBlock{ID: 31, Value: [32]byte{1}}, sdls.KeyBlock{ID: id, Value: [32]byte{value}})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	before := [2]any{c.keys.Keys(), c.m.Records()}
	for name, tc := range map[string]struct {
		p    sdls.PDU
		want error
	}{
		"forged keys":             {forged, sdls.ErrForged},
		"new master key":          {otar(1, 1), sdls.ErrMaster},
		"over an active key":      {otar(10, 1), sdls.ErrState},
		"key of zeros":            {otar(32, 0), sdls.ErrState},
		"key twice":               {otar(31, 1), sdls.ErrState},
		"keys cut":                {sdls.PDU{Procedure: sdls.OTAR, Data: make([]byte, 63)}, ccsds.ErrLength},
		"other master":            {sdls.PDU{Procedure: sdls.OTAR, Data: make([]byte, 64)}, sdls.ErrNoKey},
		"activate active":         {sdls.KeysPDU(sdls.KeyActivate, 11, 10), sdls.ErrState},
		"activate none":           {sdls.KeysPDU(sdls.KeyActivate, 99), sdls.ErrNoKey},
		"activate the master":     {sdls.KeysPDU(sdls.KeyActivate, 1), sdls.ErrMaster},
		"no keys":                 {sdls.KeysPDU(sdls.KeyActivate), ccsds.ErrLength},
		"destroy active":          {sdls.KeysPDU(sdls.KeyDestroy, 10), sdls.ErrState},
		"deactivate in use":       {sdls.KeysPDU(sdls.KeyDeactivate, 10), sdls.ErrInUse},
		"prove the master":        {sdls.VerifyPDU(sdls.Challenge{Key: 1}), sdls.ErrMaster},
		"prove nothing":           {sdls.VerifyPDU(), ccsds.ErrLength},
		"inventory of half":       {sdls.PDU{Procedure: sdls.KeyInventory, Data: []byte{1}}, ccsds.ErrLength},
		"own association":         {sdls.AssociationPDU(sdls.SAStop, 1), sdls.ErrInUse},
		"no association":          {sdls.AssociationPDU(sdls.SAStop, 9), sdls.ErrSPI},
		"stop the unkeyed":        {sdls.AssociationPDU(sdls.SAStop, 2), sdls.ErrState},
		"start the unkeyed":       {sdls.StartPDU(2), sdls.ErrState},
		"rekey with narrow":       {sdls.RekeyPDU(2, 11, 1, 4), ccsds.ErrLength},
		"rekey with wide":         {sdls.PDU{Procedure: sdls.SARekey, Data: append([]byte{0, 2, 0, 11, 1}, make([]byte, 11)...)}, ccsds.ErrReserved},
		"rekey with master":       {sdls.RekeyPDU(2, 1, 1, 12), sdls.ErrMaster},
		"huge window":             {sdls.SetWindowPDU(2, 1000), ccsds.ErrReserved},
		"create half":             {sdls.AssociationPDU(sdls.SACreate, 3), ccsds.ErrTruncated},
		"create again":            {must(sdls.CreatePDU(sdls.SA{SPI: 2})), sdls.ErrState},
		"rekey to the last":       {sdls.RekeyPDU(2, 11, 1<<64-9, 12), sdls.ErrExhausted},
		"log status with more":    {sdls.PDU{Procedure: sdls.LogStatus, Data: []byte{1}}, ccsds.ErrLength},
		"stop with more":          {sdls.PDU{Procedure: sdls.SAStop, Data: []byte{0, 2, 1}}, ccsds.ErrLength},
		"unknown key procedure":   {sdls.KeysPDU(sdls.Procedure{ID: 9}, 11), ccsds.ErrReserved},
		"unknown monitoring":      {sdls.PDU{Procedure: sdls.Procedure{Group: 3, ID: 9}}, ccsds.ErrReserved},
		"a reply":                 {sdls.PDU{Reply: true, Procedure: sdls.Ping}, ccsds.ErrReserved},
		"user's":                  {sdls.PDU{User: true, Procedure: sdls.Ping}, ccsds.ErrReserved},
		"association without SPI": {sdls.PDU{Procedure: sdls.SAStop, Data: []byte{1}}, ccsds.ErrTruncated},
	} {
		if _, err := c.do(tc.p, nil); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
	if after := [2]any{c.keys.Keys(), c.m.Records()}; !reflect.DeepEqual(before, after) {
		t.Errorf("refused commands changed %+v to %+v", before, after)
	}
	for _, b := range [][]byte{nil, {0x31}, {0x31, 0, 1, 2}, {0x31, 0, 8}} {
		if _, err := c.m.Handle(1, b); err == nil {
			t.Errorf("%x is a command", b)
		}
	}
	if _, err := (sdls.PDU{Data: make([]byte, 9000)}).Append(nil); err == nil {
		t.Error("9000 octets fit a length in bits")
	}
}

func TestPDURoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := sdls.PDU{
			Reply: rapid.Bool().Draw(t, "reply"), User: rapid.Bool().Draw(t, "user"),
			Procedure: sdls.Procedure{Group: sdls.Group(rapid.IntRange(0, 3).Draw(t, "group")), ID: uint8(rapid.IntRange(0, 15).Draw(t, "id"))},
			Data:      rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "data"),
		}
		octets, err := p.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := sdls.ParsePDU(octets)
		if err != nil || got.Tag() != p.Tag() || got.Procedure != p.Procedure || got.Reply != p.Reply || got.User != p.User || !bytes.Equal(got.Data, p.Data) {
			t.Fatalf("%+v comes back as %+v (%v)", p, got, err)
		}
		f := sdls.FSR{Alarm: p.Reply, BadMAC: p.User, BadSA: p.Procedure.ID&1 != 0, BadNumber: p.Procedure.ID&2 != 0, SPI: rapid.Uint16().Draw(t, "spi"), Number: octets[0]}
		if g, err := sdls.DecodeFSR(f.Encode()); err != nil || g != f {
			t.Fatalf("%+v comes back as %+v (%v)", f, g, err)
		}
	})
	if _, err := sdls.DecodeFSR([4]byte{0x01}); !errors.Is(err, ccsds.ErrVersion) {
		t.Errorf("a CLCW is a report: %v", err)
	}
}

// The report follows what is said of frames, and its alarm stays until it is reset.
func TestFSR(t *testing.T) {
	c := newCraft(t)
	s, r := pair(t, 0)
	good := apply(t, s, 1, 0x105, "x")
	for _, step := range []struct {
		err  error
		want sdls.FSR
	}{
		{nil, sdls.FSR{SPI: 1, Number: 5}},
		{sdls.ErrReplayed, sdls.FSR{SPI: 1, Number: 5, Alarm: true, BadNumber: true}},
		{sdls.ErrForged, sdls.FSR{SPI: 1, Number: 5, Alarm: true, BadMAC: true}},
		{sdls.ErrVC, sdls.FSR{SPI: 1, Number: 5, Alarm: true, BadSA: true}},
		{nil, sdls.FSR{SPI: 1, Number: 5, Alarm: true}},
	} {
		if c.fsr.Note(good, sdls.Layout{}, step.err); c.fsr != step.want {
			t.Errorf("after %v: %+v, want %+v", step.err, c.fsr, step.want)
		}
	}
	c.must(t, sdls.PDU{Procedure: sdls.ResetAlarmFlag})
	if c.fsr.Alarm {
		t.Error("the alarm stays")
	}
	_, err := r.Open(0, header, []byte{1})
	if c.fsr.Note([]byte{1}, sdls.Layout{}, err); !c.fsr.Alarm {
		t.Error("no alarm after a cut field")
	}
}

// FuzzManager: no command panics, and one that is refused changes nothing.
func FuzzManager(f *testing.F) {
	for _, p := range []sdls.PDU{
		sdls.KeysPDU(sdls.KeyActivate, 11), sdls.RekeyPDU(2, 10, 5, 12), sdls.StartPDU(2, sdls.Link{VCID: 3}), sdls.InventoryPDU(0, 99),
		sdls.VerifyPDU(sdls.Challenge{Key: 10}), sdls.SetARSNPDU(2, 9, 12), sdls.SetWindowPDU(2, 9), sdls.AssociationPDU(sdls.SAStatus, 2),
		must(sdls.CreatePDU(sdls.SA{SPI: 3, Mask: []byte{1, 2}, Window: 7})), {Procedure: sdls.DumpLog}, {Procedure: sdls.SelfTesting},
	} {
		b, err := p.Append(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, []byte{0x31, 0, 0})
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		c := newCraft(t)
		for _, command := range [][]byte{first, second} {
			before := [2]any{c.keys.Keys(), c.m.Records()}
			reply, err := c.m.Handle(1, command)
			if err != nil {
				if after := [2]any{c.keys.Keys(), c.m.Records()}; !reflect.DeepEqual(before, after) {
					t.Fatalf("%x is refused (%v) and changes %+v to %+v", command, err, before, after)
				}
			} else if reply != nil {
				if p, err := sdls.ParsePDU(reply); err != nil || !p.Reply || p.Procedure.ID != command[0]&15 {
					t.Fatalf("%x answers %x (%v)", command, reply, err)
				}
			}
		}
	})
}

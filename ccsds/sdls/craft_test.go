package sdls_test

import (
	"slices"
	"testing"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/sdls"
)

var master = sdls.Key{ID: 1, Value: [32]byte{0xAA}, State: sdls.Active, Master: true}

// craft is a recipient with a control association (SPI 1) and one to manage (SPI 2).
type craft struct {
	keys  *sdls.Keyring
	recv  *sdls.Receiver
	fsr   sdls.FSR
	log   sdls.Log
	sent  sending
	m     *sdls.Manager
	nonce byte
}

// sending is who protects what the craft sends: which associations it has, in the order in
// which it got them, and the last number of each.
type sending struct {
	order  []uint16
	number map[uint16]uint64
}

func (s *sending) Put(sa sdls.SA) error { s.order = append(s.order, sa.SPI); return nil }

func (s *sending) Remove(spi uint16) {
	s.order = slices.DeleteFunc(s.order, func(o uint16) bool { return o == spi })
}

func (s *sending) Number(spi uint16) uint64 { return s.number[spi] }

func (s *sending) Raise(spi uint16, n uint64) error {
	if s.number == nil {
		s.number = map[uint16]uint64{}
	}
	s.number[spi] = max(s.number[spi], n)
	return nil
}

func must(p sdls.PDU, err error) sdls.PDU {
	if err != nil {
		panic(err)
	}
	return p
}

type fatal interface{ Fatal(...any) }

func newCraft(t fatal) *craft {
	c := &craft{}
	var err error
	if c.keys, err = sdls.NewKeyring(master, sdls.Key{ID: 10, Value: [32]byte{10}, State: sdls.Active}, sdls.Key{ID: 11, Value: [32]byte{11}}); err != nil {
		t.Fatal(err)
	}
	if c.recv, err = sdls.NewReceiver(nil); err != nil {
		t.Fatal(err)
	}
	records := []sdls.Record{
		{SA: sdls.SA{SPI: 1, VCs: []ccsds.VCID{0}}, KeyID: 10, State: sdls.Operational, ARSN: 7},
		{SA: sdls.SA{SPI: 2, VCs: []ccsds.VCID{0}}},
	}
	c.m, err = sdls.NewManager(sdls.Config{
		Keys: c.keys, Records: records, Receiver: c.recv, FSR: &c.fsr, Log: &c.log, Sender: &c.sent,
		Sends: func(spi uint16) bool { return spi >= 16 && spi < 32 },
		Nonce: func() (iv [12]byte, err error) {
			c.nonce++
			iv[11] = c.nonce
			return iv, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *craft) do(p sdls.PDU, err error) (sdls.PDU, error) {
	if err != nil {
		return p, err
	}
	command, err := p.Append(nil)
	if err != nil {
		return p, err
	}
	reply, err := c.m.Handle(1, command)
	if err != nil || reply == nil {
		return sdls.PDU{}, err
	}
	return sdls.ParsePDU(reply)
}

func (c *craft) must(t *testing.T, p sdls.PDU) sdls.PDU {
	t.Helper()
	r, err := c.do(p, nil)
	if err != nil {
		t.Fatalf("tag %02x: %v", p.Tag(), err)
	}
	return r
}

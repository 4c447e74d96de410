package spp_test

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/spp"
)

// User data of any length, cut into packets of any size, come out whole, with several
// application processes and secondary headers of any form between each other.
func TestSegmentAndReassemble(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		form := spp.Secondary{Time: rapid.IntRange(0, 8).Draw(t, "time"), Ancillary: rapid.IntRange(0, 3).Draw(t, "ancillary")}
		r := spp.NewReassembler(5000)
		var queues [2][][]byte
		var sent, got [2][][]byte
		var c spp.Counter
		head := bytes.Repeat([]byte{7}, form.Length())
		for apid := range 2 {
			r.SetSecondary(spp.TM, ccsds.APID(apid), form)
			for _, n := range rapid.SliceOfN(rapid.IntRange(1, 5000), 1, 5).Draw(t, "units") {
				user := bytes.Repeat([]byte{byte(n), byte(apid)}, n)[:n]
				sent[apid] = append(sent[apid], user)
				max := rapid.IntRange(30, 900).Draw(t, "max")
				if err := spp.Segment(spp.Packet{APID: ccsds.APID(apid)}, head, user, max, &c, func(p []byte) {
					if len(p) > max {
						t.Fatalf("packet of %d octets, limit is %d", len(p), max)
					}
					queues[apid] = append(queues[apid], p)
				}); err != nil {
					t.Fatal(err)
				}
			}
		}
		for len(queues[0])+len(queues[1]) > 0 {
			i := rapid.IntRange(0, 1).Draw(t, "next")
			if len(queues[i]) == 0 {
				i = 1 - i
			}
			var p spp.Packet
			if err := p.DecodeFromBytes(queues[i][0], nil); err != nil {
				t.Fatal(err)
			}
			queues[i] = queues[i][1:]
			if err := r.Push(&p, func(g spp.Group) {
				if !bytes.Equal(g.Secondary, head) {
					t.Fatalf("secondary header %x", g.Secondary)
				}
				got[g.APID] = append(got[g.APID], bytes.Clone(g.User))
			}); err != nil {
				t.Fatal(err)
			}
		}
		for apid := range sent {
			if len(sent[apid]) != len(got[apid]) {
				t.Fatalf("sent %d units, got %d", len(sent[apid]), len(got[apid]))
			}
			for i := range sent[apid] {
				if !bytes.Equal(sent[apid][i], got[apid][i]) {
					t.Fatalf("unit %d differs", i)
				}
			}
		}
	})
}

func TestReassemblerRefuses(t *testing.T) {
	r := spp.NewReassembler(10)
	push := func(flags spp.SeqFlags, count uint16, apid ccsds.APID, n int, sec bool) (groups int, err error) {
		p := spp.Packet{APID: apid, SeqFlags: flags, SeqCount: count, SecondaryHeader: sec}
		p.Payload = make([]byte, n)
		err = r.Push(&p, func(spp.Group) { groups++ })
		return groups, err
	}
	for _, c := range []struct {
		name   string
		flags  spp.SeqFlags
		count  uint16
		apid   ccsds.APID
		n      int
		sec    bool
		groups int
		want   error
	}{
		{"never began", spp.Last, 0, 1, 5, false, 0, spp.ErrSegment},
		{"begin", spp.First, 16383, 1, 5, false, 0, nil},
		{"end over the turn of the count", spp.Last, 0, 1, 5, false, 1, nil},
		{"begin", spp.First, 1, 1, 5, false, 0, nil},
		{"gap", spp.Continuation, 3, 1, 5, false, 0, spp.ErrSegment},
		{"dropped with the gap", spp.Last, 4, 1, 5, false, 0, spp.ErrSegment},
		{"begin", spp.First, 5, 1, 5, false, 0, nil},
		{"too long", spp.Last, 6, 1, 6, false, 0, spp.ErrSegment},
		{"too long alone", spp.Unsegmented, 7, 1, 11, false, 0, spp.ErrSegment},
		{"begin", spp.First, 8, 1, 5, false, 0, nil},
		{"begins again", spp.First, 9, 1, 5, false, 0, spp.ErrSegment},
		{"goes on with the second", spp.Last, 10, 1, 5, false, 1, nil},
		{"idle", spp.Unsegmented, 0, ccsds.IdleAPID, 5, false, 0, nil},
		{"secondary header without form", spp.Unsegmented, 11, 1, 5, true, 0, ccsds.ErrReserved},
	} {
		if groups, err := push(c.flags, c.count, c.apid, c.n, c.sec); groups != c.groups || !errors.Is(err, c.want) {
			t.Errorf("%s: %d groups, %v; want %d, %v", c.name, groups, err, c.groups, c.want)
		}
	}
	for apid := range ccsds.APID(spp.DefaultMaxOpen) {
		if _, err := push(spp.First, 0, apid, 1, false); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := push(spp.Continuation, 1, 0, 1, false); err != nil {
		t.Fatal(err)
	}
	// Groups that never end do not hold the others up: the one that nothing was added to for
	// longest gives way.
	if _, err := push(spp.First, 0, 100, 1, false); !errors.Is(err, spp.ErrSegment) {
		t.Errorf("one group too many is open: %v", err)
	}
	for apid, want := range map[ccsds.APID]int{0: 1, 1: 0, 2: 1, 100: 1} {
		count := uint16(1)
		if apid == 0 {
			count = 2
		}
		if groups, _ := push(spp.Last, count, apid, 1, false); groups != want {
			t.Errorf("APID %d: %d groups", apid, groups)
		}
	}
}

func TestSegmentRefuses(t *testing.T) {
	none := func([]byte) { t.Error("a packet comes out") }
	var c spp.Counter
	for name, err := range map[string]error{
		"no room": spp.Segment(spp.Packet{}, make([]byte, 4), []byte{1}, 10, &c, none),
		"no data": spp.Segment(spp.Packet{}, nil, nil, 100, &c, none),
		"apid":    spp.Segment(spp.Packet{APID: 2048}, nil, []byte{1}, 100, &c, none),
	} {
		if err == nil {
			t.Errorf("%s: is taken", name)
		}
	}
	p := spp.Packet{SecondaryHeader: true}
	p.Payload = make([]byte, 3)
	if _, _, _, err := (spp.Secondary{Time: 4}).Split(&p); !errors.Is(err, ccsds.ErrTruncated) {
		t.Errorf("3 octets of a secondary header of 4: %v", err)
	}
	if time, anc, user, err := (spp.Secondary{Time: 1, Ancillary: 1}).Split(&p); len(time) != 1 || len(anc) != 1 || len(user) != 1 || err != nil {
		t.Errorf("split %x %x %x, %v", time, anc, user, err)
	}
}

// Any sequence of packets: no panic, and no group exceeds the limit.
func FuzzReassembler(f *testing.F) {
	var c spp.Counter
	var seed []byte
	if err := spp.Segment(spp.Packet{APID: 5}, nil, make([]byte, 60), 30, &c, func(p []byte) { seed = append(seed, p...) }); err != nil {
		f.Fatal(err)
	}
	f.Add(seed, 2)
	f.Fuzz(func(t *testing.T, octets []byte, secondary int) {
		r := spp.NewReassembler(50)
		for apid := range ccsds.APID(8) {
			r.SetSecondary(spp.TM, apid, spp.Secondary{Time: secondary})
		}
		for {
			var p spp.Packet
			if p.DecodeFromBytes(octets, nil) != nil {
				return
			}
			octets = octets[len(p.Contents)+len(p.Payload):]
			_ = r.Push(&p, func(g spp.Group) {
				if len(g.User) > 50 || g.Packets < 1 {
					t.Fatalf("group %+v", g)
				}
			})
		}
	})
}

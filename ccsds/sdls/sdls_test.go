package sdls_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/gopacket"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/sdls"
)

var (
	testKey = [32]byte{1, 2, 3, 31: 9}
	header  = []byte{0x00, 0x2a, 0x04, 0x40, 0x11, 0xc0}
)

func pair(t testing.TB, window int) (*sdls.Sender, *sdls.Receiver) {
	t.Helper()
	sas := []sdls.SA{
		{SPI: 1, Key: testKey, VCs: []ccsds.VCID{0}, Window: window},
		{SPI: 2, Key: testKey, VCs: []ccsds.VCID{1}, Window: window},
	}
	s, err := sdls.NewSender(sas)
	if err != nil {
		t.Fatal(err)
	}
	r, err := sdls.NewReceiver(sas)
	if err != nil {
		t.Fatal(err)
	}
	return s, r
}

func apply(t testing.TB, s *sdls.Sender, spi uint16, n uint64, data string) []byte {
	t.Helper()
	field, err := s.Apply(nil, spi, ccsds.VCID(spi-1), n, header, []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return field
}

// testdata/fields.csv comes from test/golden/sdls.py (PyPI cryptography).
func TestAgainstReference(t *testing.T) {
	f, err := os.Open("testdata/fields.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows := 0
	for s := bufio.NewScanner(f); s.Scan(); {
		if strings.HasPrefix(s.Text(), "#") {
			continue
		}
		rows++
		col := strings.Split(s.Text(), ",")
		spi, _ := strconv.ParseUint(col[0], 10, 16)
		vc, _ := strconv.ParseUint(col[1], 10, 8)
		n, _ := strconv.ParseUint(col[2], 10, 64)
		var raw [4][]byte
		for i := range raw {
			if raw[i], err = hex.DecodeString(col[3+i]); err != nil {
				t.Fatal(err)
			}
		}
		sa := sdls.SA{SPI: uint16(spi), Key: [32]byte(raw[0]), VCs: []ccsds.VCID{ccsds.VCID(vc)}}
		tx, err := sdls.NewSender([]sdls.SA{sa})
		if err != nil {
			t.Fatal(err)
		}
		got, err := tx.Apply(nil, sa.SPI, sa.VCs[0], n, raw[1], raw[2])
		if err != nil || !bytes.Equal(got, raw[3]) {
			t.Errorf("SPI %d number %d: %x, %v", spi, n, got, err)
		}
		rx, _ := sdls.NewReceiver([]sdls.SA{sa})
		raw[1][4] ^= 0xff // the sequence number is not authenticated
		clear, err := rx.Open(sa.VCs[0], raw[1], raw[3])
		if err != nil || !bytes.Equal(clear, raw[2]) {
			t.Errorf("open SPI %d number %d: %v", spi, n, err)
		}
	}
	if rows < 9 {
		t.Fatalf("%d rows", rows)
	}
}

func TestRefused(t *testing.T) {
	s, r := pair(t, 0)
	good := apply(t, s, 1, 5, "ping")
	change := func(at int, by byte) []byte {
		b := bytes.Clone(good)
		b[at] ^= by
		return b
	}
	otherHeader := bytes.Clone(header)
	otherHeader[5] ^= 1
	for name, tc := range map[string]struct {
		vc     ccsds.VCID
		header []byte
		field  []byte
		want   error
	}{
		"empty":             {0, header, nil, sdls.ErrTruncated},
		"one octet short":   {0, header, good[:sdls.Overhead-1], sdls.ErrTruncated},
		"no data, cut":      {0, header, good[:sdls.Overhead], sdls.ErrForged},
		"unknown SPI":       {0, header, change(1, 8), sdls.ErrSPI},
		"other channel":     {1, header, good, sdls.ErrVC},
		"other association": {1, header, change(1, 3), sdls.ErrForged},
		"vector":            {0, header, change(2, 1), sdls.ErrForged},
		"number":            {0, header, change(13, 1), sdls.ErrForged},
		"data":              {0, header, change(sdls.HeaderLength, 1), sdls.ErrForged},
		"MAC":               {0, header, change(len(good)-1, 1), sdls.ErrForged},
		"header":            {0, otherHeader, good, sdls.ErrForged},
		"no header at all":  {0, nil, good, sdls.ErrForged},
		"longer header":     {0, append(bytes.Clone(header), 1), good, sdls.ErrForged},
	} {
		if _, err := r.Open(tc.vc, tc.header, tc.field); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
	if r.Floor(1) != 0 {
		t.Error("a refused frame moved the floor")
	}
	if data, err := r.Open(0, header, good); err != nil || string(data) != "ping" {
		t.Fatalf("good frame: %q, %v", data, err)
	}
	if _, err := r.Open(0, header, good); !errors.Is(err, sdls.ErrReplayed) {
		t.Errorf("replay: %v", err)
	}
	if _, err := r.Open(0, header, apply(t, s, 1, 4, "old")); !errors.Is(err, sdls.ErrReplayed) {
		t.Errorf("older number: %v", err)
	}
}

type floors map[uint16]uint64

func (f floors) SaveFloor(spi uint16, n uint64) error { f[spi] = n; return nil }

type broken struct{}

func (broken) SaveFloor(uint16, uint64) error { return errors.New("disk gone") }

func TestCommitAndRestart(t *testing.T) {
	s, r := pair(t, 64)
	disk := floors{}
	open := func(n uint64) error {
		_, err := r.Open(0, header, apply(t, s, 1, n, "x"))
		return err
	}
	for n := range uint64(5) {
		if err := open(n + 1); err != nil {
			t.Fatal(err)
		}
	}
	if len(disk) != 0 {
		t.Fatal("saved before Commit")
	}
	if err := r.Commit(disk); err != nil || disk[1] != 5 || len(disk) != 1 {
		t.Fatalf("saved %v, %v", disk, err)
	}
	// A batch that could not be saved was never received, and may come again.
	if err := open(6); err != nil {
		t.Fatal(err)
	}
	if err := r.Commit(broken{}); err == nil || r.Floor(1) != 5 {
		t.Fatalf("floor %d, %v", r.Floor(1), err)
	}
	if err := open(6); err != nil {
		t.Fatal(err)
	}
	_, r = pair(t, 64) // restart
	r.SetFloor(1, disk[1])
	for _, n := range []uint64{1, 4, 5} {
		if err := open(n); !errors.Is(err, sdls.ErrReplayed) {
			t.Errorf("number %d after restart: %v", n, err)
		}
	}
	r.SetFloor(1, 2)
	if r.Floor(1) != 5 {
		t.Error("the floor went back")
	}
	if err := open(6); err != nil {
		t.Error(err)
	}
}

// TestWindowModel compares the window with a plain set of seen numbers.
func TestWindowModel(t *testing.T) {
	for _, size := range []int{0, 1, 63, 64, 65, 200, sdls.MaxWindow} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(size), 1))
			s, r := pair(t, size)
			seen, top := map[uint64]bool{}, uint64(0)
			for range 4000 {
				n := uint64(max(1, int64(top)+rng.Int64N(2*int64(size)+4)-int64(size)-int64(size)/2))
				if rng.IntN(50) == 0 {
					n = top + uint64(rng.IntN(600))
				}
				if n == 0 {
					continue
				}
				want := n > top || (top-n < uint64(size) && !seen[n])
				_, err := r.Open(0, header, apply(t, s, 1, n, "x"))
				if (err == nil) != want {
					t.Fatalf("number %d, highest %d: %v, want taken %t", n, top, err, want)
				}
				if want {
					seen[n], top = true, max(top, n)
				}
			}
		})
	}
}

func TestSenderRefuses(t *testing.T) {
	s, _ := pair(t, 0)
	for _, tc := range []struct {
		spi  uint16
		vc   ccsds.VCID
		n    uint64
		want error
	}{{9, 0, 1, sdls.ErrSPI}, {1, 1, 1, sdls.ErrVC}, {1, 0, 0, sdls.ErrExhausted}, {1, 0, 1<<64 - 1, sdls.ErrExhausted}} {
		if _, err := s.Apply(nil, tc.spi, tc.vc, tc.n, header, nil); !errors.Is(err, tc.want) {
			t.Errorf("%+v: %v", tc, err)
		}
	}
	for name, sa := range map[string]sdls.SA{
		"SPI 0":        {Key: testKey},
		"SPI ffff":     {SPI: 0xffff, Key: testKey},
		"no key":       {SPI: 1},
		"large window": {SPI: 1, Key: testKey, Window: sdls.MaxWindow + 1},
	} {
		if _, err := sdls.NewReceiver([]sdls.SA{sa}); !errors.Is(err, sdls.ErrBadSA) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := sdls.NewSender([]sdls.SA{{SPI: 1, Key: testKey}, {SPI: 1, Key: testKey}}); !errors.Is(err, sdls.ErrBadSA) {
		t.Errorf("SPI twice: %v", err)
	}
}

// FuzzOpen: no panic, nothing forged is taken, and taking a field apart and
// putting it together gives the same octets.
func FuzzOpen(f *testing.F) {
	s, _ := pair(f, 0)
	f.Add(uint8(0), header, apply(f, s, 1, 5, "ping"))
	f.Add(uint8(1), header[:5], apply(f, s, 2, 1, ""))
	f.Add(uint8(0), []byte{}, []byte{0, 1, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, vc uint8, head, data []byte) {
		_, r := pair(t, 8)
		clear, err := r.Open(ccsds.VCID(vc), head, data)
		var field sdls.Field
		if field.DecodeFromBytes(data, nil) != nil {
			if err == nil {
				t.Fatal("opened what cannot be decoded")
			}
			return
		}
		if err == nil && len(clear) != len(data)-sdls.Overhead {
			t.Fatalf("%d octets in clear from %d", len(clear), len(data))
		}
		b := gopacket.NewSerializeBuffer()
		if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{}, &field, gopacket.Payload(field.Payload)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), data) {
			t.Fatalf("%x became %x", data, b.Bytes())
		}
	})
}

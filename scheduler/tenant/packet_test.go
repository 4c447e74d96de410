package tenant

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perilune/perilune/bus"
	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/internal/ids"
	"github.com/perilune/perilune/internal/seqpacket"
	"github.com/perilune/perilune/scheduler/safe"
)

// newInbox is the inbox of a guest that may store one MiB.
func newInbox(t testing.TB) (in *inbox, sent *[][]byte, done *[]Product) {
	t.Helper()
	sent, done = &[][]byte{}, &[]Product{}
	m := New(Config{
		Clock: clock.Real{}, Log: slog.New(slog.DiscardHandler), Records: safe.NewRecords(), Products: t.TempDir(),
		Send:    func(_ ccsds.APID, _, _ uint8, data []byte) error { *sent = append(*sent, data); return nil },
		Event:   func(uint8, pus.EventID, string) {},
		Publish: func(bus.Event) {}, Changed: func() {},
		Done: func(p Product) { *done = append(*done, p) },
	})
	g := &guest{id: ids.Guest{Tenant: "acme", Mission: "beacon"}, tenant: Tenant{APID: 100, StorageMiB: 1}}
	in = &inbox{m: m, g: g}
	in.resume()
	return in, sent, done
}

func end(size uint64) []byte {
	return binary.LittleEndian.AppendUint64([]byte{hvt.PacketProductEnd}, size)
}

func TestDatagrams(t *testing.T) {
	name := func(s string) []byte { return append([]byte{hvt.PacketProductBegin}, s...) }
	data := append([]byte{hvt.PacketProductData}, "12345"...)
	for _, tt := range []struct {
		name      string
		datagrams [][]byte
		bad       int // how many are refused
		products  int
	}{
		{"telemetry", [][]byte{{hvt.PacketTelemetry, 1}, {hvt.PacketTelemetry}}, 0, 0},
		{"empty", [][]byte{{}}, 1, 0},
		{"unknown kind", [][]byte{{0x7F, 1}, {hvt.PacketTelecommand}}, 2, 0},
		{"telemetry too long", [][]byte{append([]byte{hvt.PacketTelemetry}, make([]byte, hvt.TelemetryMax+1)...)}, 1, 0},
		{"datagram too long", [][]byte{make([]byte, hvt.PacketMax+1)}, 1, 0},
		{"product", [][]byte{name("a.b"), data, data, end(10)}, 0, 1},
		{"empty product", [][]byte{name("none"), end(0)}, 0, 1},
		{"same name twice", [][]byte{name("a"), data, end(5), name("a"), data, end(5)}, 0, 2},
		{"begun again", [][]byte{name("a"), data, name("b"), data, end(5)}, 0, 1},
		{"wrong size", [][]byte{name("a"), data, end(6)}, 1, 0},
		{"huge size", [][]byte{name("a"), data, end(1 << 63)}, 1, 0},
		{"path", [][]byte{name("../x"), data, end(5)}, 3, 0},
		{"dots", [][]byte{name("..")}, 1, 0},
		{"hidden mark", [][]byte{name("~a")}, 1, 0},
		{"no name", [][]byte{name("")}, 1, 0},
		{"long name", [][]byte{name(strings.Repeat("n", hvt.ProductNameMax+1))}, 1, 0},
		{"data without begin", [][]byte{data}, 1, 0},
		{"end without begin", [][]byte{end(0)}, 1, 0},
		{"short end", [][]byte{name("a"), {hvt.PacketProductEnd, 1}}, 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in, _, done := newInbox(t)
			bad := 0
			for _, d := range tt.datagrams {
				if in.datagram(d) != nil {
					bad++
				}
			}
			in.end()
			if bad != tt.bad || len(*done) != tt.products {
				t.Errorf("%d refused, %d products; want %d and %d", bad, len(*done), tt.bad, tt.products)
			}
			left, err := filepath.Glob(filepath.Join(in.dir(), partPrefix+"*"))
			if err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
			for _, p := range *done {
				if st, err := os.Stat(filepath.Join(in.m.cfg.Products, p.Name)); err != nil || uint64(st.Size()) != p.Size {
					t.Errorf("product %s: %v", p.Name, err)
				}
			}
		})
	}
}

// What a guest has sent is taken, also when it ended with telecommands unread.
func TestLastDatagrams(t *testing.T) {
	in, _, done := newInbox(t)
	ours, theirs, err := seqpacket.Pair("packets")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := newPacketConn(ours)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.TrySend([]byte{hvt.PacketTelecommand}); err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{append([]byte{hvt.PacketProductBegin}, "last"...), {hvt.PacketProductData, 1}, end(1)} {
		if _, err := theirs.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	theirs.Close()
	in.m.readPackets(in.g, conn)
	if len(*done) != 1 {
		t.Errorf("products %+v", *done)
	}
}

// The storage of a tenant is bounded over all its products, and freed when they are gone.
func TestStorageQuota(t *testing.T) {
	in, _, done := newInbox(t)
	fill := func(name string, octets int) error {
		if err := in.datagram(append([]byte{hvt.PacketProductBegin}, name...)); err != nil {
			return err
		}
		for n := octets; n > 0; n -= 4000 {
			if err := in.datagram(append([]byte{hvt.PacketProductData}, make([]byte, min(n, 4000))...)); err != nil {
				return err
			}
		}
		return in.datagram(end(uint64(octets)))
	}
	if err := fill("one", 700_000); err != nil {
		t.Fatal(err)
	}
	if err := fill("two", 700_000); err == nil || !strings.HasPrefix(err.Error(), "grant.quota: ") {
		t.Fatalf("1.4 MB in a MiB: %v", err)
	}
	if err := os.Remove(filepath.Join(in.m.cfg.Products, (*done)[0].Name)); err != nil {
		t.Fatal(err)
	}
	if err := fill("two", 700_000); err != nil {
		t.Errorf("after the first was sent: %v", err)
	}
}

// Empty products take of the storage too, and more of them than a few end at a measured pace.
func TestEmptyProducts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, _, done := newInbox(t)
		began := time.Now()
		var err error
		for i := 0; err == nil; i++ {
			if err = in.datagram(fmt.Appendf([]byte{hvt.PacketProductBegin}, "p%d", i)); err == nil {
				err = in.datagram(end(0))
			}
		}
		if n := len(*done); n != 1<<20/leastOctets || !strings.HasPrefix(err.Error(), "grant.quota: ") {
			t.Errorf("%d empty products in a MiB, then %v", n, err)
		}
		if took, want := time.Since(began), productPause*(1<<20/leastOctets-productBurst); took < want {
			t.Errorf("they took %v, want at least %v", took, want)
		}
	})
}

// FuzzDatagram lets a guest say anything: no panic, and no file outside its folder.
func FuzzDatagram(f *testing.F) {
	f.Add([]byte{hvt.PacketTelemetry, 1, 2}, []byte{hvt.PacketProductEnd})
	f.Add(append([]byte{hvt.PacketProductBegin}, "name"...), []byte{hvt.PacketProductData, 1})
	f.Add(append([]byte{hvt.PacketProductBegin}, "../../x"...), end(0))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		in, _, done := newInbox(t)
		for _, d := range [][]byte{a, b, append([]byte{hvt.PacketProductData}, b...), end(uint64(len(b)))} {
			_ = in.datagram(d) // refusing is fine
		}
		in.end()
		for _, p := range *done {
			if !strings.HasPrefix(p.Name, "acme/beacon/") || !filepath.IsLocal(p.Name) {
				t.Errorf("product %q", p.Name)
			}
		}
		entries, err := os.ReadDir(in.m.cfg.Products)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.Name() != "acme" {
				t.Errorf("%q beside the tenant's folder", e.Name())
			}
		}
	})
}

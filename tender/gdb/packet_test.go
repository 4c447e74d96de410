package gdb_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/perilune/perilune/tender/gdb"
	"github.com/perilune/perilune/tender/regs"
)

func frames(in string) (out []string) {
	var p gdb.Parser
	p.Push([]byte(in), func(f gdb.Frame) { out = append(out, fmt.Sprintf("%d%s", f.Kind, f.Payload)) })
	return out
}

// The examples are those of the GDB manual, "Remote Protocol: Overview".
func TestParser(t *testing.T) {
	for in, want := range map[string][]string{
		"$?#3f":                 {"1?"},
		"+$g#67":                {"3", "1g"},
		"$g#68":                 {"2"},
		"$g#6x":                 {"2"},
		"-\x03noise$c#63":       {"4", "5", "1c"},
		"$m10,4#8e":             {"2"},
		"$cut$g#67":             {"1g"},
		"$X0,3:}\x03}]}\x04#fc": {"1X0,3:#}$"}, // escaped: # } $
		"$#00":                  {"1"},
		"$" + strings.Repeat("a", gdb.MaxPacket+1) + "#61": {"2"},
	} {
		if got := frames(in); !slices.Equal(got, want) {
			t.Errorf("%.40q: %q, want %q", in, got, want)
		}
	}
}

func TestEncode(t *testing.T) {
	for in, want := range map[string]string{"": "$#00", "OK": "$OK#9a", "a#b": "$a}\x03b#43"} {
		if got := string(gdb.Encode([]byte(in))); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// FuzzParser: in any pieces, the same frames; what is encoded comes back.
func FuzzParser(f *testing.F) {
	f.Add([]byte("$m10,4#9b+\x03$cut$g#67"), uint8(3))
	f.Add([]byte("$X0,2:}\x03}#00"), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, n uint8) {
		var pieces []string
		var p gdb.Parser
		emit := func(f gdb.Frame) {
			if len(f.Payload) > gdb.MaxPacket {
				t.Fatalf("payload of %d octets", len(f.Payload))
			}
			pieces = append(pieces, fmt.Sprintf("%d%s", f.Kind, f.Payload))
		}
		for piece := range slices.Chunk(b, int(n)+1) {
			p.Push(piece, emit)
		}
		if whole := frames(string(b)); !slices.Equal(whole, pieces) {
			t.Fatalf("%q: %q in one, %q in pieces", b, whole, pieces)
		}
		if len(b) < gdb.MaxPacket/2 {
			if got := frames(string(gdb.Encode(b))); len(got) != 1 || got[0] != "1"+string(b) {
				t.Fatalf("%q came back as %q", b, got)
			}
		}
	})
}

// dummy is a target without a guest, with three threads of which the second
// has not started; they share their registers.
type dummy struct {
	v       regs.Values
	asked   []int // whose registers
	mem     [256]byte
	points  []string
	resumed []string // what threads 1, 2 and 3 shall do
	stops   []gdb.Stop
}

var errOutside = errors.New("outside")

func (d *dummy) Threads() []int { return []int{1, 3} }
func (d *dummy) Registers(id int) (regs.Values, error) {
	d.asked = append(d.asked, id)
	return regs.Values{Layout: d.v.Layout, Octets: bytes.Clone(d.v.Octets)}, nil
}
func (d *dummy) SetRegisters(_ int, v regs.Values) error { d.v = v; return nil }
func (d *dummy) span(addr uint64, n int) ([]byte, error) {
	if addr > 256 || uint64(n) > 256-addr {
		return nil, errOutside
	}
	return d.mem[addr:][:n], nil
}
func (d *dummy) ReadMemory(addr uint64, b []byte) error {
	m, err := d.span(addr, len(b))
	copy(b, m)
	return err
}
func (d *dummy) WriteMemory(addr uint64, b []byte) error {
	m, err := d.span(addr, len(b))
	copy(m, b)
	return err
}
func (d *dummy) Insert(p gdb.Point, a, n uint64) error {
	if p == gdb.WatchRead {
		return gdb.ErrNoPoint
	}
	d.points = append(d.points, fmt.Sprintf("+%d@%x,%d", p, a, n))
	return nil
}
func (d *dummy) Remove(p gdb.Point, a, n uint64) error {
	d.points = append(d.points, fmt.Sprintf("-%d@%x,%d", p, a, n))
	return nil
}
func (d *dummy) Resume(do func(int) gdb.Action) (gdb.Stop, error) {
	said := ""
	for id := range 3 {
		said += string("-cs"[do(id+1)])
	}
	d.resumed = append(d.resumed, said)
	if len(d.stops) == 0 {
		return gdb.Stop{Signal: gdb.SigTrap, Thread: 1}, nil
	}
	s := d.stops[0]
	d.stops = d.stops[1:]
	return s, nil
}
func (d *dummy) Interrupt() {}

// wire is a connection whose other side has said all it will say.
type wire struct {
	*bytes.Reader
	bytes.Buffer
}

func (w *wire) Read(b []byte) (int, error)  { return w.Reader.Read(b) }
func (w *wire) Write(b []byte) (int, error) { return w.Buffer.Write(b) }

// talk gives the answers to packets.
func talk(t *testing.T, d *dummy, packets ...string) ([]string, error) {
	t.Helper()
	in := []byte{}
	for _, p := range packets {
		in = append(in, gdb.Encode([]byte(p))...)
	}
	w := &wire{Reader: bytes.NewReader(in)}
	err := gdb.Serve(w, d)
	var out []string
	var p gdb.Parser
	p.Push(w.Bytes(), func(f gdb.Frame) {
		if f.Kind == gdb.Packet {
			out = append(out, string(f.Payload))
		}
	})
	return out, err
}

func TestCommands(t *testing.T) {
	d := &dummy{v: regs.AMD64.New()}
	copy(d.mem[:], "moon")
	d.v.Set("rax", 0x1122)
	rip := 16
	for _, c := range []struct{ packet, want string }{
		{"?", "T05thread:1;"},
		{"m0,4", "6d6f6f6e"}, {"mfc,4", "00000000"}, {"mfd,4", "E01"}, {"m", "E01"}, {"m0", "E01"}, {"mfffffffffffffffff,1", "E01"},
		{"M1,2:5858", "OK"}, {"m0,4", "6d58586e"}, {"M1,2:58", "E01"}, {"M1,1:zz", "E01"}, {"M100,1:00", "E01"},
		{"X3,1:}", "OK"}, {"m3,1", "7d"}, {"X3,1:!", "OK"}, {"X0,0:", "OK"}, {"m3,1", "21"},
		{"p0", "2211000000000000"}, {"P0=ff00000000000000", "OK"}, {"p0", "ff00000000000000"}, {"P0=ff", "E01"}, {"pffff", "E01"},
		{fmt.Sprintf("P%x=0000100000000000", rip), "OK"},
		{"Z0,1000,1", "OK"}, {"z0,1000,1", "OK"}, {"Z1,2000,1", "OK"}, {"Z2,2000,4", "OK"}, {"z4,2000,8", "OK"}, {"Z3,2000,4", ""}, {"Z5,2000,4", ""}, {"Z0", "E01"}, {"Z0,1000", "E01"}, {"Z0,1000,", "E01"},
		{"c", "T05thread:1;"}, {"s", "T05thread:1;"}, {"c1234", "T05thread:1;"}, {"C05;1235", "T05thread:1;"}, {"vCont;s:1", "T05thread:1;"},
		{"vCont?", "vCont;c;C;s;S"}, {"vMustReplyEmpty", ""}, {"!", ""}, {"Hg0", "OK"}, {"qAttached", "1"},
		{"qXfer:features:read:other.xml:0,10", "E00"}, {"qXfer:features:read:target.xml:0,5", "m<?xml"},
		{"qXfer:features:read:target.xml:ffffff,5", "l"}, {"G00", "OK"}, {"G0", "E01"}, {"G" + strings.Repeat("00", 2000), "E01"},
	} {
		got, err := talk(t, d, c.packet)
		if len(got) != 1 || got[0] != c.want || !errors.Is(err, gdb.ErrLost) {
			t.Errorf("%.40s: %q, %v, want %q", c.packet, got, err, c.want)
		}
	}
	if got := fmt.Sprint(d.points); got != "[+0@1000,1 -0@1000,1 +1@2000,1 +2@2000,4 -4@2000,8]" {
		t.Error(got)
	}
	if fmt.Sprint(d.resumed) != "[ccc s-- ccc ccc s--]" || d.v.Get("rip") != 0x1235 {
		t.Errorf("%v, rip %#x", d.resumed, d.v.Get("rip"))
	}
}

// What a debugger asks of several threads.
func TestThreads(t *testing.T) {
	d := &dummy{v: regs.AMD64.New(), stops: []gdb.Stop{{Signal: gdb.SigTrap, Thread: 3}, {Signal: gdb.SigTrap, Thread: 1, Watch: gdb.WatchAccess, At: 0x1000}}}
	var packets, want []string
	for _, c := range []struct{ packet, want string }{
		{"qC", "QC1"}, {"qfThreadInfo", "m1,3"}, {"qsThreadInfo", "l"}, {"qThreadExtraInfo,3", fmt.Sprintf("%x", "vCPU 2")},
		{"T3", "OK"}, {"T2", "E01"}, {"Tx", "E01"}, {"qThreadExtraInfo,2", "E01"},
		{"Hg3", "OK"}, {"p0", "0000000000000000"}, {"Hg2", "E01"}, {"Hg", "E01"}, {"Hx1", "E01"}, {"Hg-1", "E01"}, {"Hgfffff", "E01"},
		{"vCont;c", "T05thread:3;"}, {"qC", "QC3"}, {"?", "T05thread:3;"}, {"p0", "0000000000000000"},
		{"Hg1", "OK"}, {"p0", "0000000000000000"}, {"Hg0", "OK"}, {"p0", "0000000000000000"},
		{"vCont;s:3;c", "T05thread:1;awatch:1000;"}, {"vCont;s:3", "T05thread:1;"}, {"vCont;C05:1;s:3;c:-1", "T05thread:1;"},
		{"vCont;t", "E01"}, {"vCont;", "E01"}, {"vCont;c:", "E01"},
		{"Hc3", "OK"}, {"c", "T05thread:1;"}, {"s", "T05thread:1;"}, {"Hc-1", "OK"}, {"c", "T05thread:1;"},
	} {
		packets = append(packets, c.packet)
		want = append(want, c.want)
	}
	got, err := talk(t, d, packets...)
	if !slices.Equal(got, want) || !errors.Is(err, gdb.ErrLost) {
		t.Errorf("%q, %v\nwant %q", got, err, want)
	}
	if fmt.Sprint(d.asked) != "[3 3 1 3]" || fmt.Sprint(d.resumed) != "[ccc ccs --s ccs --c --s ccc]" {
		t.Errorf("registers of %v, runs %v", d.asked, d.resumed)
	}
}

func TestEnds(t *testing.T) {
	for _, c := range []struct {
		packet string
		stops  []gdb.Stop
		want   string
		err    error
	}{
		{"D", nil, "[OK]", nil},
		{"k", nil, "[]", gdb.ErrKill},
		{"vKill;1", nil, "[OK]", gdb.ErrKill},
		{"c", []gdb.Stop{{Exited: true, Status: 7}}, "[W07]", gdb.ErrExited},
	} {
		got, err := talk(t, &dummy{v: regs.AMD64.New(), stops: c.stops}, c.packet, "?")
		if fmt.Sprint(got) != c.want || !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
			t.Errorf("%s: %v, %v", c.packet, got, err)
		}
	}
}

// FuzzServer: whatever a debugger says, the server answers or ends.
func FuzzServer(f *testing.F) {
	for _, s := range []string{"m0,4", "G00", "P1=00", "X1,1:a", "Z0,1,1", "vCont;c", "vCont;s:3;C05:1", "Hg3", "Tffff", "qThreadExtraInfo,1", "qXfer:features:read:target.xml:0,ffff"} {
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, b []byte, raw bool) {
		if !raw {
			b = gdb.Encode(b)
		}
		w := &wire{Reader: bytes.NewReader(b)}
		_ = gdb.Serve(w, &dummy{v: regs.ARM64.New()})
	})
}

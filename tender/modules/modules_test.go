package modules_test

import (
	"bytes"
	"errors"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/modules"
	"golang.org/x/sys/unix"
)

// memory is a guest's memory without any protection.
type memory []byte

var errAccess = errors.New("access")

func (m memory) Readable(gpa, n uint64) ([]byte, error) {
	if gpa > uint64(len(m)) || n > uint64(len(m))-gpa {
		return nil, errAccess
	}
	return m[gpa : gpa+n], nil
}
func (m memory) Writable(gpa, n uint64) ([]byte, error) { return m.Readable(gpa, n) }

func disk(t *testing.T, size int64, flags int) *os.File {
	t.Helper()
	path := t.TempDir() + "/disk"
	if err := os.WriteFile(path, bytes.Repeat([]byte{7}, int(size)), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, flags, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestBlock(t *testing.T) {
	d, err := modules.NewBlock(disk(t, 4096, os.O_RDWR), 1024, false)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if a := d.Attachment(); a.Capacity != 4096 || a.SectorSize != 1024 || !a.Attached {
		t.Errorf("%+v", a)
	}
	mem := make(memory, 8192)
	for _, c := range []struct {
		offset, data, n uint64
		want            hvt.Result
		err             error
	}{
		{0, 0, 1024, hvt.ResultOK, nil}, {3072, 0, 1024, hvt.ResultOK, nil}, {0, 0, 4096, hvt.ResultOK, nil}, {0, 0, 0, hvt.ResultOK, nil},
		{4096, 0, 0, hvt.ResultInvalid, nil}, {4096, 0, 1024, hvt.ResultInvalid, nil}, {3072, 0, 2048, hvt.ResultInvalid, nil},
		{512, 0, 1024, hvt.ResultInvalid, nil}, {0, 0, 1000, hvt.ResultInvalid, nil},
		{math.MaxUint64 - 1023, 0, 1024, hvt.ResultInvalid, nil}, {0, 0, math.MaxUint64 - 1023, hvt.ResultInvalid, nil},
		{0, 8000, 1024, 0, errAccess}, {0, math.MaxUint64, 1024, 0, errAccess},
	} {
		io := hvt.BlockIO{Handle: 1, Offset: c.offset, Data: c.data, Len: c.n}
		if r, err := d.Read(mem, io); r != c.want || !errors.Is(err, c.err) {
			t.Errorf("read %+v: %v, %v", io, r, err)
		}
		if r, err := d.Write(mem, io); r != c.want || !errors.Is(err, c.err) {
			t.Errorf("write %+v: %v, %v", io, r, err)
		}
	}
}

// An I/O error ends the guest, in the reference's words.
func TestBlockErrors(t *testing.T) {
	mem, io := make(memory, 512), hvt.BlockIO{Len: 512}
	var fatal *modules.FatalError
	d, err := modules.NewBlock(disk(t, 512, os.O_RDONLY), 0, false)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.Write(mem, io); !errors.As(err, &fatal) || fatal.Text != "Fatal error when writing: Bad file descriptor" {
		t.Errorf("write to a file opened for reading: %v", err)
	}
	f := disk(t, 512, os.O_RDWR)
	if d, err = modules.NewBlock(f, 0, false); err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	f.Truncate(100)
	if _, err := d.Read(mem, io); !errors.As(err, &fatal) || fatal.Text != "Fatal error: read only 100 out of 512 bytes" {
		t.Errorf("short read: %v", err)
	}
	for size, ok := range map[uint64]bool{0: false, 256: false, 511: false, 513: false, 512: true, 4096: true, 32768: true, 65536: false, 1 << 40: false} {
		if (modules.CheckSector(size) == nil) != ok {
			t.Errorf("sector size %d: %v", size, !ok)
		}
	}
}

func packet(t *testing.T) (*modules.Net, int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	n, err := modules.NewPacket(os.NewFile(uintptr(fds[0]), "packet"), [6]byte{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n, fds[1]
}

func stopFD(t *testing.T) int {
	t.Helper()
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

func TestPacket(t *testing.T) {
	n, peer := packet(t)
	defer unix.Close(peer)
	mem, stop := make(memory, 8192), stopFD(t)
	copy(mem, "telemetry")
	if a := n.Attachment(); a.MTU != hvt.PacketMTU || a.MAC[0]&3 != 2 {
		t.Errorf("%+v", a)
	}
	if r, err := n.Write(mem, hvt.NetIO{Len: 9}, stop); r != hvt.ResultOK || err != nil {
		t.Fatal(r, err)
	}
	buf := make([]byte, 100)
	if k, err := unix.Read(peer, buf); err != nil || string(buf[:k]) != "telemetry" {
		t.Errorf("%q, %v", buf[:k], err)
	}
	for _, size := range []uint64{0, hvt.PacketMax + 1} {
		if r, err := n.Write(mem, hvt.NetIO{Len: size}, stop); r != hvt.ResultInvalid || err != nil {
			t.Errorf("%d octets: %v, %v", size, r, err)
		}
	}
	if _, r, err := n.Read(mem, hvt.NetIO{Len: 100}); r != hvt.ResultAgain || err != nil {
		t.Errorf("nothing to read: %v, %v", r, err)
	}
	unix.Write(peer, []byte("telecommand"))
	if k, r, err := n.Read(mem, hvt.NetIO{Data: 10, Len: 4}); k != 4 || r != hvt.ResultOK || err != nil || string(mem[10:14]) != "tele" {
		t.Errorf("short buffer: %d, %v, %v, %q", k, r, err, mem[10:14])
	}
	if _, r, _ := n.Read(mem, hvt.NetIO{Len: 100}); r != hvt.ResultAgain {
		t.Errorf("the rest of a datagram came as another: %v", r)
	}
}

func TestPoll(t *testing.T) {
	n, peer := packet(t)
	p := modules.NewPoller(stopFD(t))
	p.Add(5, n)
	for _, timeout := range []time.Duration{0, 30 * time.Millisecond} {
		start := time.Now()
		ready, count, err := p.Wait(uint64(timeout))
		if ready != 0 || count != 0 || err != nil || time.Since(start) < timeout {
			t.Errorf("%v: %#x, %d, %v after %v", timeout, ready, count, err, time.Since(start))
		}
	}
	unix.Write(peer, []byte("x"))
	for range 2 { // level-triggered
		if ready, count, err := p.Wait(math.MaxUint64); ready != 1<<5 || count != 1 || err != nil {
			t.Errorf("%#x, %d, %v", ready, count, err)
		}
	}
	// After the peer has gone the device is quiet, not always ready.
	unix.Close(peer)
	mem := make(memory, 100)
	for range 3 {
		n.Read(mem, hvt.NetIO{Len: 100})
	}
	if ready, count, err := p.Wait(uint64(20 * time.Millisecond)); ready != 0 || count != 0 || err != nil {
		t.Errorf("after the end: %#x, %d, %v", ready, count, err)
	}
}

func TestStopWakes(t *testing.T) {
	n, peer := packet(t)
	defer unix.Close(peer)
	stop := stopFD(t)
	p := modules.NewPoller(stop)
	time.AfterFunc(30*time.Millisecond, func() { unix.Write(stop, []byte{1, 0, 0, 0, 0, 0, 0, 0}) })
	mem := make(memory, hvt.PacketMax)
	for {
		if _, err := n.Write(mem, hvt.NetIO{Len: hvt.PacketMax}, stop); err != nil {
			if !errors.Is(err, modules.ErrStopped) {
				t.Error(err)
			}
			break
		}
	}
	if _, _, err := p.Wait(math.MaxUint64); !errors.Is(err, modules.ErrStopped) {
		t.Error(err)
	}
}

func TestOpenTap(t *testing.T) {
	for name, want := range map[string]error{"nosuchtap0": unix.ENOENT, "@": unix.EINVAL, "@-1": unix.ERANGE, "@1x": unix.EINVAL,
		"@99999999999999999999": unix.ERANGE, "@4000": unix.EBADF, strings.Repeat("x", 16): unix.ENAMETOOLONG} {
		if _, _, err := modules.OpenTap(name); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}

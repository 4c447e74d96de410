package modules

import (
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/internal/seqpacket"
	"golang.org/x/sys/unix"
)

// Net is a network device on a descriptor that keeps datagrams apart: a tap,
// or a SEQPACKET socket.
type Net struct {
	f      *os.File
	fd     int
	mac    [6]byte
	mtu    uint16
	socket bool        // what is full, or has no peer, is not fatal, as with a tap
	waits  bool        // and a full one makes the guest wait
	limit  int         // octets of one datagram from the guest, 0 for none
	closed atomic.Bool // the peer is gone
}

// NewTap takes over f, an open tap with IFF_NO_PI. A zero mac is replaced by
// a random one of the locally administered kind.
func NewTap(f *os.File, mtu uint16, mac [6]byte) (*Net, error) {
	return newNet(f, mtu, mac)
}

// NewPacket takes over f, a SEQPACKET socket to flight on which each datagram
// is one message as hvt's packet kinds say.
func NewPacket(f *os.File, mac [6]byte) (*Net, error) {
	n, err := newNet(f, hvt.PacketMTU, mac)
	if err == nil {
		n.socket, n.waits, n.limit = true, true, hvt.PacketMax
	}
	return n, err
}

func newNet(f *os.File, mtu uint16, mac [6]byte) (*Net, error) {
	fd, err := seqpacket.Descriptor(f)
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		return nil, fmt.Errorf("attach %s: %w", f.Name(), err)
	}
	if mac == ([6]byte{}) {
		// The kernel gives so little at once; crypto/rand would cost each start.
		if _, err := unix.Getrandom(mac[:], 0); err != nil {
			return nil, fmt.Errorf("attach %s: %w", f.Name(), err)
		}
		mac[0] = mac[0]&0xfe | 0x02
	}
	return &Net{f: f, fd: fd, mac: mac, mtu: mtu}, nil
}

// Attachment is what the guest's manifest says of the device.
func (d *Net) Attachment() hvt.Attachment {
	return hvt.Attachment{Attached: true, MAC: d.mac, MTU: d.mtu}
}

// SetMAC changes the address, before the guest is loaded.
func (d *Net) SetMAC(mac [6]byte) { d.mac = mac }

// FD is the descriptor, for a filter.
func (d *Net) FD() int { return d.fd }

// Close closes the descriptor.
func (d *Net) Close() error { return d.f.Close() }

// Write serves NET_WRITE: one datagram. When the socket is full the guest
// waits, until stop becomes readable (then ErrStopped).
func (d *Net) Write(mem Memory, io hvt.NetIO, stop int) (hvt.Result, error) {
	b, err := mem.Readable(io.Data, io.Len)
	if err != nil {
		return 0, err
	}
	if d.limit > 0 && (len(b) == 0 || len(b) > d.limit) {
		return hvt.ResultInvalid, nil
	}
	for {
		n, err := retry(func() (int, error) { return raw(unix.SYS_WRITE, d.fd, b) })
		switch {
		case err == unix.EAGAIN && d.waits:
			if err := waitWritable(d.fd, stop); err != nil {
				return 0, err
			}
		case d.socket && !d.waits && (err == unix.EAGAIN || err == unix.EPIPE || err == unix.ECONNRESET):
			return hvt.ResultAgain, nil
		case err != nil:
			return 0, fatal("Fatal error when writing: %s", errno(err))
		case n != len(b):
			return 0, fatal("Fatal error: wrote only %d out of %d bytes", n, len(b))
		default:
			return hvt.ResultOK, nil
		}
	}
}

// Read serves NET_READ: the next datagram into the guest's buffer, what does
// not fit is lost. n is its length in octets; ResultAgain when none waits.
func (d *Net) Read(mem Memory, io hvt.NetIO) (n int, r hvt.Result, err error) {
	b, err := mem.Writable(io.Data, io.Len)
	if err != nil {
		return 0, 0, err
	}
	if len(b) == 0 {
		return 0, hvt.ResultAgain, nil
	}
	n, err = retry(func() (int, error) { return raw(unix.SYS_READ, d.fd, b) })
	switch {
	case err == unix.EAGAIN, err == unix.ECONNRESET:
		return 0, hvt.ResultAgain, nil
	case err != nil:
		return 0, 0, fatal("Fatal error when reading: %s", errno(err))
	case n == 0:
		d.closed.Store(d.socket) // end of a socket: never ready again
		return 0, hvt.ResultAgain, nil
	}
	return n, hvt.ResultOK, nil
}

// raw reads or writes a descriptor that never blocks, on a thread that does
// nothing else, so that the Go scheduler need not know of it. An
// empty b is passed on as it is.
func raw(call uintptr, fd int, b []byte) (int, error) {
	n, _, errno := unix.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}

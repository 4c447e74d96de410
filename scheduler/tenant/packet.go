package tenant

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/hvt"
)

var (
	errWouldBlock = errors.New("socket buffer is full")
	errDatagram   = errors.New("bad datagram")
)

// packetConn is flight's end of a guest's packet socket.
type packetConn struct {
	f   *os.File
	raw syscall.RawConn
}

// newPacketConn takes over f. It makes a new os.File: the descriptor may have come in
// blocking mode, and then Close would not wake a reader.
func newPacketConn(f *os.File) (*packetConn, error) {
	defer f.Close()
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	fd, inner := -1, error(nil)
	err = raw.Control(func(old uintptr) { fd, inner = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 3) })
	if err = errors.Join(err, inner); err != nil {
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	g := os.NewFile(uintptr(fd), "packets")
	if raw, err = g.SyscallConn(); err != nil {
		g.Close()
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	return &packetConn{f: g, raw: raw}, nil
}

func (c *packetConn) Close() error { return c.f.Close() }

// TrySend sends one datagram, or says errWouldBlock.
func (c *packetConn) TrySend(b []byte) error {
	var inner error
	err := c.raw.Write(func(fd uintptr) bool {
		for {
			if inner = unix.Sendto(int(fd), b, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT, nil); inner != unix.EINTR {
				return true
			}
		}
	})
	if errors.Is(inner, unix.EAGAIN) {
		return errWouldBlock
	}
	return errors.Join(err, inner)
}

// quotaPause slows down a guest that has used up its quota: it waits in its own queue.
const quotaPause = 50 * time.Millisecond

// readPackets takes what the guest sends, until its socket ends.
func (m *Manager) readPackets(g *guest, conn *packetConn) {
	in := inbox{m: m, g: g}
	in.resume()
	buf := make([]byte, hvt.PacketMax+1)
	for {
		n, err := conn.f.Read(buf)
		if errors.Is(err, unix.ECONNRESET) {
			continue // told once, when the guest went with datagrams unread; what it sent before comes then
		}
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrClosed) {
				m.cfg.Log.Warn("packet socket", "guest", g.id, "err", err)
			}
			break
		}
		if err := in.datagram(buf[:n]); err != nil {
			in.complain(err)
		}
	}
	in.end()
}

// inbox takes the datagrams of one guest.
type inbox struct {
	m       *Manager
	g       *guest
	product *product
	paced   time.Time // when the last product might have ended at the steady pace
	told    time.Time // of the last complaint
	bad     int       // complaints since
}

// datagram carries out one message of the guest; its first octet says what it is.
func (in *inbox) datagram(b []byte) error {
	if len(b) < 1 || len(b) > hvt.PacketMax {
		return fmt.Errorf("%w: %d octets, 1 to %d", errDatagram, len(b), hvt.PacketMax)
	}
	switch kind, body := b[0], b[1:]; kind {
	case hvt.PacketTelemetry:
		return in.telemetry(body)
	case hvt.PacketProductBegin:
		return in.begin(string(body))
	case hvt.PacketProductData:
		return in.write(body)
	case hvt.PacketProductEnd:
		if len(body) != 8 {
			return fmt.Errorf("%w: product end of %d octets, want 8", errDatagram, len(body))
		}
		return in.finish(binary.LittleEndian.Uint64(body))
	default:
		return fmt.Errorf("%w: unknown kind %#02x", errDatagram, kind)
	}
}

func (in *inbox) telemetry(user []byte) error {
	if len(user) > hvt.TelemetryMax {
		return fmt.Errorf("%w: telemetry of %d octets, at most %d", errDatagram, len(user), hvt.TelemetryMax)
	}
	data, err := pus.TenantData{Mission: in.g.id.Mission, Data: user}.Encode()
	if err != nil {
		return err
	}
	if err := in.m.cfg.Send(in.g.tenant.APID, pus.ServiceTenant, pus.TenantTelemetry, data); err != nil {
		time.Sleep(quotaPause)
		return err
	}
	return nil
}

// complain reports what was wrong with a guest's datagrams, not more than now and then.
func (in *inbox) complain(err error) {
	in.bad++
	now := in.m.cfg.Clock.Now()
	if !in.told.IsZero() && now.Sub(in.told) < 10*time.Second {
		return
	}
	in.m.cfg.Event(pus.EventLow, pus.EventPacketRefused, fmt.Sprintf("%v: %v (%d times)", in.g.id, err, in.bad))
	in.told, in.bad = now, 0
}

package wire

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Conn is one end of a control socket. One goroutine may receive while
// others send.
type Conn struct {
	f   *os.File
	raw syscall.RawConn

	send sync.Mutex
	out  []byte
	in   []byte
}

// NewConn takes over f, a SEQPACKET socket, and makes it non-blocking, so
// that deadlines hold.
func NewConn(f *os.File) (*Conn, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	fd, kind := -1, 0
	var inner error
	err = raw.Control(func(old uintptr) {
		if kind, inner = unix.GetsockoptInt(int(old), unix.SOL_SOCKET, unix.SO_TYPE); inner != nil {
			return
		}
		fd, inner = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 3)
	})
	if err = errors.Join(err, inner); err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	if kind != unix.SOCK_SEQPACKET {
		unix.Close(fd)
		return nil, fmt.Errorf("control socket: type %d is not SEQPACKET", kind)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("control socket: %w", err)
	}
	name := f.Name()
	f.Close()
	// A new File, made from a non-blocking descriptor, joins the poller.
	g := os.NewFile(uintptr(fd), name)
	if raw, err = g.SyscallConn(); err != nil {
		g.Close()
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return &Conn{f: g, raw: raw}, nil
}

// Close ends the connection; a blocked Receive returns.
func (c *Conn) Close() error { return c.f.Close() }

// File gives the socket itself, still owned by the Conn.
func (c *Conn) File() *os.File { return c.f }

// Fd is the socket's number, for a filter; the Conn keeps it.
func (c *Conn) Fd() (fd int) {
	fd = -1
	_ = c.raw.Control(func(n uintptr) { fd = int(n) })
	return fd
}

// SetReadDeadline and SetWriteDeadline bound Receive and Send.
func (c *Conn) SetReadDeadline(t time.Time) error  { return c.f.SetReadDeadline(t) }
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.f.SetWriteDeadline(t) }

// Send writes one message; files stay the caller's and may be closed after.
func (c *Conn) Send(m Message, files ...*os.File) error {
	return c.write(m, files, true)
}

// TrySend is Send that gives up with os.ErrDeadlineExceeded at once when the
// socket's buffer is full.
func (c *Conn) TrySend(m Message) error { return c.write(m, nil, false) }

func (c *Conn) write(m Message, files []*os.File, wait bool) error {
	if len(files) > MaxFiles {
		return fmt.Errorf("%w: %d files, at most %d", ErrMessage, len(files), MaxFiles)
	}
	var fds []int
	for _, f := range files {
		fd, err := descriptor(f)
		if err != nil {
			return fmt.Errorf("send %s: %w", f.Name(), err)
		}
		fds = append(fds, fd)
	}
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	defer runtime.KeepAlive(files)
	c.send.Lock()
	defer c.send.Unlock()
	b, err := Encode(c.out[:0], m)
	c.out = b[:0]
	if err != nil {
		return err
	}
	var inner error
	err = c.raw.Write(func(fd uintptr) bool {
		for {
			if len(rights) > 0 {
				inner = unix.Sendmsg(int(fd), b, rights, nil, unix.MSG_NOSIGNAL)
			} else {
				// Plain write: a jailed tender has no sendmsg.
				_, inner = unix.Write(int(fd), b)
			}
			if inner != unix.EINTR {
				break
			}
		}
		if inner == unix.EAGAIN && !wait {
			inner = os.ErrDeadlineExceeded
		}
		return inner != unix.EAGAIN
	})
	if err == nil {
		err = inner
	}
	if err != nil {
		return fmt.Errorf("send message: %w", err)
	}
	return nil
}

// descriptor is f.Fd() without its side effect of making f blocking.
func descriptor(f *os.File) (int, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return -1, err
	}
	fd := -1
	err = raw.Control(func(n uintptr) { fd = int(n) })
	return fd, err
}

// Receive waits for the next message; the caller owns the files that came
// with it. The end of the connection is io.EOF. A message that does not
// decode, or whose files were cut off, is an error and its files are closed.
func (c *Conn) Receive() (Message, []*os.File, error) {
	if c.in == nil {
		c.in = make([]byte, MaxMessage+1)
	}
	oob := make([]byte, unix.CmsgSpace(4*MaxFiles))
	var n, oobn, flags int
	var inner error
	err := c.raw.Read(func(fd uintptr) bool {
		for {
			n, oobn, flags, _, inner = unix.Recvmsg(int(fd), c.in, oob, unix.MSG_CMSG_CLOEXEC)
			if inner != unix.EINTR {
				return inner != unix.EAGAIN
			}
		}
	})
	if err = readError(n, err, inner); err != nil {
		return nil, nil, err
	}
	files, err := takeFiles(oob[:oobn])
	if err == nil && flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 {
		err = fmt.Errorf("%w: longer than %d octets or %d files", ErrMessage, MaxMessage, MaxFiles)
	}
	var m Message
	if err == nil {
		m, err = Decode(c.in[:n])
	}
	if err != nil {
		for _, f := range files {
			f.Close()
		}
		return nil, nil, fmt.Errorf("receive message: %w", err)
	}
	return m, files, nil
}

// ReceivePlain is Receive by read(2), which cannot take files: what a slot
// uses once its guest runs and its filter no longer lets descriptors in.
func (c *Conn) ReceivePlain() (Message, error) {
	if c.in == nil {
		c.in = make([]byte, MaxMessage+1)
	}
	var n int
	var inner error
	err := c.raw.Read(func(fd uintptr) bool {
		for {
			n, inner = unix.Read(int(fd), c.in)
			if inner != unix.EINTR {
				return inner != unix.EAGAIN
			}
		}
	})
	if err = readError(n, err, inner); err != nil {
		return nil, err
	}
	m, err := Decode(c.in[:n])
	if err != nil {
		return nil, fmt.Errorf("receive message: %w", err)
	}
	return m, nil
}

func readError(n int, err, inner error) error {
	if err == nil {
		err = inner
	}
	switch {
	case errors.Is(err, unix.ECONNRESET), err == nil && n == 0:
		return io.EOF
	case err != nil:
		return fmt.Errorf("receive message: %w", err)
	}
	return nil
}

func takeFiles(oob []byte) ([]*os.File, error) {
	if len(oob) == 0 {
		return nil, nil
	}
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, err
	}
	var files []*os.File
	for _, m := range msgs {
		if m.Header.Level != unix.SOL_SOCKET || m.Header.Type != unix.SCM_RIGHTS {
			continue
		}
		fds, err := unix.ParseUnixRights(&m)
		if err != nil {
			return files, err
		}
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "received"))
		}
	}
	return files, nil
}

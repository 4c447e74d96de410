package initproto

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

// Conn is one end of the socket. One goroutine may receive while others
// send.
type Conn struct {
	f   *os.File
	raw syscall.RawConn

	send sync.Mutex
	out  []byte
	in   []byte
}

// Pair makes both ends: init keeps the first, flight inherits the second.
func Pair() (ours *Conn, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socket pair: %w", err)
	}
	theirs = os.NewFile(uintptr(fds[1]), "flight")
	ours, err = NewConn(os.NewFile(uintptr(fds[0]), "init"))
	if err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return ours, theirs, nil
}

// Inherited is flight's end, as file descriptor FD.
func Inherited() (*Conn, error) { return NewConn(os.NewFile(FD, "init")) }

// NewConn takes over f, a SEQPACKET socket, and makes it non-blocking, so
// that deadlines hold.
func NewConn(f *os.File) (*Conn, error) {
	if f == nil {
		return nil, errors.New("socket to init: no file")
	}
	fd, err := duplicate(f)
	f.Close()
	if err != nil {
		return nil, fmt.Errorf("socket to init: %w", err)
	}
	// A File made from a non-blocking descriptor joins the poller.
	g := os.NewFile(uintptr(fd), f.Name())
	raw, err := g.SyscallConn()
	if err != nil {
		g.Close()
		return nil, fmt.Errorf("socket to init: %w", err)
	}
	return &Conn{f: g, raw: raw}, nil
}

// duplicate gives a non-blocking copy of f that programs do not inherit.
func duplicate(f *os.File) (int, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return -1, err
	}
	fd, kind := -1, 0
	var inner error
	err = raw.Control(func(old uintptr) {
		if kind, inner = unix.GetsockoptInt(int(old), unix.SOL_SOCKET, unix.SO_TYPE); inner != nil {
			return
		}
		if kind != unix.SOCK_SEQPACKET {
			inner = fmt.Errorf("type %d is not SEQPACKET", kind)
			return
		}
		fd, inner = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 3)
	})
	if err = errors.Join(err, inner); err != nil {
		return -1, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// Close ends the connection; a blocked Receive returns.
func (c *Conn) Close() error { return c.f.Close() }

// SetReadDeadline and SetWriteDeadline bound Receive and Send.
func (c *Conn) SetReadDeadline(t time.Time) error  { return c.f.SetReadDeadline(t) }
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.f.SetWriteDeadline(t) }

// Send writes one message; files stay the caller's and may be closed after.
func (c *Conn) Send(m Message, files ...*os.File) error {
	if len(files) > MaxFiles {
		return fmt.Errorf("%w: %d files, at most %d", ErrMessage, len(files), MaxFiles)
	}
	var rights []byte
	if len(files) > 0 {
		fds := make([]int, len(files))
		for i, f := range files {
			var err error
			if fds[i], err = descriptor(f); err != nil {
				return fmt.Errorf("send %T: %w", m, err)
			}
		}
		rights = unix.UnixRights(fds...)
		defer runtime.KeepAlive(files)
	}
	c.send.Lock()
	defer c.send.Unlock()
	b, err := Encode(c.out[:0], m)
	if err != nil {
		return err
	}
	c.out = b[:0]
	var inner error
	err = c.raw.Write(func(fd uintptr) bool {
		for {
			inner = unix.Sendmsg(int(fd), b, rights, nil, unix.MSG_NOSIGNAL)
			if inner != unix.EINTR {
				return inner != unix.EAGAIN
			}
		}
	})
	if err = errors.Join(err, inner); err != nil {
		return fmt.Errorf("send %T: %w", m, err)
	}
	return nil
}

// descriptor is f.Fd() without its side effect of making f blocking, for all
// who share it.
func descriptor(f *os.File) (fd int, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return -1, err
	}
	err = raw.Control(func(n uintptr) { fd = int(n) })
	return fd, err
}

// Receive waits for the next message; the caller owns the files that came
// with it. The end of the connection is io.EOF. A message that does not
// decode (ErrMessage) or whose files were cut off has its files closed; the
// connection stays usable.
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
	err = errors.Join(err, inner)
	switch {
	case errors.Is(err, unix.ECONNRESET), err == nil && n == 0:
		return nil, nil, io.EOF
	case err != nil:
		return nil, nil, fmt.Errorf("receive message: %w", err)
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

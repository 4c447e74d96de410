// Package seqpacket carries small binary messages, with files beside them,
// over SEQPACKET sockets between processes of which either may be hostile:
// init and flight (package initproto), flight and a tender's slot (tender/wire).
// A message is one octet that names it and its fields, little endian.
package seqpacket

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

// ErrMessage is wrapped by every error about a message's form.
var ErrMessage = errors.New("bad message")

// Protocol says what messages of type M look like and how large they are.
type Protocol[M any] struct {
	Encode     func(dst []byte, m M) ([]byte, error) // appends
	Decode     func(b []byte) (M, error)             // must not keep b
	MaxMessage int                                   // octets
	MaxFiles   int                                   // beside one message
}

// Conn is one end of a socket. One goroutine may receive while others send.
type Conn[M any] struct {
	p   Protocol[M]
	f   *os.File
	raw syscall.RawConn

	send sync.Mutex
	out  []byte
	in   []byte
}

// New takes over f, a SEQPACKET socket, and makes it non-blocking, so that
// deadlines hold.
func New[M any](f *os.File, p Protocol[M]) (*Conn[M], error) {
	if f == nil {
		return nil, errors.New("message socket: no file")
	}
	fd, err := duplicate(f)
	f.Close()
	if err != nil {
		return nil, fmt.Errorf("message socket %s: %w", f.Name(), err)
	}
	// A File made from a non-blocking descriptor joins the poller.
	g := os.NewFile(uintptr(fd), f.Name())
	raw, err := g.SyscallConn()
	if err != nil {
		g.Close()
		return nil, fmt.Errorf("message socket %s: %w", f.Name(), err)
	}
	return &Conn[M]{p: p, f: g, raw: raw}, nil
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
func (c *Conn[M]) Close() error { return c.f.Close() }

// File gives the socket itself, still owned by the Conn.
func (c *Conn[M]) File() *os.File { return c.f }

// Fd is the socket's number, for a filter; the Conn keeps it.
func (c *Conn[M]) Fd() int {
	fd, err := Descriptor(c.f)
	if err != nil {
		return -1
	}
	return fd
}

// SetReadDeadline bounds Receive.
func (c *Conn[M]) SetReadDeadline(t time.Time) error { return c.f.SetReadDeadline(t) }

// SetWriteDeadline bounds Send.
func (c *Conn[M]) SetWriteDeadline(t time.Time) error { return c.f.SetWriteDeadline(t) }

// Send writes one message; files stay the caller's and may be closed after.
func (c *Conn[M]) Send(m M, files ...*os.File) error { return c.write(m, files, true) }

// TrySend is Send that gives up with os.ErrDeadlineExceeded at once when the
// socket's buffer is full.
func (c *Conn[M]) TrySend(m M) error { return c.write(m, nil, false) }

func (c *Conn[M]) write(m M, files []*os.File, wait bool) error {
	rights, err := c.rights(files)
	if err != nil {
		return fmt.Errorf("send %T: %w", m, err)
	}
	defer runtime.KeepAlive(files)
	c.send.Lock()
	defer c.send.Unlock()
	b, err := c.p.Encode(c.out[:0], m)
	if err != nil {
		return err
	}
	c.out = b[:0]
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
		return fmt.Errorf("send %T: %w", m, err)
	}
	return nil
}

// rights is the control message that hands over files.
func (c *Conn[M]) rights(files []*os.File) ([]byte, error) {
	if len(files) > c.p.MaxFiles {
		return nil, fmt.Errorf("%w: %d files, at most %d", ErrMessage, len(files), c.p.MaxFiles)
	}
	if len(files) == 0 {
		return nil, nil
	}
	fds := make([]int, len(files))
	for i, f := range files {
		var err error
		if fds[i], err = Descriptor(f); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name(), err)
		}
	}
	return unix.UnixRights(fds...), nil
}

// Receive waits for the next message; the caller owns the files that came
// with it. The end of the connection is io.EOF. A message that does not
// decode (ErrMessage) or whose files were cut off has its files closed; the
// connection stays usable.
func (c *Conn[M]) Receive() (m M, files []*os.File, err error) {
	oob := make([]byte, unix.CmsgSpace(4*c.p.MaxFiles))
	var oobn, flags int
	n, err := c.read(func(fd int, b []byte) (n int, err error) {
		n, oobn, flags, _, err = unix.Recvmsg(fd, b, oob, unix.MSG_CMSG_CLOEXEC)
		return n, err
	})
	files, errFiles := takeFiles(oob[:oobn])
	if err != nil { // files may come with a message of no octets, which is the end as well
		closeAll(files)
		return m, nil, err
	}
	if err = errFiles; err == nil && flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 {
		err = fmt.Errorf("%w: longer than %d octets or %d files", ErrMessage, c.p.MaxMessage, c.p.MaxFiles)
	}
	if err == nil {
		m, err = c.p.Decode(c.in[:n])
	}
	if err != nil {
		closeAll(files)
		return m, nil, fmt.Errorf("receive message: %w", err)
	}
	return m, files, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// ReceivePlain is Receive by read(2), which cannot take files: what a slot
// uses once its guest runs and its filter no longer lets descriptors in.
func (c *Conn[M]) ReceivePlain() (m M, err error) {
	n, err := c.read(unix.Read)
	if err != nil {
		return m, err
	}
	if m, err = c.p.Decode(c.in[:n]); err != nil {
		return m, fmt.Errorf("receive message: %w", err)
	}
	return m, nil
}

// read waits until the system call has taken a message into c.in. One octet
// of room more than a message may have shows the one that is too long.
func (c *Conn[M]) read(call func(fd int, b []byte) (int, error)) (n int, err error) {
	if c.in == nil {
		c.in = make([]byte, c.p.MaxMessage+1)
	}
	var inner error
	err = c.raw.Read(func(fd uintptr) bool {
		for {
			n, inner = call(int(fd), c.in)
			// The other end went with messages of ours unread: told once, before those that it left.
			if inner != unix.EINTR && inner != unix.ECONNRESET {
				return inner != unix.EAGAIN
			}
		}
	})
	if err == nil {
		err = inner
	}
	switch {
	case err == nil && n == 0:
		return 0, io.EOF
	case err != nil:
		return 0, fmt.Errorf("receive message: %w", err)
	}
	return n, nil
}

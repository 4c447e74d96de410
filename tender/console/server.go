package console

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/perilune/perilune/internal/seqpacket"
	"golang.org/x/sys/unix"
)

const (
	maxReaders = 64 // at a time; the next one is turned away
	backlog    = 16
	// drainWithin bounds how long readers may take for the last text once
	// the guest has ended.
	drainWithin = 2 * time.Second
)

// Server lets programs read a History over a unix stream socket: whoever
// connects gets the text that is kept, then what comes. Nothing is read from
// them. Text that a reader misses is a line of its own.
type Server struct {
	h        *History
	listener *os.File
	fd       int
	raw      syscall.RawConn

	mu      sync.Mutex
	closed  bool
	conns   map[*os.File]chan struct{} // closed when the reader is to have no more
	serving sync.WaitGroup
}

// Listen makes the socket at path, which only the owner may use. A socket
// that nobody listens on any more, left by an earlier run, is replaced.
func Listen(path string, h *History) (*Server, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("console socket: %w", err)
	}
	if err := bind(fd, path); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("console socket %s: %w", path, err)
	}
	s := &Server{h: h, listener: os.NewFile(uintptr(fd), path), fd: fd, conns: map[*os.File]chan struct{}{}}
	if s.raw, err = s.listener.SyscallConn(); err != nil {
		s.listener.Close()
		return nil, fmt.Errorf("console socket %s: %w", path, err)
	}
	return s, nil
}

func bind(fd int, path string) error {
	addr := &unix.SockaddrUnix{Name: path}
	err := unix.Bind(fd, addr)
	if errors.Is(err, unix.EADDRINUSE) && abandoned(addr) {
		if err = os.Remove(path); err == nil {
			err = unix.Bind(fd, addr)
		}
	}
	if err == nil {
		err = os.Chmod(path, 0o600) // nobody listens yet
	}
	if err == nil {
		err = unix.Listen(fd, backlog)
	}
	return err
}

// abandoned says whether addr is a socket on which nobody listens. A connection
// to a file that is no socket is refused too.
func abandoned(addr *unix.SockaddrUnix) bool {
	if info, err := os.Lstat(addr.Name); err != nil || info.Mode().Type() != os.ModeSocket {
		return false
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return errors.Is(unix.Connect(fd, addr), unix.ECONNREFUSED)
}

// FD is the listening socket, for a filter: Serve accepts on it.
func (s *Server) FD() int { return s.fd }

// Serve takes readers until Close. It makes no system call but accept4 on FD,
// fcntl for the flags of what it accepted, write, ppoll and close.
func (s *Server) Serve() {
	for {
		conn, err := s.accept()
		if err != nil {
			return
		}
		if !s.admit(conn) {
			conn.Close()
		}
	}
}

// admit begins to feed a reader, if there is a place for it.
func (s *Server) admit(conn *os.File) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if len(s.conns) >= maxReaders {
		s.dropGone()
	}
	if len(s.conns) >= maxReaders {
		return false
	}
	stop := make(chan struct{})
	s.conns[conn] = stop
	s.serving.Go(func() { s.feed(conn, stop) })
	return true
}

// dropGone frees the places of readers that have closed their end. While the
// guest says nothing, nothing is written that would tell. It needs the lock.
func (s *Server) dropGone() {
	for conn, stop := range s.conns {
		fd, err := seqpacket.Descriptor(conn)
		hung := []unix.PollFd{{Fd: int32(fd)}}
		if err == nil {
			_, err = unix.Ppoll(hung, &unix.Timespec{}, nil)
		}
		if err != nil || hung[0].Revents != 0 {
			close(stop)
			delete(s.conns, conn)
		}
	}
}

func (s *Server) accept() (*os.File, error) {
	fd := -1
	var inner error
	err := s.raw.Read(func(listener uintptr) bool {
		for {
			fd, _, inner = unix.Accept4(int(listener), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
			switch inner {
			case unix.EINTR, unix.ECONNABORTED:
				continue
			case unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.ENOBUFS:
				time.Sleep(100 * time.Millisecond) // it waits in the backlog
				continue
			}
			return inner != unix.EAGAIN
		}
	})
	if err = errors.Join(err, inner); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "console reader"), nil
}

// feed writes to one reader until it goes, or the server closes and all is said.
func (s *Server) feed(conn *os.File, stop <-chan struct{}) {
	defer func() {
		conn.Close()
		s.mu.Lock()
		delete(s.conns, conn)
		s.mu.Unlock()
	}()
	start, _ := s.h.Bounds()
	r := s.h.Attach(start)
	defer r.Detach()
	buf := make([]byte, readerChunk)
	for {
		n, dropped := r.Next(buf, stop)
		if n == 0 {
			return
		}
		if dropped > 0 {
			if _, err := fmt.Fprintf(conn, "\n[%d octets dropped]\n", dropped); err != nil {
				return
			}
		}
		if _, err := conn.Write(buf[:n]); err != nil {
			return
		}
	}
}

// Close turns away new readers and lets those that there are have the last
// text, within two seconds. The socket's file stays: a jailed tender cannot
// remove it.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	for conn, stop := range s.conns {
		_ = conn.SetWriteDeadline(time.Now().Add(drainWithin))
		close(stop)
	}
	s.mu.Unlock()
	s.serving.Wait()
	return s.listener.Close()
}

package gdb

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Listener waits for gdb on a TCP port of the loopback interface. The
// protocol lets whoever connects read and write the guest, so nobody from
// outside may.
type Listener struct {
	fd   int
	Port int
}

// Listen opens the port, 0 for a free one.
func Listen(port int) (*Listener, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("Could not create socket: %w", err) //nolint:revive // the reference's words
	}
	l := &Listener{fd: fd}
	if err := l.bind(port); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return l, nil
}

func (l *Listener) bind(port int) error {
	if err := unix.SetsockoptInt(l.fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return fmt.Errorf("setsockopt(SO_REUSEADDR) failed: %w", err)
	}
	if err := unix.Bind(l.fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return fmt.Errorf("bind failed: %w", err)
	}
	if err := unix.Listen(l.fd, 0); err != nil {
		return fmt.Errorf("listen failed: %w", err)
	}
	name, err := unix.Getsockname(l.fd)
	if v4, ok := name.(*unix.SockaddrInet4); ok {
		l.Port = v4.Port
	}
	return err
}

// Accept waits for one connection and closes the port behind it. peer is its
// address as text.
func (l *Listener) Accept() (conn *os.File, peer string, err error) {
	defer unix.Close(l.fd)
	for {
		fd, from, err := unix.Accept4(l.fd, unix.SOCK_CLOEXEC)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, "", fmt.Errorf("accept failed: %w", err)
		}
		if v4, ok := from.(*unix.SockaddrInet4); ok {
			peer = fmt.Sprintf("%d.%d.%d.%d", v4.Addr[0], v4.Addr[1], v4.Addr[2], v4.Addr[3])
		}
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
			unix.Close(fd)
			return nil, "", fmt.Errorf("setsockopt(TCP_NODELAY) failed: %w", err)
		}
		return os.NewFile(uintptr(fd), "gdb"), peer, nil
	}
}

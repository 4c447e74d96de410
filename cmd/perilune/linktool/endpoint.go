package linktool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

// maxDatagram is the longest piece that a source gives at a time, in octets.
const maxDatagram = 65536

// Source is where a tool reads. Read gives what comes next, a datagram at a time where there
// are datagrams, and io.EOF at the end.
type Source struct {
	read      func([]byte) (int, error)
	close     func() error
	Datagrams bool
}

// OpenSource opens a file, "-" for stdin, or udp:HOST:PORT to listen at. A UDP source ends
// when ctx does, and after silence since the last datagram if that is above zero.
func OpenSource(ctx context.Context, name string, stdin io.Reader, silence time.Duration) (*Source, error) {
	if address, ok := strings.CutPrefix(name, "udp:"); ok {
		return listen(ctx, address, silence)
	}
	if name == "-" {
		return &Source{read: stdin.Read, close: func() error { return nil }}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	return &Source{read: f.Read, close: f.Close}, nil
}

func listen(ctx context.Context, address string, silence time.Duration) (*Source, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return nil, fmt.Errorf("%w: udp:%s: want udp:HOST:PORT with the address to listen at, such as udp:127.0.0.1:10000", ErrConfig, address)
	}
	conn, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp", address)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	heard := false
	read := func(b []byte) (int, error) {
		if heard && silence > 0 && ctx.Err() == nil {
			if err := conn.SetReadDeadline(time.Now().Add(silence)); err != nil {
				return 0, err
			}
		}
		n, _, err := conn.ReadFrom(b)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, io.EOF
		}
		heard = true
		return n, err
	}
	return &Source{read: read, close: func() error { stop(); return conn.Close() }, Datagrams: true}, nil
}

// Read implements io.Reader.
func (s *Source) Read(b []byte) (int, error) { return s.read(b) }

// Close gives the source back.
func (s *Source) Close() error { return s.close() }

// Sink is where a tool writes. Each Write is one datagram where there are datagrams.
type Sink struct {
	io.Writer
	close func() error
}

// OpenSink opens a file, "-" for stdout, or udp:HOST:PORT to send to.
func OpenSink(ctx context.Context, name string, stdout io.Writer) (*Sink, error) {
	if address, ok := strings.CutPrefix(name, "udp:"); ok {
		if host, _, err := net.SplitHostPort(address); err != nil || host == "" {
			return nil, fmt.Errorf("%w: udp:%s: want udp:HOST:PORT with the address to send to, such as udp:127.0.0.1:10000", ErrConfig, address)
		}
		conn, err := (&net.Dialer{}).DialContext(ctx, "udp", address)
		if err != nil {
			return nil, err
		}
		return &Sink{conn, conn.Close}, nil
	}
	if name == "-" {
		return &Sink{stdout, func() error { return nil }}, nil
	}
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	return &Sink{f, f.Close}, nil
}

// Close ends the output and reports what could not be written.
func (s *Sink) Close() error { return s.close() }

// pieces calls do for each piece of src, whatever its size, until the end.
func pieces(src *Source, do func([]byte) error) error {
	buffer := make([]byte, maxDatagram)
	for {
		n, err := src.Read(buffer)
		if n > 0 {
			if err := do(buffer[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

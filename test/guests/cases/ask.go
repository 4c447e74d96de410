package cases

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"
)

// Ask is a question to a guest that serves a network, put by the host's own IP stack, which
// has an address on the guest's network (Net.Address). It is put again until the guest is up.
type Ask struct {
	By     string `toml:"by"`     // tcp, udp or ping
	At     string `toml:"at"`     // the guest's address, with a port unless by ping
	Send   string `toml:"send"`   // nothing with ping
	Answer string `toml:"answer"` // part of what comes back; ping: none, the echo is the answer
}

// again is how long a question waits for its answer before it is put again.
const again = 300 * time.Millisecond

func (a *Ask) check() error {
	if !slices.Contains([]string{"tcp", "udp", "ping"}, a.By) {
		return fmt.Errorf("ask by %q: want tcp, udp or ping", a.By)
	}
	if a.By == "ping" {
		if addr, err := netip.ParseAddr(a.At); err != nil || !addr.Is4() || a.Send != "" || a.Answer != "" {
			return fmt.Errorf("ping of %q: want an IPv4 address, no text to send, and no answer", a.At)
		}
		return nil
	}
	if _, err := netip.ParseAddrPort(a.At); err != nil || a.Answer == "" {
		return fmt.Errorf("ask by %s at %q: want address:port and an answer", a.By, a.At)
	}
	return nil
}

// put asks until the answer is there, a wrong one is, or the guest ended. Sockets are made
// by the calling thread, in its network namespace.
func (a *Ask) put(ctx context.Context) error {
	d := datagrams{Ask: a}
	defer d.close()
	once := map[string]func(context.Context) (bool, error){"tcp": a.tcp, "udp": d.udp, "ping": d.ping}[a.By]
	last := errors.New("it ended at once")
	for {
		done, err := once(ctx)
		if done {
			return err
		}
		if err != nil {
			last = err
		}
		select {
		case <-ctx.Done():
			if done, err := once(ctx); done {
				return err // it was on its way when the guest ended
			}
			return fmt.Errorf("ask by %s at %s: no answer while the guest ran: %w", a.By, a.At, last)
		case <-time.After(again / 10):
		}
	}
}

// tcp connects; once it has, what comes back counts.
func (a *Ask) tcp(ctx context.Context) (done bool, err error) {
	d := net.Dialer{Timeout: 10 * again}
	conn, err := d.DialContext(ctx, "tcp", a.At)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if _, err = conn.Write([]byte(a.Send)); err != nil {
		return true, fmt.Errorf("ask by tcp at %s: %w", a.At, err)
	}
	var got []byte
	for b := make([]byte, 1<<16); ; {
		n, err := conn.Read(b)
		got = append(got, b[:n]...)
		if strings.Contains(string(got), a.Answer) {
			return true, nil
		}
		if err != nil || len(got) > 1<<20 {
			return true, fmt.Errorf("ask by tcp at %s: no %q in %q: %w", a.At, a.Answer, clip(string(got)), err)
		}
	}
}

// datagrams asks by one socket again and again: the answer that comes may be to any of the
// questions, of which the guest may have ended at the first.
type datagrams struct {
	*Ask
	conn net.Conn
}

func (a *datagrams) close() {
	if a.conn != nil {
		a.conn.Close()
	}
}

// ask sends a question and reads what comes in a while.
func (a *datagrams) ask(ctx context.Context, network string, question []byte) (answer []byte, err error) {
	if a.conn == nil {
		var d net.Dialer
		conn, err := d.DialContext(ctx, network, a.At)
		if err != nil {
			return nil, err
		}
		a.conn = conn
	}
	_, errSend := a.conn.Write(question)
	if err := a.conn.SetReadDeadline(time.Now().Add(again)); err != nil {
		return nil, err
	}
	b := make([]byte, 1<<16)
	n, err := a.conn.Read(b)
	if err != nil {
		return nil, errors.Join(errSend, err)
	}
	return b[:n], nil
}

func (a *datagrams) udp(ctx context.Context) (done bool, err error) {
	b, err := a.ask(ctx, "udp", []byte(a.Send))
	if err != nil {
		return false, err
	}
	if !strings.Contains(string(b), a.Answer) {
		return true, fmt.Errorf("ask by udp at %s: no %q in %q", a.At, a.Answer, clip(string(b)))
	}
	return true, nil
}

// ping sends an ICMP echo request (RFC 792) and waits for its reply.
func (a *datagrams) ping(ctx context.Context) (done bool, err error) {
	const request, reply = 8, 0
	m := []byte{request, 0, 0, 0, 0, 0, 0, 1, 'p', 'e', 'r', 'i', 'l', 'u', 'n', 'e'}
	binary.BigEndian.PutUint16(m[4:], uint16(os.Getpid()))
	binary.BigEndian.PutUint16(m[2:], onesComplement(m))
	b, err := a.ask(ctx, "ip4:icmp", m)
	if err != nil {
		return false, err
	}
	if len(b) > 0 { // a raw socket reads the IP header as well
		b = b[min(int(b[0]&15)*4, len(b)):]
	}
	if len(b) != len(m) || b[0] != reply || string(b[4:]) != string(m[4:]) || onesComplement(b) != 0 {
		return false, errors.New("an ICMP message that is not the echo")
	}
	return true, nil
}

// onesComplement is the checksum of RFC 1071 over an even number of octets; 0 over data with its
// right checksum in it.
func onesComplement(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

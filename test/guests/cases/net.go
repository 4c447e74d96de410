package cases

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// etherType marks the frames that are sent back: IEEE 802 local experiment 1.
// What a kernel says on an interface by itself is nobody's business.
const etherType = 0x88b5

// nets is the other side of a case's network devices.
type nets struct {
	options []string
	files   []*os.File // for the tender, from descriptor 3 on
	peers   []int
	done    sync.WaitGroup
	over    atomic.Bool
}

// makeNets makes taps in a network namespace that the calling thread enters,
// and sockets. The tender must be started by the same thread.
func makeNets(list []Net) (_ *nets, err error) {
	n := &nets{}
	defer func() {
		if err != nil {
			n.close()
		}
	}()
	inside := false
	for i, d := range list {
		if d.Kind == "socket" {
			err = n.socket(d)
		} else {
			if !inside {
				err, inside = enterNamespace(), true
			}
			if err == nil {
				err = n.tap(d, "tap"+strconv.Itoa(i))
			}
		}
		if err != nil {
			return nil, err
		}
		if d.MAC != "" {
			n.options = append(n.options, "--net-mac:"+d.Name+"="+d.MAC)
		}
	}
	return n, nil
}

func enterNamespace() error {
	if os.Getuid() != 0 {
		return &SkipError{"needs root: only root can make a tap"}
	}
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return &SkipError{fmt.Sprintf("needs a network namespace: %v", err)}
	}
	return nil
}

func (n *nets) option(d Net, host string) {
	n.options = append(n.options, "--net:"+d.Name+"="+host)
}

// hand gives the tender a descriptor.
func (n *nets) hand(d Net, fd int) {
	n.option(d, "@"+strconv.Itoa(3+len(n.files)))
	n.files = append(n.files, os.NewFile(uintptr(fd), d.Name))
}

func (n *nets) socket(d Net) error {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	n.hand(d, pair[0])
	n.serve(d, pair[1])
	return nil
}

func (n *nets) tap(d Net, name string) error {
	// A process that is started meanwhile has the descriptor until it is another program: the tap
	// would be in use still when the tender opens it.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return &SkipError{fmt.Sprintf("needs /dev/net/tun: %v", err)}
	}
	ifr, err := unix.NewIfreq(name)
	if err == nil {
		ifr.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr)
	}
	if err == nil && d.Kind == "tap" {
		err = unix.IoctlSetInt(fd, unix.TUNSETPERSIST, 1)
	}
	var raw int
	if err == nil {
		raw, err = bring(name, d)
	}
	if err != nil || d.Kind == "tap" {
		unix.Close(fd)
	}
	if err != nil {
		return &SkipError{fmt.Sprintf("needs to make a tap: %v", err)}
	}
	if d.Kind == "tapfd" {
		n.hand(d, fd)
	} else {
		n.option(d, name)
	}
	n.serve(d, raw)
	return nil
}

// bring sets the interface up and gives a raw socket on it.
func bring(name string, d Net) (raw int, err error) {
	// The kernel's own IPv6 messages are not meant for the guest.
	_ = os.WriteFile("/proc/sys/net/ipv6/conf/"+name+"/disable_ipv6", []byte("1"), 0)
	const all = unix.ETH_P_ALL<<8&0xff00 | unix.ETH_P_ALL>>8
	raw, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, all)
	if err != nil {
		return 0, err
	}
	set := func(req uint, value func(*unix.Ifreq)) *unix.Ifreq {
		ifr, e := unix.NewIfreq(name)
		if e == nil {
			value(ifr)
			e = unix.IoctlIfreq(raw, req, ifr)
		}
		err = errors.Join(err, e)
		return ifr
	}
	if d.MTU != 0 {
		set(unix.SIOCSIFMTU, func(i *unix.Ifreq) { i.SetUint32(uint32(d.MTU)) })
	}
	if prefix, e := netip.ParsePrefix(d.Address); e == nil {
		mask := net.CIDRMask(prefix.Bits(), 32)
		set(unix.SIOCSIFADDR, func(i *unix.Ifreq) { _ = i.SetInet4Addr(prefix.Addr().AsSlice()) })
		set(unix.SIOCSIFNETMASK, func(i *unix.Ifreq) { _ = i.SetInet4Addr(mask) })
	}
	set(unix.SIOCSIFFLAGS, func(i *unix.Ifreq) { i.SetUint16(unix.IFF_UP) })
	index := set(unix.SIOCGIFINDEX, func(*unix.Ifreq) {})
	if err == nil {
		err = unix.Bind(raw, &unix.SockaddrLinklayer{Protocol: all, Ifindex: int(index.Uint32())})
	}
	if err == nil {
		// A tap has its queueing discipline some time after its carrier, that is after the tender
		// has opened it; until then the one that drops everything stands there, and says nothing.
		err = unix.SetsockoptInt(raw, unix.SOL_PACKET, unix.PACKET_QDISC_BYPASS, 1)
	}
	if err != nil {
		unix.Close(raw)
	}
	return raw, err
}

// serve returns frames from the guest until close.
func (n *nets) serve(d Net, fd int) {
	n.peers = append(n.peers, fd)
	if d.Silent {
		return
	}
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000})
	n.done.Add(1)
	go func() {
		defer n.done.Done()
		b := make([]byte, 1<<16)
		for {
			got, from, err := unix.Recvfrom(fd, b, 0)
			if err == unix.EINTR || err == unix.EAGAIN {
				if n.over.Load() {
					return
				}
				continue
			}
			if err != nil || got == 0 {
				return
			}
			if l, ok := from.(*unix.SockaddrLinklayer); ok && l.Pkttype == unix.PACKET_OUTGOING {
				continue // the echo of an echo
			}
			if got > 14 && int(b[12])<<8|int(b[13]) == etherType {
				_, _ = unix.Write(fd, b[:got])
			}
		}
	}()
}

// started closes the descriptors that the tender has its own copies of.
func (n *nets) started() {
	for _, f := range n.files {
		f.Close()
	}
}

func (n *nets) close() {
	n.started()
	n.over.Store(true)
	n.done.Wait()
	for _, fd := range n.peers {
		unix.Close(fd)
	}
	n.peers = nil
}

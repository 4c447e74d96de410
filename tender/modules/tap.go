package modules

import (
	"errors"
	"math"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// DefaultMTU is used for a descriptor that is not a tap.
const DefaultMTU = 1500

// OpenTap attaches to an existing, running tap by name, or takes an open
// descriptor given as "@N". It returns the interface's MTU in octets. Errors
// are system errors, so that a caller can print them as the reference does.
func OpenTap(name string) (*os.File, uint16, error) {
	if name != "" && name[0] == '@' {
		return openInherited(name[1:])
	}
	sock, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, 0, err
	}
	defer unix.Close(sock)
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return nil, 0, unix.ENAMETOOLONG
	}
	if err := unix.IoctlIfreq(sock, unix.SIOCGIFFLAGS, ifr); err != nil {
		if errors.Is(err, unix.ENODEV) {
			err = unix.ENOENT
		}
		return nil, 0, err
	}
	if ifr.Uint16()&(unix.IFF_UP|unix.IFF_RUNNING) == 0 {
		return nil, 0, unix.ENETDOWN
	}
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, 0, err
	}
	f := os.NewFile(uintptr(fd), name)
	if ifr, err = unix.NewIfreq(name); err == nil {
		ifr.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr)
	}
	if err == nil && ifr.Name() != name {
		err = unix.EINVAL // a pattern such as tap%d made another one
	}
	var mtu uint16
	if err == nil {
		mtu, err = interfaceMTU(sock, name)
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, mtu, nil
}

func interfaceMTU(sock int, name string) (uint16, error) {
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return 0, err
	}
	if err := unix.IoctlIfreq(sock, unix.SIOCGIFMTU, ifr); err != nil {
		return 0, err
	}
	if m := ifr.Uint32(); m <= math.MaxUint16 {
		return uint16(m), nil
	}
	return math.MaxUint16, nil
}

// openInherited takes descriptor number, whose MTU it asks of the tap behind
// it if there is one.
func openInherited(number string) (*os.File, uint16, error) {
	fd, err := strconv.ParseInt(number, 10, 64)
	if errors.Is(err, strconv.ErrRange) || err == nil && (fd < 0 || fd > math.MaxInt32) {
		return nil, 0, unix.ERANGE
	}
	if err != nil {
		return nil, 0, unix.EINVAL
	}
	if err := unix.SetNonblock(int(fd), true); err != nil {
		return nil, 0, err
	}
	mtu := uint16(DefaultMTU)
	if ifr, err := unix.NewIfreq(""); err == nil && unix.IoctlIfreq(int(fd), unix.TUNGETIFF, ifr) == nil {
		sock, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return nil, 0, err
		}
		defer unix.Close(sock)
		if mtu, err = interfaceMTU(sock, ifr.Name()); err != nil {
			return nil, 0, err
		}
	}
	return os.NewFile(uintptr(fd), "@"+number), mtu, nil
}

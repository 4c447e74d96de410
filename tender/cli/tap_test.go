package cli_test

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/perilune/perilune/tender/tendertest"
	"golang.org/x/sys/unix"
)

const tapName = "plntest0"

// makeTap makes a persistent tap and a raw socket on it.
func makeTap(t *testing.T) (raw int) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root: only root can make a tap; run the test as root")
	}
	tun, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("needs /dev/net/tun: %v; modprobe tun makes it", err)
	}
	ifr, err := unix.NewIfreq(tapName)
	if err != nil {
		t.Fatal(err)
	}
	ifr.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(tun, unix.TUNSETIFF, ifr); err != nil {
		unix.Close(tun)
		t.Skipf("needs to make a tap: %v; a container wants CAP_NET_ADMIN for it", err)
	}
	unix.IoctlSetInt(tun, unix.TUNSETPERSIST, 1)
	unix.Close(tun)
	t.Cleanup(func() {
		if tun, err := unix.Open("/dev/net/tun", unix.O_RDWR, 0); err == nil {
			ifr.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
			unix.IoctlIfreq(tun, unix.TUNSETIFF, ifr)
			unix.IoctlSetInt(tun, unix.TUNSETPERSIST, 0)
			unix.Close(tun)
		}
	})
	// The kernel's own IPv6 messages are not meant for the guest.
	os.WriteFile("/proc/sys/net/ipv6/conf/"+tapName+"/disable_ipv6", []byte("1"), 0)
	all := uint16(unix.ETH_P_ALL<<8&0xff00 | unix.ETH_P_ALL>>8)
	if raw, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(all)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(raw) })
	up, _ := unix.NewIfreq(tapName)
	up.SetUint16(unix.IFF_UP)
	index, _ := unix.NewIfreq(tapName)
	mtu, _ := unix.NewIfreq(tapName)
	mtu.SetUint32(1400)
	for req, ifr := range map[uint]*unix.Ifreq{unix.SIOCSIFFLAGS: up, unix.SIOCGIFINDEX: index, unix.SIOCSIFMTU: mtu} {
		if err := unix.IoctlIfreq(raw, req, ifr); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Bind(raw, &unix.SockaddrLinklayer{Protocol: all, Ifindex: int(index.Uint32())}); err != nil {
		t.Fatal(err)
	}
	// A tap has its queueing discipline some time after its carrier; until then the one that drops
	// everything stands there, and says nothing.
	if err := unix.SetsockoptInt(raw, unix.SOL_PACKET, unix.PACKET_QDISC_BYPASS, 1); err != nil {
		t.Fatal(err)
	}
	unix.SetsockoptTimeval(raw, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 120})
	return raw
}

func TestTap(t *testing.T) {
	tendertest.NeedKVM(t)
	prog, guest, raw := asSolo5(t), tendertest.Guest(t, "packet"), makeTap(t)
	var out, errs bytes.Buffer
	cmd := exec.Command(prog, "--mem=2", "--net:radio="+tapName, guest, "echo")
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(5*time.Minute, func() { cmd.Process.Kill() })
	defer timer.Stop()
	// Until the tender has attached, the interface has no carrier and drops.
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if c, err := os.ReadFile("/sys/class/net/" + tapName + "/carrier"); err == nil && string(c) == "1\n" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the tender never attached")
		}
	}
	buf := make([]byte, 2000)
	for i := range 3 {
		frame := make([]byte, 60)
		frame[0], frame[59] = 0x81, byte(i)
		if _, err := unix.Write(raw, frame); err != nil {
			t.Fatal(err)
		}
		for frame[0] = 0x01; ; {
			n, err := unix.Read(raw, buf)
			if err != nil {
				t.Fatalf("frame %d: %v", i, err)
			}
			if bytes.Equal(buf[:n], frame) {
				break
			}
		}
	}
	if err := cmd.Wait(); err != nil || out.String() != "1400\n" {
		t.Errorf("%v, stdout %q, stderr %q", err, out.String(), errs.String())
	}
}

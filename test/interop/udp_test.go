//go:build interop

package interop

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
)

// maxWaiting is how many octets may wait in the socket of a receiver before its sender stops: far
// less than the kernel holds, so that no datagram is lost, however long the receiver pauses.
const maxWaiting = 64 << 10

// waiting is how much waits in the UDP socket that is bound to a port, in octets of the
// kernel's memory; false when there is none.
func waiting(port int) (octets int, bound bool) {
	local := fmt.Sprintf(":%04X", port)
	for _, table := range []string{"/proc/net/udp", "/proc/net/udp6"} {
		b, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line) // slot, local and remote address, state, octets to send:to receive, ...
			if len(f) < 5 || !strings.HasSuffix(f[1], local) {
				continue
			}
			_, queue, _ := strings.Cut(f[4], ":")
			n, err := strconv.ParseUint(queue, 16, 32)
			if err != nil {
				continue
			}
			octets, bound = octets+int(n), true
		}
	}
	return octets, bound
}

func TestWaiting(t *testing.T) {
	c := listenUDP(t)
	port := c.LocalAddr().(*net.UDPAddr).Port
	if n, bound := waiting(port); n != 0 || !bound {
		t.Errorf("%d octets wait, bound: %t", n, bound)
	}
	if _, err := c.WriteToUDP(make([]byte, 1000), c.LocalAddr().(*net.UDPAddr)); err != nil {
		t.Fatal(err)
	}
	if n, _ := waiting(port); n < 1000 {
		t.Errorf("%d octets wait", n)
	}
	c.Close()
	if _, bound := waiting(port); bound {
		t.Error("bound without a socket")
	}
}

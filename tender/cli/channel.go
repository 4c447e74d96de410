package cli

import (
	"os"
	"strconv"
	"strings"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/modules"
	"golang.org/x/sys/unix"
)

// channel attaches NAME=@FD: a socket that whoever starts this program has
// made, with another guest at its other end.
func (c *command) channel(s string) error {
	name, value, ok := nameValue(s)
	number, at := strings.CutPrefix(value, "@")
	fd, err := strconv.Atoi(number)
	if !ok || !at || err != nil || fd < 0 {
		return failure("Malformed argument to --channel")
	}
	if !c.declared(name, hvt.Channel) {
		return &exitError{text: "Invalid option: `--channel:" + s + "'", usage: true}
	}
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return failure("Could not attach channel: %s: %v", value, err)
	}
	if kind != unix.SOCK_SEQPACKET {
		return failure("Could not attach channel: %s: no SEQPACKET socket", value)
	}
	c.channels[name], err = modules.NewChannel(os.NewFile(uintptr(fd), value), hvt.MaxChannelMessage)
	return err
}

package cli

import (
	"os"
	"strconv"
	"strings"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/modules"
)

// option takes one option. What no module takes is invalid, after a module's
// own complaint if it had one.
func (c *command) option(o string) error {
	if v, ok := strings.CutPrefix(o, "--mem="); ok {
		if c.saving.restore != "" {
			return failure("--mem: the memory is the snapshot's")
		}
		return c.setMemory(v)
	}
	if v, ok := strings.CutPrefix(o, "--vcpus-max="); ok {
		return c.setVCPUs(v)
	}
	if v, ok := strings.CutPrefix(o, "--console="); ok {
		return c.setConsole(v)
	}
	if v, ok := strings.CutPrefix(o, "--channel:"); ok {
		return c.channel(v)
	}
	if o == "--no-jail" {
		c.noJail = true
		return nil
	}
	if taken, err := c.saving.option(o); taken || err != nil {
		return err
	}
	taken, err := c.debug.option(o)
	if taken || err != nil {
		return err
	}
	if v, ok := strings.CutPrefix(o, "--block:"); ok {
		taken, err = c.block(v)
	} else if v, ok := strings.CutPrefix(o, "--block-sector-size:"); ok {
		taken = c.sectorSize(v)
	} else if v, ok := strings.CutPrefix(o, "--net:"); ok {
		taken = c.net(v)
	} else if v, ok := strings.CutPrefix(o, "--net-mac:"); ok {
		taken = c.netMAC(v)
	}
	if err == nil && !taken {
		err = &exitError{text: "Invalid option: `" + o + "'", usage: true}
	}
	return err
}

// setMemory takes a number of MiB; what follows the digits is ignored, as
// the reference's sscanf does.
func (c *command) setMemory(v string) error {
	n := 0
	for n < len(v) && v[n] >= '0' && v[n] <= '9' {
		n++
	}
	mib, err := strconv.ParseUint(v[:n], 10, 44)
	if err != nil || mib == 0 {
		return failure("Malformed argument to --mem")
	}
	c.memory = mib << 20
	return nil
}

// setVCPUs bounds how many vCPUs a guest may declare.
func (c *command) setVCPUs(v string) error {
	n, err := strconv.ParseUint(v, 10, 32)
	if err != nil || n < 1 || n > hvt.MaxVCPUs {
		return failure("Malformed argument to --vcpus-max: 1 to %d", hvt.MaxVCPUs)
	}
	c.vcpus = int(n)
	return nil
}

// nameValue splits NAME=VALUE.
func nameValue(s string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(s, "=")
	return name, value, ok && value != "" && hvt.ValidDeviceName(name)
}

func (c *command) declared(name string, t hvt.DeviceType) bool {
	_, ok := c.image.Manifest.Find(name, t)
	if !ok {
		c.warn("Resource not declared in manifest: '%s'", name)
	}
	return ok
}

func (c *command) block(s string) (bool, error) {
	name, path, ok := nameValue(s)
	if !ok || !c.declared(name, hvt.Block) {
		return false, nil
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return false, failure("Could not open block device: %s: %s", path, likeC(err, errnoText(err)))
	}
	b, err := modules.NewBlock(f, c.sectors[name], false)
	if err != nil {
		return false, err
	}
	c.blocks[name] = b
	return true, nil
}

func (c *command) sectorSize(s string) bool {
	name, value, ok := nameValue(s)
	size, err := strconv.ParseUint(value, 10, 64)
	if !ok || err != nil {
		return false
	}
	if err := modules.CheckSector(size); err != nil {
		c.warn("%v", err)
		return false
	}
	if !c.declared(name, hvt.Block) {
		return false
	}
	c.sectors[name] = size
	if b := c.blocks[name]; b != nil {
		return b.SetSector(size) == nil
	}
	return true
}

func (c *command) net(s string) bool {
	name, iface, ok := nameValue(s)
	if !ok || !c.declared(name, hvt.Net) {
		return false
	}
	f, mtu, err := modules.OpenTap(iface)
	var n *modules.Net
	if err == nil {
		n, err = modules.NewTap(f, mtu, c.macs[name])
	}
	if err != nil {
		c.warn("Could not attach interface: %s: %s", iface, likeC(err, errnoText(err)))
		return false
	}
	c.nets[name] = n
	return true
}

func (c *command) netMAC(s string) bool {
	name, value, ok := nameValue(s)
	mac, good := parseMAC(value)
	if !ok || !good || !c.declared(name, hvt.Net) {
		return false
	}
	c.macs[name] = mac
	if n := c.nets[name]; n != nil {
		n.SetMAC(mac)
	}
	return true
}

func parseMAC(s string) (mac [6]byte, ok bool) {
	parts := strings.Split(s, ":")
	if len(parts) != len(mac) {
		return mac, false
	}
	for i, p := range parts {
		v, err := strconv.ParseUint(p, 16, 8)
		if err != nil || len(p) > 2 {
			return mac, false
		}
		mac[i] = byte(v)
	}
	return mac, true
}

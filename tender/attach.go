package tender

import (
	"fmt"
	"slices"

	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/tender/modules"
)

// MismatchError says that the manifest and the devices given do not agree.
type MismatchError struct {
	Missing []hvt.Entry // declared, not given
	Extra   []string    // given, not declared
}

func (e *MismatchError) Error() string {
	if len(e.Extra) > 0 {
		return fmt.Sprintf("Resource not declared in manifest: '%s'", e.Extra[0])
	}
	return fmt.Sprintf("Device '%s' of type %s declared but not attached.", e.Missing[0].Name, e.Missing[0].Type)
}

// attach gives each declared device its host and refuses what does not match.
func (m *Machine) attach(c Config) ([]hvt.Attachment, error) {
	m.manifest = c.Image.Manifest
	m.poller = modules.NewPoller(m.stop)
	attached := make([]hvt.Attachment, len(c.Image.Manifest.Entries))
	bad := &MismatchError{}
	for i, e := range c.Image.Manifest.Entries {
		if block := c.Blocks[e.Name]; e.Type == hvt.Block && block != nil {
			if err := block.Check(e.Name); err != nil {
				return nil, err
			}
			m.blocks[i+1], attached[i] = block, block.Attachment()
		}
	}
	for i, e := range c.Image.Manifest.Entries {
		net := c.Nets[e.Name]
		switch {
		case attached[i].Attached:
		case e.Type == hvt.VCPUs:
			attached[i].Attached = true
		case e.Type == hvt.Net && net != nil:
			m.nets[i+1], attached[i] = net, net.Attachment()
			m.poller.Add(uint(i+1), net)
		case e.Type == hvt.Channel && c.Channels[e.Name] != nil:
			m.nets[i+1], attached[i].Attached = c.Channels[e.Name], true
			m.poller.Add(uint(i+1), m.nets[i+1])
		case e.Type.Extended() && m.offers(c.Image.Manifest, e):
			attached[i].Attached = true
		case e.Type < hvt.DeviceReserved:
			bad.Missing = append(bad.Missing, e)
		}
	}
	for name := range c.Blocks {
		if _, ok := c.Image.Manifest.Find(name, hvt.Block); !ok {
			bad.Extra = append(bad.Extra, name)
		}
	}
	for name := range c.Channels {
		if _, ok := c.Image.Manifest.Find(name, hvt.Channel); !ok {
			bad.Extra = append(bad.Extra, name)
		}
	}
	for name := range c.Nets {
		if _, ok := c.Image.Manifest.Find(name, hvt.Net); !ok {
			bad.Extra = append(bad.Extra, name)
		}
	}
	slices.Sort(bad.Extra)
	if len(bad.Missing)+len(bad.Extra) > 0 {
		return nil, bad
	}
	return attached, nil
}

package tenant

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/hvt"
	"github.com/perilune/perilune/internal/seqpacket"
	"github.com/perilune/perilune/missions"
	"github.com/perilune/perilune/missions/store"
	"github.com/perilune/perilune/tender/wire"
)

// channel joins two guests of one tenant: a pair of sockets of which each guest has
// one end. Flight holds both, and init with it, so that neither guest's end, nor what
// waits in it, is lost when the other one or flight ends. The pair goes when no guest
// uses it any more.
type channel struct {
	files [2]*os.File
	users [2]*guest
}

// channelKey names a channel of a tenant: another tenant's is another one.
func channelKey(tenant, name string) string { return tenant + "/" + name }

// join gives g an end of each channel that its mission names. The devices' files are
// the caller's.
func (m *Manager) join(g *guest, in *store.Installed) (devices []wire.Device, files []*os.File, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.roomForChannels(g, in); err != nil {
		return nil, nil, err
	}
	for _, c := range in.Mission.Channel {
		f, err := m.end(g, c.Name)
		if err != nil {
			return devices, files, err
		}
		files = append(files, f)
		devices = append(devices, wire.Device{Name: c.Name, Type: uint8(hvt.Net), Source: wire.Channel, MTU: hvt.MaxChannelMessage})
	}
	return devices, files, nil
}

// roomForChannels says whether the tenant may open what is not open yet. The craft's
// description has no more channels for all tenants than init can hold. m.mu is held.
func (m *Manager) roomForChannels(g *guest, in *store.Installed) error {
	open, more := 0, 0
	for key := range m.channels {
		if tenant, _, _ := strings.Cut(key, "/"); tenant == g.id.Tenant {
			open++
		}
	}
	for _, c := range in.Mission.Channel {
		if m.channels[channelKey(g.id.Tenant, c.Name)] == nil {
			more++
		}
	}
	if most := min(g.tenant.Channels, in.Grant.Quota.Links()); more > 0 && open+more > most {
		return refuse(pus.FailureNotPermitted, "%s: it wants %d channels beside %d that are open, %q may have %d: stop a guest that has others",
			missions.RuleChannels, more, open, g.id.Tenant, most)
	}
	return nil
}

// end takes an end of the channel for g and returns a copy of its file. m.mu is held.
func (m *Manager) end(g *guest, name string) (*os.File, error) {
	key := channelKey(g.id.Tenant, name)
	c := m.channels[key]
	if c == nil {
		var err error
		if c, err = m.newChannel(key); err != nil {
			return nil, fmt.Errorf("channel %q: %w", name, err)
		}
	}
	for i := range c.users {
		if c.users[i] != nil {
			continue
		}
		f, err := duplicate(c.files[i])
		if err != nil {
			if c.users == ([2]*guest{}) {
				m.dropChannel(key)
			}
			return nil, fmt.Errorf("channel %q: %w", name, err)
		}
		c.users[i] = g
		if g.channels == nil {
			g.channels = map[string]int{}
		}
		g.channels[name] = i
		return f, nil
	}
	return nil, refuse(pus.FailureNotPermitted, "channel.busy: %q joins %s and %s already", name, c.users[0].id.Mission, c.users[1].id.Mission)
}

func (m *Manager) newChannel(key string) (*channel, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	c := &channel{files: [2]*os.File{os.NewFile(uintptr(fds[0]), key), os.NewFile(uintptr(fds[1]), key)}}
	if err := m.cfg.Slots.Keep(key, c.files[:]...); err != nil {
		return nil, errors.Join(err, c.close())
	}
	m.channels[key] = c
	return c, nil
}

func (c *channel) close() error { return errors.Join(c.files[0].Close(), c.files[1].Close()) }

func duplicate(f *os.File) (*os.File, error) {
	old, err := seqpacket.Descriptor(f)
	if err != nil {
		return nil, err
	}
	fd, err := unix.FcntlInt(uintptr(old), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// leave gives up g's ends.
func (m *Manager) leave(g *guest) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, i := range g.channels {
		key := channelKey(g.id.Tenant, name)
		c := m.channels[key]
		if c == nil || c.users[i] != g {
			continue
		}
		if c.users[i] = nil; c.users[1-i] == nil {
			m.dropChannel(key)
		}
	}
	g.channels = nil
}

// dropChannel needs m.mu.
func (m *Manager) dropChannel(key string) {
	c := m.channels[key]
	delete(m.channels, key)
	if err := errors.Join(c.close(), m.cfg.Slots.Forget(key)); err != nil {
		m.cfg.Log.Error("channel", "name", key, "err", err)
	}
}

// Pair is a channel that init has held over a restart of flight.
type Pair struct {
	Name  string
	Files [2]*os.File
}

// Rejoin takes over the channels that outlived an earlier flight program, after Adopt
// has taken over their guests. One without guests is dropped.
func (m *Manager) Rejoin(kept []Pair) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range kept {
		c := &channel{files: p.Files}
		tenant, name, _ := strings.Cut(p.Name, "/")
		for _, g := range m.guests {
			if i, ok := g.channels[name]; ok && g.id.Tenant == tenant && i >= 0 && i < len(c.users) {
				c.users[i] = g
			}
		}
		m.channels[p.Name] = c
		if c.users[0] == nil && c.users[1] == nil {
			m.dropChannel(p.Name)
		}
	}
}

package station

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/internal/client"
)

// Keys is where the station keeps the link keys that it made; a Put that returned is on stable
// storage. Get is fs.ErrNotExist where nothing was put.
type Keys interface {
	Put(name string, v any) error
	Get(name string, v any) error
	Delete(name string) error
}

// firstKey is the number below the first key that a station makes. Those before are of images.
const firstKey = 1000

// numberLength is an anti-replay number in a procedure, in octets.
const numberLength = 12

// held is a key of a channel and the association under which it is used.
type held struct {
	SPI, ID uint16
	Value   [32]byte
}

// way names a protected channel of the link.
type way struct {
	vc   ccsds.VCID
	down bool
}

func (w way) String() string {
	if w.down {
		return fmt.Sprintf("downlink channel %d", w.vc)
	}
	return fmt.Sprintf("uplink channel %d", w.vc)
}

// record is the name under which the keys of a channel are kept.
func (w way) record() string {
	if w.down {
		return fmt.Sprintf("down-%d", w.vc)
	}
	return fmt.Sprintf("up-%d", w.vc)
}

// channelKeys are the keys of a channel. While Next is there, a rotation is under way: Step
// procedures of it are done, and it goes on where it stood. Lost says that the key of Now is
// not known here, only that the craft has one.
type channelKeys struct {
	Now  held
	Lost bool `json:",omitempty"`
	Next *held
	Step int
}

// current is what is to be used now: the next key once the craft has it in operation.
func (k channelKeys) current() held {
	if k.Next != nil && k.Step >= stepProve {
		return *k.Next
	}
	return k.Now
}

// heard are the keys under which frames of a downlink channel may come.
func (k channelKeys) heard() (out []held) {
	if !(k.Next != nil && (k.Lost || k.Step > stepStop)) {
		out = append(out, k.Now)
	}
	if k.Next != nil && k.Step >= stepStart {
		out = append(out, *k.Next)
	}
	return out
}

// image is the key of a channel with which the craft was built.
func (s *Station) image(w way) held {
	p := s.cfg.Profile
	spi := p.SPI[w.vc]
	if w.down {
		spi = p.DownSPI[w.vc]
	}
	return held{SPI: spi, ID: spi, Value: p.Keys[spi]}
}

// ways lists the protected channels: those of the uplink, then those of the downlink.
func (s *Station) ways() (out []way) {
	for vc := range s.cfg.Profile.SPI {
		out = append(out, way{vc, false})
	}
	for vc := range s.cfg.Profile.DownSPI {
		out = append(out, way{vc, true})
	}
	slices.SortFunc(out, func(a, b way) int {
		if a.down != b.down {
			if b.down {
				return -1
			}
			return 1
		}
		return int(a.vc) - int(b.vc)
	})
	return out
}

// loadKeys reads the keys of all channels and makes the link use them.
func (s *Station) loadKeys() error {
	defer func() {
		for _, w := range s.ways() {
			s.adviseKey(w)
		}
	}()
	s.keys, s.replies, s.secured = map[way]*channelKeys{}, make(chan sdls.PDU, 8), map[ccsds.VCID]uint16{}
	for _, w := range s.ways() {
		k := &channelKeys{Now: s.image(w)}
		s.keys[w] = k
		if s.cfg.Keys == nil {
			continue
		}
		err := s.cfg.Keys.Get(w.record(), k)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case errors.Is(err, ErrKeyStore):
			// Without this station nobody could recover.
			s.cfg.Log.Error("changed key", "channel", w.String(), "err", err)
			*k = channelKeys{Now: s.image(w), Lost: true}
		case err != nil:
			return fmt.Errorf("keys of %s: %w", w, err)
		}
		if err := s.useKeys(w, *k); err != nil {
			return err
		}
	}
	return nil
}

// useKeys makes the link use the keys of a channel. The caller holds the lock.
func (s *Station) useKeys(w way, k channelKeys) error {
	if !w.down {
		c := k.current()
		return s.ground.Associate(w.vc, c.SPI, c.Value)
	}
	own := s.image(w).SPI
	s.ground.DissociateDown(own)
	s.ground.DissociateDown(link.Spare(own))
	for _, h := range k.heard() {
		if err := s.ground.AssociateDown(w.vc, h.SPI, h.Value); err != nil {
			return err
		}
	}
	return nil
}

// keepKeys makes a change durable, and then the link use it.
func (s *Station) keepKeys(w way, after channelKeys) error {
	if err := s.cfg.Keys.Put(w.record(), after); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	*s.keys[w] = after
	return s.useKeys(w, after)
}

// KeyList tells which keys are in use, without what is secret of them.
func (s *Station) KeyList() []client.LinkKey {
	busy := s.stepping.Load()
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []client.LinkKey{}
	for _, w := range s.ways() {
		k := s.linkKey(w)
		k.Busy = busy
		out = append(out, k)
	}
	return out
}

// linkKey needs the lock.
func (s *Station) linkKey(w way) client.LinkKey {
	k := s.keys[w]
	c := k.current()
	out := client.LinkKey{VC: uint8(w.vc), Down: w.down, SPI: c.SPI, Key: c.ID, Rotating: k.Next != nil, Lost: k.Lost && k.Next == nil}
	if out.Rotating {
		out.Step, out.Steps = k.Step+1, stepEnd
	}
	return out
}

// troubledKeys are those that want something done.
func (s *Station) troubledKeys() (out []client.LinkKey) {
	for _, k := range s.KeyList() {
		if k.Advice() != "" {
			out = append(out, k)
		}
	}
	return out
}

// inUse says for which channel a key is, or is about to be, in use.
func (s *Station) inUse(id uint16) (w way, use string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w, k := range s.keys {
		if k.Next != nil && k.Next.ID == id {
			return w, fmt.Sprintf("on its way to %s", w)
		}
		if !k.Lost && k.Now.ID == id {
			return w, w.String()
		}
	}
	return way{}, ""
}

// recordNumber is where the number is kept that was given to a key last.
const recordNumber = "number"

// newNumber gives a number for a key that no other has, as far as this station knows.
func (s *Station) newNumber() (uint16, error) {
	n, err := s.lastNumber()
	if err != nil {
		return 0, err
	}
	for range 0xFFFF - firstKey {
		if n++; n <= firstKey {
			n = firstKey + 1
		}
		if _, use := s.inUse(n); use == "" {
			return n, s.cfg.Keys.Put(recordNumber, n)
		}
	}
	return 0, fmt.Errorf("%w: the numbers of keys are used up", errRequest)
}

// lastNumber is the number that was given last, as far as that can be read: the craft refuses
// one that is in use there.
func (s *Station) lastNumber() (uint16, error) {
	n := uint16(firstKey)
	err := s.cfg.Keys.Get(recordNumber, &n)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrKeyStore) {
		return firstKey, nil
	}
	return n, err
}

// manages says why this station changes no keys, or nil.
func (s *Station) manages() error {
	if s.cfg.Master == nil || s.cfg.Keys == nil {
		return fmt.Errorf("%w: this station has no master key", errRequest)
	}
	return nil
}

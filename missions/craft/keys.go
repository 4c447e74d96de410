package craft

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// KeyFile is the name of the file that holds the key of the association spi.
func KeyFile(spi uint16) string { return fmt.Sprintf("sdls-%d.key", spi) }

// MasterFile is the name of the file that holds the key under which new link keys travel.
const MasterFile = "sdls-master.key"

// LoadMaster reads the master key from dir, nil if there is none: then the link's keys stay
// as they are.
func LoadMaster(dir string) (*[KeySize]byte, error) {
	data, err := os.ReadFile(filepath.Join(dir, MasterFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("master key: %w", err)
	case len(data) != KeySize:
		return nil, fmt.Errorf("master key %s: %d octets, want %d", MasterFile, len(data), KeySize)
	}
	return (*[KeySize]byte)(data), nil
}

// LoadKeys reads the keys of the link's associations from dir.
func (c *Craft) LoadKeys(dir string) (map[uint16][KeySize]byte, error) {
	keys := map[uint16][KeySize]byte{}
	for _, spi := range c.SPIs() {
		data, err := os.ReadFile(filepath.Join(dir, KeyFile(spi)))
		if err != nil {
			return nil, fmt.Errorf("link key: %w", err)
		}
		if len(data) != KeySize {
			return nil, fmt.Errorf("link key %s: %d octets, want %d", KeyFile(spi), len(data), KeySize)
		}
		keys[spi] = [KeySize]byte(data)
	}
	return keys, nil
}

// ChangedFile is the name of a file beside those, in which a station keeps what has been changed
// over the air: keys of a channel, or what else it must know of them.
func ChangedFile(what string) string { return "sdls-" + what + ".changed" }

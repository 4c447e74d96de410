package craft

import (
	"fmt"
	"os"
	"path/filepath"
)

// KeyFile is the name of the file that holds the key of the association spi.
func KeyFile(spi uint16) string { return fmt.Sprintf("sdls-%d.key", spi) }

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

package craft

import (
	"fmt"

	"github.com/perilune/perilune/missions/database"
)

// Messages is the craft's mission database: the built-in one, with what its own file adds.
func (c *Craft) Messages() *database.Database {
	if c.messages == nil {
		return database.Default()
	}
	return c.messages
}

// extend reads the craft's own database. Processes that it names must be the craft's.
func (c *Craft) extend(path string) error {
	d, err := database.Extend(database.Default(), path)
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	for _, a := range d.APIDs[len(database.Default().APIDs):] {
		if t := c.Tenant(a.Name); t == nil || t.APID != a.ID {
			return fmt.Errorf("database: %s: apid %d, %q is no tenant with this APID", path, a.ID, a.Name)
		}
	}
	c.messages = d
	return nil
}

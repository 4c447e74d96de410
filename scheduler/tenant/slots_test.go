package tenant

import (
	"context"
	"errors"
	"testing"
)

// lateRefusal is an init that refuses a slot when whoever wants it gives up.
type lateRefusal struct {
	*craft
	giveUp context.CancelFunc
}

func (l lateRefusal) Request(context.Context, uint32, string, Limits) (*Slot, error) {
	l.giveUp()
	return nil, errors.New("no memory")
}

// A slot that init refuses at the last moment has a number that is free again: init will not speak
// of it any more.
func TestRefusedAtTheLastMoment(t *testing.T) {
	c := newCraft(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	c.m.cfg.Slots = lateRefusal{c, cancel}
	if err := c.m.Start(ctx, beaconID); err == nil {
		t.Fatal("it runs")
	}
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	if len(c.m.slots) > 0 {
		t.Errorf("numbers in use: %v", c.m.slots)
	}
}

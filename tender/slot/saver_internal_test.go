package slot

import (
	"testing"
	"time"
)

// An order that comes when the guest was not saved, and whoever gave the last one has been told, is
// not taken for that one: nobody would answer it.
func TestOrderAfterAnswer(t *testing.T) {
	var s saver
	if !s.begin() || s.begin() {
		t.Fatal("one snapshot at a time")
	}
	again := make(chan bool, 1)
	s.end(false, func() {
		go func() { again <- s.begin() }()
		select {
		case begins := <-again: // before the answer's giver is done
			again <- begins
		case <-time.After(50 * time.Millisecond):
		}
	})
	if !<-again {
		t.Error("an order was dropped behind the answer of the one before")
	}
	s.end(true, func() {})
	if s.begin() {
		t.Error("a guest that was saved is saved again")
	}
}

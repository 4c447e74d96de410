package stored

import (
	"testing"
	"time"
)

// While a packet is being stored, which may wait for the disk, the transmitter is told at once that
// there is nothing to send again; afterwards there is.
func TestNextWhileStoring(t *testing.T) {
	s, err := Open(t.TempDir(), 4096)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Add(1, []byte("packet")); err != nil {
		t.Fatal(err)
	}
	if err := s.Retrieve(0, 2); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock() // as Add holds it
	told := make(chan bool)
	go func() {
		_, ok := s.Next()
		told <- ok
	}()
	select {
	case ok := <-told:
		s.mu.Unlock()
		if ok {
			t.Error("a packet out of a store that is being written")
		}
	case <-time.After(time.Minute):
		s.mu.Unlock()
		t.Fatalf("the disk holds up the transmitter, which then had a packet: %t", <-told)
	}
	if p, ok := s.Next(); !ok || string(p) != "packet" {
		t.Errorf("%q, %t", p, ok)
	}
}

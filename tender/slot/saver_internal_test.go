package slot

import "testing"

// An order that comes again has one snapshot and one outcome, whenever it comes; another order has its own.
func TestOrders(t *testing.T) {
	var s saver
	var told []string
	answer := func(reason string) { told = append(told, reason) }
	begins := func(order uint64, want bool, reason string) {
		t.Helper()
		told = nil
		if got := s.begin(order, answer); got != want {
			t.Errorf("order %d begins: %v", order, got)
		}
		if len(told) > 1 || reason == "" && len(told) > 0 || reason != "" && (len(told) != 1 || told[0] != reason) {
			t.Errorf("order %d is told %q, want %q", order, told, reason)
		}
	}
	begins(7, true, "")
	begins(7, false, "") // has the answer that comes
	begins(8, false, errOther)
	s.end("no room", func() {})
	begins(7, false, "no room") // its answer may be on the way: it is the same
	begins(7, false, "no room")
	begins(8, true, "")
	s.end("", func() {})
	begins(8, false, "")
	begins(9, false, "")
}

// An order that comes while an answer is given waits for it, and is the same order then.
func TestOrderDuringAnswer(t *testing.T) {
	var s saver
	if !s.begin(1, nil) {
		t.Fatal("no snapshot begins")
	}
	again, came := make(chan string, 1), make(chan struct{})
	s.end("no room", func() {
		go func() {
			close(came)
			got := "nothing"
			if s.begin(1, func(reason string) { got = reason }) {
				got = "begins"
			}
			again <- got
		}()
		<-came
	})
	if got := <-again; got != "no room" {
		t.Errorf("the order that came again: %q", got)
	}
}

// Once the guest is over nothing begins, and its end is the answer.
func TestOrderAtTheEnd(t *testing.T) {
	var s saver
	s.busy.Lock()
	if s.begin(1, func(reason string) { t.Errorf("told %q", reason) }) {
		t.Error("a snapshot begins of a guest that is over")
	}
}

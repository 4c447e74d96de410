package main

import "testing"

// At 5 % frame loss 95 % of what the link carries is file, and 64 transfers at once come
// to their end.
func TestGoals(t *testing.T) {
	for _, b := range []bench{
		{name: "one", files: 1, size: 8 << 20, loss: 0.05, pdu: fitted, goal: 0.95},
		{name: "many", files: 64, size: 32 << 10, loss: 0.05, pdu: fitted},
	} {
		r, err := b.run()
		if err != nil {
			t.Fatalf("%s: %v", b.name, err)
		}
		if r.complete != b.files || r.goodput < b.goal {
			t.Errorf("%s: %+v", b.name, r)
		}
	}
}

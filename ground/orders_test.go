package ground

import (
	"sync"
	"testing"

	"github.com/perilune/perilune/missions/craft"
)

// Activations that go on at the same time have orders of their own numbers: the craft refuses a
// number that it has seen.
func TestOrdersAtATime(t *testing.T) {
	sign := orders(Config{Keys: t.TempDir(), Craft: &craft.Craft{Name: "flatsat"}})
	var (
		mu   sync.Mutex
		seen = map[uint64]bool{}
		wg   sync.WaitGroup
	)
	for range 16 {
		wg.Go(func() {
			_, n, err := sign("sha256:00")
			mu.Lock()
			defer mu.Unlock()
			if err != nil || seen[n] {
				t.Errorf("order %d, again: %v, %v", n, seen[n], err)
			}
			seen[n] = true
		})
	}
	wg.Wait()
}

package dispatch

import (
	"sync"
	"testing"
)

// TestRefusedReservation: a request that one budget refuses takes nothing from the others, not even for a moment, in which
// another statement would be told that its budget is reached.
func TestRefusedReservation(t *testing.T) {
	shared, spent := &Meter{Budget: Budget{Requests: 1}}, &Meter{Budget: Budget{Tokens: 1}}
	spent.add(Usage{InputTokens: 1})
	one := Budget{Requests: 1, Tokens: 1}
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 20_000 {
			if m, _, _ := reserve([]*Meter{shared, spent}, one, false); m == nil {
				t.Error("it passed")
				return
			}
		}
	})
	for range 20_000 {
		if m, what, _ := reserve([]*Meter{shared}, one, false); m != nil {
			t.Errorf("the other budget is reached: %s", what)
			break
		}
		shared.settle(one, Usage{})
	}
	wg.Wait()
	if shared.reserved != (Budget{}) || spent.reserved != (Budget{}) {
		t.Error("something is still reserved")
	}
}

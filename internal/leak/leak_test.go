package leak_test

import (
	"testing"
	"time"

	"github.com/mallardml/mallard/internal/leak"
)

// A goroutine that needs longer than goleak itself would wait (half a second) is no leak.
func TestSlowGoroutine(t *testing.T) {
	go time.Sleep(2 * time.Second)
	if err := leak.Goroutines(); err != nil {
		t.Error(err)
	}
}

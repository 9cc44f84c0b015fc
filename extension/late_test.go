package extension

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestCloseWaits: a database that is closed waits until the last answers are written, but not for ever.
func TestCloseWaits(t *testing.T) {
	for _, takes := range []time.Duration{5 * time.Second, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			var r remoteModels
			done, other := make(chan struct{}), make(chan struct{})
			r.leave(done)
			r.leave(other)
			close(other)
			time.AfterFunc(takes, func() { close(done) })
			start := time.Now()
			err := r.close()
			if d := time.Since(start); d != min(takes, lateGrace) || (err == nil) != (takes < lateGrace) {
				t.Errorf("%v instead of %v: %v", d, takes, err)
			}
			time.Sleep(takes)
		})
	}
}

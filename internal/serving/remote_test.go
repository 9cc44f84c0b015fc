package serving

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mallardml/mallard/functions/remote"
	"github.com/mallardml/mallard/internal/config"
)

// TestCloseWaits: a database that is closed waits until the last answers are written, but not for ever.
func TestCloseWaits(t *testing.T) {
	for _, takes := range []time.Duration{5 * time.Second, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			var r Remote
			done, other := make(chan struct{}), make(chan struct{})
			r.Leave(done)
			r.Leave(other)
			close(other)
			time.AfterFunc(takes, func() { close(done) })
			start := time.Now()
			err := r.Close()
			if d := time.Since(start); d != min(takes, lateGrace) || (err == nil) != (takes < lateGrace) {
				t.Errorf("%v instead of %v: %v", d, takes, err)
			}
			time.Sleep(takes)
		})
	}
}

// TestCall: the same call, with its arguments in another order, is the same version; another argument makes another.
func TestCall(t *testing.T) {
	cfg := &config.Config{Cache: config.CacheConfig{Off: true}, Connections: map[string]config.ConnectionConfig{"c": {Project: "p"}}}
	r := NewRemote(cfg, NewStores(cfg, func(context.Context) error { return nil }), nil)
	call := func(options ...remote.Option) int64 {
		t.Helper()
		o, err := remote.ParseOptions("ML.GENERATE_TEXT", remote.Gemini, options)
		if err != nil {
			t.Fatal(err)
		}
		s, err := r.Call(&remote.Spec{
			Func: "ML.GENERATE_TEXT", Model: "m", Options: o, Family: remote.Gemini,
			Endpoint: "https://host/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-flash",
		}, "c")
		if err != nil {
			t.Fatal(err)
		}
		return s.Version
	}
	cold, top := remote.Option{Name: "temperature", Value: 0.0}, remote.Option{Name: "top_p", Value: 0.5}
	warm := remote.Option{Name: "temperature", Value: 1.0, Pos: 7, End: 9}
	first := call(cold, top)
	if again := call(top, cold); again != first {
		t.Errorf("in another order it is version %d, not %d", again, first)
	}
	if other := call(warm, top); other == first {
		t.Error("another temperature is the same call")
	}
	if other := call(cold); other == first {
		t.Error("a call without top_p is the same")
	}
}

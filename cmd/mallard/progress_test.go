package main

import (
	"slices"
	"testing"

	"github.com/mallardml/mallard/internal/dispatch"
)

// TestAsked: the line about remote models has what they cost so far.
func TestAsked(t *testing.T) {
	st := asked(dispatch.Progress{Submitted: 2000, Done: 500, Cached: 40, Retries: 1, Failed: map[string]int64{"A": 2, "B": 3}, Tokens: 12345, Money: 0.25})
	want := []string{"40 from the cache", "1 retry", "5 failed", "12,345 tokens", "cost 0.2500"}
	if st.Rows != 500 || st.Total != 2000 || !slices.Equal(st.Notes, want) {
		t.Errorf("%+v, want %q", st, want)
	}
	if st := asked(dispatch.Progress{Submitted: 1}); len(st.Notes) > 0 || st.Fraction >= 0 {
		t.Errorf("%+v", st)
	}
}

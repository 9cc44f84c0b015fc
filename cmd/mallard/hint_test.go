package main

import (
	"strings"
	"testing"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/cmd/mallard/internal/shell"
)

// The advice of an error is a line of its own, behind the picture of its place.
func TestErrorsShowTheirHint(t *testing.T) {
	src := "SELECT SAFE_DIVIDE(1, 0)"
	err := &mallard.Error{Msg: "there is none", Hint: "read it so", Pos: 7, End: 18, Line: 1, Col: 8, Source: src}
	got := renderError(err, shell.Place{Name: "stdin", Text: src, Line: 1}, 80)
	if !strings.HasSuffix(got, "^~~~~~~~~~~\nread it so") || strings.Count(got, err.Hint) != 1 {
		t.Errorf("%q", got)
	}
}

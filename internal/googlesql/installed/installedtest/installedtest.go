// Package installedtest is for tests that need GoogleSQL's analyzer.
package installedtest

import (
	"testing"

	"github.com/mallardml/mallard/internal/googlesql/installed"
)

// Need gives the analyzer that is found, and skips the test where there is none.
func Need(tb testing.TB) installed.Source {
	tb.Helper()
	source, err := installed.Find("")
	if err != nil {
		tb.Skip(err)
	}
	return source
}

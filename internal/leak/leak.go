// Package leak demands of a test binary that it leaves no goroutine behind. It asks goleak, and asks again for a while: a goroutine whose
// connection has been closed still has to be scheduled to see it, which takes long on a loaded machine. One that is left for good is still
// there at the end.
package leak

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience is far more than any goroutine needs to end.
const patience = 30 * time.Second

// Main runs the tests, and then the checks, each of which says what was left behind. It does not return.
func Main(m *testing.M, checks ...func() error) {
	MainClosing(m, func() error { return nil }, checks...)
}

// MainClosing is Main for tests that use what lives as long as the process: it is closed after them, before the checks.
func MainClosing(m *testing.M, closing func() error, checks ...func() error) {
	code := m.Run()
	checks = append([]func() error{closing, Goroutines}, checks...)
	if code == 0 {
		for _, check := range checks {
			if err := check(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}
	}
	os.Exit(code)
}

// Goroutines is nil when only the caller's goroutine and those of the test runner are left. The one that is let off belongs to a library of
// the Cloud Storage fake and of gRPC's, for the life of the process.
func Goroutines() error {
	for end := time.Now().Add(patience); ; {
		err := goleak.Find(goleak.IgnoreTopFunction("go.opencensus.io/stats/view.(*worker).start"))
		if err == nil || time.Now().After(end) {
			return err
		}
	}
}

package tensorflow

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"
)

// TestMain demands that every handle of the C API is closed at the end.
func TestMain(m *testing.M) {
	code := m.Run()
	runtime.GC()
	for kind, n := range Live() {
		if n != 0 {
			fmt.Fprintf(os.Stderr, "%d %s are still open\n", n, kind)
			code = 1
		}
	}
	os.Exit(code)
}

// library opens TensorFlow once for the tests.
var library = sync.OnceValues(func() (*Runtime, error) {
	l, err := Find(FindOptions{})
	if err != nil {
		return nil, err
	}
	return Open(l)
})

func open(t testing.TB) *Runtime {
	t.Helper()
	rt, err := library()
	if err != nil {
		t.Fatal(err)
	}
	return rt
}

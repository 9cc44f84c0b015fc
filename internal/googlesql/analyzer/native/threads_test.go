package native_test

import (
	"context"
	"errors"
	"testing"

	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/analyzer/native"
	"github.com/mallardml/mallard/internal/googlesql/installed"
)

// TestThreads: the threads that run calls are known by their name, and only they.
func TestThreads(t *testing.T) {
	if _, told := native.Threads(); told {
		t.Error("a process without the library has threads of it")
	}
	source, err := installed.FindNative()
	if errors.Is(err, installed.ErrNone) {
		t.Skip("no native library of GoogleSQL is installed")
	}
	if err != nil {
		t.Fatal(err)
	}
	service, err := source.Open(func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := analyzer.New(context.Background(), service); err != nil {
		t.Fatal(err)
	}
	if _, told := native.Threads(); !told {
		t.Error("the library's threads are not seen")
	}
}

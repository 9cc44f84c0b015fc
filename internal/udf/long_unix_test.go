//go:build unix

package udf

import (
	"strings"
	"syscall"
	"testing"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// TestLongText has 4 GiB of addresses without memory behind them: who reads them crashes.
func TestLongText(t *testing.T) {
	b, err := syscall.Mmap(-1, 0, 1<<32, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Skip(err)
	}
	defer func() { _ = syscall.Munmap(b) }()
	if err := SetBytes(mapping.Vector{}, 0, b); err == nil || !strings.Contains(err.Error(), "4294967296 bytes is longer than DuckDB can hold") {
		t.Errorf("got %v", err)
	}
}

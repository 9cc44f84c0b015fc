package main

import (
	"bytes"
	"strings"
	"testing"
)

// DuckDB reads the last 512 bytes: eight fields of 32, the first one last, and the signature
// (https://github.com/duckdb/extension-ci-tools, scripts/append_extension_metadata.py).
func TestFooter(t *testing.T) {
	f := footer("v1.5.6", stable, "v0.1.0-with-a-name-of-more-than-32-bytes")
	if len(f) != 534 {
		t.Fatalf("%d bytes", len(f))
	}
	fields := f[len(f)-512 : len(f)-256]
	for i, want := range map[int]string{7: "4", 5: "v1.5.6", 4: "v0.1.0-with-a-name-of-more-than-", 3: "C_STRUCT", 0: ""} {
		if got := string(bytes.TrimRight(fields[i*field:(i+1)*field], "\x00")); got != want {
			t.Errorf("field %d is %q, want %q", 8-i, got, want)
		}
	}
	if !strings.Contains(string(f[:22]), "duckdb_signature") {
		t.Error("the section has no name")
	}
}

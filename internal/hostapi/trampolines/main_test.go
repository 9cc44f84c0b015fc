package main

import (
	"os"
	"strings"
	"testing"
)

// The bindings' header and names.txt are of one DuckDB: each function of the one is in the other, once.
func TestNames(t *testing.T) {
	dir := t.TempDir()
	if err := run("../names.txt", dir); err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile(dir + "/trampolines_generated.cc")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"HIDDEN duckdb_state host_duckdb_connect(duckdb_database database, duckdb_connection *out_connection) {",
		"HIDDEN const char * duckdb_library_version() {",
		"HIDDEN duckdb_logical_type duckdb_prepared_statement_column_logical_type(",
	} {
		if !strings.Contains(string(src), line) {
			t.Errorf("there is no function %s", line)
		}
	}
}

func TestWrite(t *testing.T) {
	const header = "// duckdb_no(int x);\nDUCKDB_C_API void duckdb_a(void);\n#if 1\nDUCKDB_C_API duckdb_state duckdb_b(const char *name,\n duckdb_c c[]);\n#endif\n"
	if _, err := write([]string{"duckdb_b", "duckdb_a"}, header); err != nil {
		t.Error(err)
	}
	for _, order := range [][]string{{"duckdb_a"}, {"duckdb_a", "duckdb_a"}, {"duckdb_a", "duckdb_no"}, {"duckdb_a", "duckdb_b", "duckdb_no"}} {
		if _, err := write(order, header); err == nil {
			t.Errorf("%v is taken for the table of two other functions", order)
		}
	}
}

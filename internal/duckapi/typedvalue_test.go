package duckapi_test

import (
	"database/sql"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/googlesql"
)

// TestTypedValueWrong: a value that is not of its type is an error, also deep inside, and never reaches DuckDB.
func TestTypedValueWrong(t *testing.T) {
	c, err := mallard.NewConnector("", mallard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	db := sql.OpenDB(c)
	defer db.Close()
	for _, tt := range []struct {
		of   string
		give any
		want string
	}{
		{"INT64", "1", "a string cannot be the value of INT64"}, {"INT64", 1, "a int cannot"}, {"STRING", "\xff", "UTF-8"},
		{"ARRAY<STRUCT<a INT64>>", []any{[]any{"x"}}, "cannot be the value of INT64"}, {"ARRAY<STRING>", []any{"\xff"}, "UTF-8"},
		{"STRUCT<a INT64>", []any{}, "cannot be the value of STRUCT"}, {"STRUCT<a INT64>", map[string]any{"a": 1}, "cannot be the value of STRUCT"},
		{"NUMERIC", duckdb.Decimal{Width: 38, Scale: 9}, "DECIMAL"}, {"ARRAY<DATE>", time.Time{}, "cannot be the value of ARRAY<DATE>"},
		{"ARRAY<NUMERIC>", []any{duckdb.Decimal{Width: 12, Scale: 10, Value: big.NewInt(1)}}, "more than 9 digits"},
		{"TIMESTAMP", time.Date(300_000_000, 1, 1, 0, 0, 0, 0, time.UTC), "beyond"}, {"RANGE<DATE>", nil, "no type for RANGE"},
	} {
		of, err := googlesql.ParseType(tt.of)
		if err != nil {
			t.Fatal(err)
		}
		var got any
		err = db.QueryRow("SELECT ?", mallard.TypedValue{Type: of, Value: tt.give}).Scan(&got)
		if err == nil || !strings.Contains(fmt.Sprint(err), tt.want) {
			t.Errorf("%s of %#v: %v, %v", tt.of, tt.give, got, err)
		}
	}
}

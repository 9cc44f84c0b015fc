package extension_test

import (
	"database/sql"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/duckdb/duckdb-go/v2"
)

// TestParameterTypes: a parameter of GoogleSQL has the type of its value; the places of those by position stay, also where the
// statement's order is another, one stands nowhere in what DuckDB gets, or a value is NULL.
func TestParameterTypes(t *testing.T) {
	db := openGoogleSQL(t)
	for _, tt := range []struct {
		give string
		args []any
		want string
	}{
		{"SELECT ? - ?", []any{5, 2}, "3"},
		{"SELECT x FROM (SELECT ? AS unused, ? AS x)", []any{"a", "b"}, "b"},
		{"SELECT y - x FROM (SELECT ? AS x) CROSS JOIN (SELECT ? AS y)", []any{1, 10}, "9"},
		{"SELECT @B || @a || @B", []any{sql.Named("a", "y"), sql.Named("B", "x")}, "xyx"},
		{"SELECT COUNT(*) FROM UNNEST(@l) AS x WHERE x > 1.5", []any{sql.Named("l", []any{1, 2.5})}, "1"},
		{"SELECT ? / 2", []any{5}, "2.5"},
		{"SELECT IFNULL(?, 'none') || ?", []any{nil, "!"}, "none!"},
		{"SELECT FORMAT('%T', (?, ?))", []any{duckdb.Decimal{Width: 4, Scale: 1, Value: big.NewInt(15)}, duckdb.Interval{Months: 1, Days: 2, Micros: 3}},
			`(NUMERIC "1.5", INTERVAL "0-1 2 0:0:0.000003" YEAR TO SECOND)`},
		{"SELECT DATE '2024-02-29' = @d", []any{sql.Named("d", "2024-02-29")}, "true"},
		{"SELECT EXTRACT(YEAR FROM ?)", []any{time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}, "2024"},
		{"SELECT LENGTH(?)", []any{[]byte{0xff, 0}}, "2"},
		{"SELECT a FROM UNNEST([1, 2, 3]) AS a ORDER BY a LIMIT ? OFFSET ?", []any{1, 2}, "3"},
	} {
		var got any
		if err := db.QueryRowContext(t.Context(), tt.give, tt.args...).Scan(&got); err != nil || fmt.Sprint(got) != tt.want {
			t.Errorf("%s of %v: %v, %v, want %s", tt.give, tt.args, got, err, tt.want)
		}
	}
	list, itself := make([]any, 1), any(nil)
	list[0], itself = list, &itself
	for want, arg := range map[string]any{
		"contains itself": list, "or contains itself": itself, "Query parameter 'a' not found": sql.Named("b", 1), `a parameter whose name has more than letters`: sql.Named("a b", 1),
	} {
		query := "SELECT @a"
		if strings.Contains(want, "letters") {
			query = "SELECT @`a b`"
		}
		if err := db.QueryRowContext(t.Context(), query, arg).Scan(new(any)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", query, err, want)
		}
	}
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE t (a INT64, b STRING)"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "INSERT INTO t (b, a) VALUES (@b, @a)", sql.Named("a", 1), sql.Named("b", "x")); err != nil {
		t.Fatal(err)
	}
	res, err := db.ExecContext(t.Context(), "UPDATE t SET b = ? WHERE a = ?", "y", 1)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		t.Errorf("%d rows, %v", n, err)
	}
}

package extension_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/googlesql"
)

// TestSteps: each statement of a script is told as it runs, with its rows, in blocks and loops too; each has the parameters that
// it names.
func TestSteps(t *testing.T) {
	conn, err := openGoogleSQL(t).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	whole := googlesql.Type{Kind: googlesql.Int64}
	named := func(name string, v any) driver.NamedValue {
		return driver.NamedValue{Name: name, Ordinal: 1, Value: extension.TypedValue{Type: whole, Value: v}}
	}
	for _, tt := range []struct {
		give string
		args []driver.NamedValue
		want string
	}{
		{"SELECT 1; SELECT 2 AS b", nil, "SELECT 1 rows; SELECT 1 rows"},
		{"CREATE TEMP TABLE t (a INT64); INSERT t VALUES (1), (2); SELECT a FROM t; DROP TABLE t", nil,
			"CREATE TABLE 0 changed; INSERT 2 changed; SELECT 2 rows; DROP TABLE 0 changed"},
		{"DECLARE n INT64 DEFAULT @p; WHILE n > 0 DO SELECT n, @Q; SET n = n - 1; END WHILE; EXECUTE IMMEDIATE 'SELECT 7'",
			[]driver.NamedValue{named("p", int64(2)), named("q", int64(5))}, "SELECT 1 rows; SELECT 1 rows; SELECT 1 rows"},
		{"SELECT ?; BEGIN SELECT * FROM UNNEST(GENERATE_ARRAY(1, ?)); END", []driver.NamedValue{named("", int64(1)), named("", int64(3))},
			"SELECT 1 rows; SELECT 3 rows"},
		{"BEGIN SELECT ERROR('no'); EXCEPTION WHEN ERROR THEN SELECT 3; END", nil, "failed; SELECT 1 rows"},
		{"SELECT 1; SELECT x", nil, "SELECT 1 rows; failed; 1:18: Unrecognized name: x"},
		{"DECLARE x INT64 DEFAULT (SELECT 1); SET x = (SELECT MAX(v) FROM UNNEST([x, 3]) AS v); SET x = x + 1; IF x > (SELECT 3) THEN SELECT x, 'SELECT'; END IF", nil,
			"SELECT 1 rows; SELECT 1 rows; SELECT 1 rows; SELECT 1 rows"},
		{"IF @p IS NULL THEN RETURN; END IF; SELECT 1", []driver.NamedValue{named("p", nil)}, ""},
	} {
		var told []string
		err := conn.Raw(func(dc any) error {
			return dc.(interface {
				RunSteps(ctx context.Context, src string, args []driver.NamedValue, f extension.StepFunc) error
			}).RunSteps(t.Context(), tt.give, tt.args, func(s extension.Step, run func() (extension.StepResult, error)) error {
				r, err := run()
				rows := 0
				for err == nil && r.Chunks != nil {
					var chunk mapping.DataChunk
					if chunk, err = r.Chunks.Next(); err == nil {
						rows += int(mapping.DataChunkGetSize(chunk))
					}
				}
				if errors.Is(err, io.EOF) {
					err = r.Chunks.Close()
				}
				switch {
				case err != nil:
					told = append(told, "failed")
				case r.Chunks != nil:
					told = append(told, fmt.Sprintf("%s %d rows", r.Verb, rows))
				default:
					told = append(told, fmt.Sprintf("%s %d changed", r.Verb, r.Changed))
				}
				return err
			})
		})
		if err != nil {
			told = append(told, err.Error())
		}
		if got := strings.Join(told, "; "); !strings.Contains(got, tt.want) || tt.want == "" && got != "" {
			t.Errorf("%s:\n got %s\nwant %s", tt.give, got, tt.want)
		}
	}
}

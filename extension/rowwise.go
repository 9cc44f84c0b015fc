package extension

import (
	"context"
	"database/sql/driver"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2/mapping"
	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/udf"
)

// plan gives DuckDB's plan of a prepared query, in the form of EXPLAIN (FORMAT JSON); "" where there is none.
func plan(ctx context.Context, s *stmt) string {
	switch verb, _, _ := strings.Cut(s.plan.Verb, " "); verb {
	case "SELECT", "WITH", "FROM", "TABLE":
	default:
		return ""
	}
	p, err := duckapi.Prepared(s.inner)
	if err != nil {
		return ""
	}
	args := make([]driver.NamedValue, mapping.NParams(p))
	for i := range args {
		t := mapping.ParamLogicalType(p, mapping.IdxT(i+1))
		of, err := udf.TypeOf(t).GoogleSQL()
		mapping.DestroyLogicalType(&t)
		args[i] = driver.NamedValue{Ordinal: i + 1}
		if err == nil {
			args[i].Value = sample(of)
		}
		if name := mapping.ParameterName(p, mapping.IdxT(i+1)); strings.Trim(name, "0123456789") != "" {
			args[i].Name = name
		}
	}
	rows, err := s.on.duck.QueryContext(ctx, "EXPLAIN (FORMAT JSON) "+s.plan.SQL, args)
	if err != nil {
		return ""
	}
	defer rows.Close()
	row := make([]driver.Value, len(rows.Columns()))
	if rows.Next(row) != nil || len(row) < 2 {
		return ""
	}
	text, _ := row[1].(string)
	return text
}

// sample gives a value for a parameter: over NULL, DuckDB would see that a comparison never holds.
func sample(t googlesql.Type) any {
	switch t.Kind {
	case googlesql.Bool:
		return true
	case googlesql.Int64:
		return int64(7)
	case googlesql.Float64, googlesql.Numeric, googlesql.BigNumeric:
		return 7.5
	case googlesql.String:
		return "a text"
	case googlesql.Bytes:
		return []byte("bytes")
	case googlesql.Date, googlesql.DateTime, googlesql.Timestamp:
		return time.Unix(1e9, 0).UTC()
	}
	return nil
}

package extension

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/functions/udf"
	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/duckapi"
)

// rowWiseOperators are those of DuckDB's plans that give for each row what depends on that row alone. One that is not in the
// list may be anything. UNNEST gives several rows for one; a CTE is one of ours around a slow model's input, or one that is
// read once.
var rowWiseOperators = map[string]bool{
	"PROJECTION": true, "FILTER": true, "UNNEST": true, "INOUT_FUNCTION": true, "CTE": true, "CTE_SCAN": true,
	"SEQ_SCAN": true, "TABLE_SCAN": true, "READ_PARQUET": true, "READ_CSV": true, "READ_CSV_AUTO": true, "READ_JSON": true,
	"READ_JSON_AUTO": true, "READ_TEXT": true, "READ_BLOB": true,
}

// operator is a node of EXPLAIN (FORMAT JSON).
type operator struct {
	Name     string          `json:"name"`
	Children []operator      `json:"children"`
	Info     json.RawMessage `json:"extra_info"`
}

// rowWise tells by DuckDB's plan whether a prepared statement is row-wise over one relation, and which.
func (n *conn) rowWise(ctx context.Context, s *stmt) (bool, string) {
	switch verb, _, _ := strings.Cut(s.plan.verb, " "); verb {
	case "SELECT", "WITH", "FROM", "TABLE":
	default:
		return false, ""
	}
	p, err := duckapi.Prepared(s.inner)
	if err != nil {
		return false, ""
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
	rows, err := n.Conn.QueryContext(ctx, "EXPLAIN (FORMAT JSON) "+s.plan.sql, args)
	if err != nil {
		return false, ""
	}
	defer rows.Close()
	row := make([]driver.Value, len(rows.Columns()))
	if rows.Next(row) != nil || len(row) < 2 {
		return false, ""
	}
	text, _ := row[1].(string)
	var roots []operator
	if json.Unmarshal([]byte(text), &roots) != nil || len(roots) != 1 {
		return false, ""
	}
	var scanned []string
	if !roots[0].rowWise(&scanned) || len(scanned) != 1 {
		return false, ""
	}
	return true, scanned[0]
}

// rowWise goes through a plan and collects what it scans.
func (o operator) rowWise(scanned *[]string) bool {
	name := strings.TrimSpace(o.Name)
	if !rowWiseOperators[name] {
		return false
	}
	if len(o.Children) == 0 && name != "CTE_SCAN" {
		var info struct{ Table, Function string }
		_ = json.Unmarshal(o.Info, &info) // without, the operator's name stands for it
		switch {
		case info.Table != "":
			*scanned = append(*scanned, info.Table)
		case info.Function != "":
			*scanned = append(*scanned, strings.ToLower(strings.TrimSpace(info.Function)))
		default:
			*scanned = append(*scanned, strings.ToLower(name))
		}
	}
	for _, c := range o.Children {
		if !c.rowWise(scanned) {
			return false
		}
	}
	return true
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

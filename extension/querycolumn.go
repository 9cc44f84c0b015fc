package extension

import (
	"context"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/dialect"
	"github.com/mallardml/mallard/functions/udf"
	"github.com/mallardml/mallard/internal/duckapi"
)

// queryColumn is a column of a query's result.
type queryColumn struct {
	name string
	t    udf.Type
}

// inputColumns gives the columns of a call's input, or nil where they cannot be told by themselves (a correlated query).
func (w *writer) inputColumns(ctx context.Context, src string, c *dialect.Call, lang dialect.Lang) []queryColumn {
	text := src[c.Input.Pos:c.Input.End]
	if c.InputIsTable {
		text = "SELECT * FROM " + text
	}
	inner := &writer{cfg: w.cfg, cat: w.cat, models: w.models, describe: w.describe}
	sql, err := inner.input(ctx, text, lang)
	if err != nil {
		return nil
	}
	return w.describe(ctx, sql)
}

// queryColumns gives the columns of a query, or nil when it cannot be prepared.
func queryColumns(ctx context.Context, c *duckdb.Conn, sql string) []queryColumn {
	st, err := c.PrepareContext(ctx, sql)
	if err != nil {
		return nil
	}
	defer st.Close()
	ds, ok := st.(*duckdb.Stmt)
	if !ok {
		return nil
	}
	p, err := duckapi.Prepared(ds)
	if err != nil {
		return nil
	}
	var columns []queryColumn
	for i := range mapping.PreparedStatementColumnCount(p) {
		t := mapping.PreparedStatementColumnLogicalType(p, i)
		columns = append(columns, queryColumn{mapping.PreparedStatementColumnName(p, i), udf.TypeOf(t)})
		mapping.DestroyLogicalType(&t)
	}
	return columns
}

// named finds a column by its name, in any case.
func named(columns []queryColumn, name string) (queryColumn, bool) {
	for _, c := range columns {
		if strings.EqualFold(c.name, name) {
			return c, true
		}
	}
	return queryColumn{}, false
}

// nameList gives the names of columns.
func nameList(columns []queryColumn) []string {
	var names []string
	for _, c := range columns {
		names = append(names, c.name)
	}
	return names
}

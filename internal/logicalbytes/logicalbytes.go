// Package logicalbytes writes SQL of DuckDB's that counts the bytes of rows as BigQuery does for its prices
// (https://docs.cloud.google.com/bigquery/pricing#data).
package logicalbytes

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/quote"
)

// Exact is how many rows are counted one by one: of a table with more, stretches of it tell.
const Exact = 1 << 17

// stretches are how many parts of a larger table are counted, all over it.
const stretches = 16

// row writes the bytes of a row.
func row(columns []googlesql.Field) string {
	sizes := []string{"0"}
	for _, f := range columns {
		sizes = append(sizes, value(quote.Name(f.Name), f.Type, 0))
	}
	return strings.Join(sizes, " + ")
}

// value writes the bytes of a value: none of NULL.
func value(x string, t googlesql.Type, depth int) string {
	fixed := 8
	switch t.Kind {
	case googlesql.Bool:
		fixed = 1
	case googlesql.Numeric, googlesql.Interval, googlesql.Range:
		fixed = 16
	case googlesql.BigNumeric:
		fixed = 32
	case googlesql.String:
		return "coalesce(2 + strlen(" + x + "), 0)"
	case googlesql.Bytes:
		return "coalesce(2 + octet_length(" + x + "), 0)"
	case googlesql.JSON:
		return "coalesce(strlen(" + x + "::VARCHAR), 0)"
	case googlesql.Struct:
		sizes := []string{"0"}
		for i, f := range t.Fields {
			sizes = append(sizes, value("struct_extract_at("+x+", "+strconv.Itoa(i+1)+")", f.Type, depth))
		}
		return "(" + strings.Join(sizes, " + ") + ")"
	case googlesql.Array:
		e := "e" + strconv.Itoa(depth)
		return "coalesce(list_sum(list_transform(" + x + ", lambda " + e + ": " + value(e, *t.Elem, depth+1) + ")), 0)"
	}
	return "if(" + x + " IS NULL, 0, " + strconv.Itoa(fixed) + ")"
}

// Table writes a query for a table's number of rows and their bytes. from is the table, or a query of some of its rows in parentheses;
// rows, where it is known, is how many there are at about.
func Table(from string, columns []googlesql.Field, rows int64) string {
	each := row(columns)
	of := fmt.Sprintf("(FROM %s LIMIT %d)", from, Exact)
	if rows > Exact && !strings.HasPrefix(from, "(") {
		parts := make([]string, stretches)
		for i := range int64(stretches) {
			first := (rows - Exact/stretches) / (stretches - 1) * i
			parts[i] = fmt.Sprintf("SELECT %s AS bytes FROM %s WHERE rowid >= %d AND rowid < %d", each, from, first, first+Exact/stretches)
		}
		of, each = "("+strings.Join(parts, " UNION ALL ")+")", "bytes"
	}
	return "SELECT rows, CASE WHEN counted = 0 THEN 0 ELSE (bytes::DOUBLE * rows / counted)::BIGINT END FROM (SELECT count(*) AS rows FROM " +
		from + "), (SELECT count(*) AS counted, coalesce(sum(" + each + "), 0) AS bytes FROM " + of + ")"
}

// Of are the columns of some names.
func Of(columns []googlesql.Field, names []string) []googlesql.Field {
	return slices.DeleteFunc(slices.Clone(columns), func(f googlesql.Field) bool { return !slices.Contains(names, f.Name) })
}

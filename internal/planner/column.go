package planner

import (
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/udf"
)

// Column is a column of a query's result.
type Column struct {
	Name string
	Type udf.Type
}

// named finds a column by its name, in any case.
func named(columns []Column, name string) (Column, bool) {
	for _, c := range columns {
		if strings.EqualFold(c.Name, name) {
			return c, true
		}
	}
	return Column{}, false
}

// nameList gives the names of columns.
func nameList(columns []Column) []string {
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
	}
	return names
}

// inputColumn is a column that a call reads, with the DuckDB type that suits it.
type inputColumn struct{ name, sqlType string }

// googleSQL is the GoogleSQL type that suits the column; "" when it is not known.
func (c inputColumn) googleSQL() string {
	name, list := strings.CutSuffix(c.sqlType, "[]")
	kind, err := googlesql.FromDuckDB(name)
	switch {
	case err != nil:
		return ""
	case list:
		return "ARRAY<" + kind.String() + ">"
	}
	return kind.String()
}

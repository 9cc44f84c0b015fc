package extension

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/dialect"
)

// Scan is a table that a statement reads, once or more often, behind views too, and the columns whose values it needs.
type Scan struct {
	Table   []string // database, schema, table
	Columns []string // as the table has them; of a STRUCT the column
}

// scans asks DuckDB's plan what the statement would read. whole is false where the plan has what is no table's scan: files, functions, and
// what DuckDB leaves out since it has no rows.
func (on *analyzer) scans(ctx context.Context, src string, st dialect.Statement, args []driver.NamedValue) (all []Scan, whole bool,
	err error) {
	text := ""
	err = on.run(ctx, src, st, func(x *execution) error {
		x.plan.SQL = "EXPLAIN (FORMAT json) " + x.plan.SQL
		rows, err := x.query(args)
		if err != nil {
			return err
		}
		all, err := readAll(rows)
		for _, row := range all {
			text, _ = row[len(row)-1].(string)
		}
		return err
	})
	if err != nil {
		return nil, false, err
	}
	var plan []planNode
	if err := json.Unmarshal([]byte(text), &plan); err != nil {
		return nil, false, fmt.Errorf("DuckDB's plan of the statement: %w", err)
	}
	whole = true
	for _, n := range plan {
		n.scans(&all, &whole)
	}
	return all, whole, nil
}

// planNode is a step of DuckDB's plan.
type planNode struct {
	Name     string
	Children []planNode
	Extra    map[string]any `json:"extra_info"`
}

func (n planNode) scans(all *[]Scan, whole *bool) {
	for _, c := range n.Children {
		c.scans(all, whole)
	}
	table, ok := n.Extra["Table"].(string)
	path, err := catalog.SplitName(table)
	switch name := strings.TrimSpace(n.Name); {
	case ok && err == nil && strings.HasSuffix(name, "_SCAN"):
		i := slices.IndexFunc(*all, func(s Scan) bool { return slices.Equal(s.Table, path) })
		if i < 0 {
			i = len(*all)
			*all = append(*all, Scan{Table: path})
		}
		s := &(*all)[i]
		for _, p := range append(planTexts(n.Extra["Projections"]), planTexts(n.Extra["Filters"])...) {
			if l := dialect.Lexemes(p); len(l) > 0 && !slices.Contains(s.Columns, l[0].Text) {
				s.Columns = append(s.Columns, l[0].Text)
			}
		}
	case ok, len(n.Children) == 0 && !slices.Contains([]string{"DUMMY_SCAN", "COLUMN_DATA_SCAN", "CTE_SCAN", "DELIM_SCAN"}, name):
		*whole = false
	}
}

// planTexts are those of an entry that has one, or a list of them.
func planTexts(v any) (all []string) {
	switch x := v.(type) {
	case string:
		all = append(all, x)
	case []any:
		for _, e := range x {
			all = append(all, fmt.Sprint(e))
		}
	}
	return all
}

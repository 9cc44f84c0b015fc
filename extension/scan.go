package extension

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/duckapi"
)

// Scan is a table that a statement reads, once or more often, behind views too, and the columns whose values it needs.
type Scan struct {
	Table   []string // database, schema, table
	Columns []string // as the table has them; of a STRUCT the column
}

// scansOf reads DuckDB's plan of a statement, in the form of EXPLAIN (FORMAT JSON). whole is false where the plan has what is no table's
// scan: files, functions, and what DuckDB leaves out since it has no rows.
func scansOf(text string) (all []Scan, whole bool, err error) {
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

// explain gives DuckDB's plan of a planned text.
func (s *session) explain(ctx context.Context, sql string, args []driver.NamedValue) (text string, err error) {
	defer duckapi.Interrupting(ctx, s.h)()
	inner, err := s.duck.PrepareContext(ctx, "EXPLAIN (FORMAT JSON) "+sql)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, inner.Close()) }()
	st := inner.(*duckdb.Stmt)
	if err := duckapi.Bind(ctx, st, args); err != nil {
		return "", err
	}
	rows, err := st.QueryBound(ctx)
	if err != nil {
		return "", err
	}
	all, err := readAll(rows)
	for _, row := range all {
		text, _ = row[len(row)-1].(string)
	}
	return text, err
}

// scans tells what a planned statement would read.
func (s *stmt) scans(ctx context.Context, args []driver.NamedValue) (all []Scan, whole bool, err error) {
	text, err := s.on.explain(ctx, s.plan.SQL, args)
	if err == nil {
		all, whole, err = scansOf(text)
	}
	if err != nil {
		x := s.on.execute(ctx, s.src)
		defer x.done()
		x.plan, x.st = s.plan, &s.st
		err = x.fault(err)
	}
	return all, whole, err
}

type scansKey struct{}

// ScansFunc is told what a statement will read; whole says that it reads nothing but these tables. Its error ends the statement.
type ScansFunc func(ctx context.Context, all []Scan, whole bool) error

// WithScans tells f of what each step reads before it runs.
func WithScans(ctx context.Context, f ScansFunc) context.Context {
	return context.WithValue(ctx, scansKey{}, f)
}

// tellScans tells what the statement will read. What DuckDB cannot plan tells what is wrong when it runs.
func (x *execution) tellScans(args []driver.NamedValue) error {
	tell, ok := x.ctx.Value(scansKey{}).(ScansFunc)
	if !ok {
		return nil
	}
	switch verb, rest, _ := strings.Cut(x.plan.Verb, " "); {
	case slices.Contains([]string{"SELECT", "WITH", "FROM", "VALUES", "INSERT", "UPDATE", "DELETE", "MERGE"}, verb):
	case verb == "CREATE" && rest == "TABLE":
	default:
		return nil
	}
	text, err := x.s.explain(x.ctx, x.plan.SQL, args)
	if err != nil {
		return nil
	}
	all, whole, err := scansOf(text)
	if err != nil {
		return nil
	}
	return tell(x.ctx, all, whole)
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

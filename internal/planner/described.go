package planner

import (
	"context"
	"fmt"
	"slices"

	"github.com/duckdb/duckdb-go/v2/mapping"
	native "github.com/mallardml/mallard/functions/googlesql"
	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/translator"
	"github.com/mallardml/mallard/internal/googlesql/writer"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/udf"
)

// described describes tables to the translator.
type described struct{ *expander }

// withPartitionColumns makes pseudo-columns of the time of ingestion, if a table has it.
func withPartitionColumns(all []translator.Column) []translator.Column {
	at := slices.IndexFunc(all, func(c translator.Column) bool { return c.Name == writer.PartitionTime })
	if at < 0 {
		return all
	}
	c := all[at]
	c.Pseudo = true
	date := translator.Column{Name: writer.PartitionDate, Type: googlesql.Type{Kind: googlesql.Date}, Pseudo: true,
		Expr: "CAST(timezone('UTC', " + c.Expr + ") AS DATE)"}
	return append(slices.Delete(all, at, at+1), c, date)
}

// columns gives those that GoogleSQL has types for.
func (d described) columns(all []Column) []translator.Column {
	var known []translator.Column
	for _, c := range all {
		of, err := c.Type.GoogleSQL()
		if err != nil {
			continue
		}
		x := quote.Name(c.Name)
		if c.Type.String() != of.DuckDB() {
			x = "CAST(" + x + " AS " + of.DuckDB() + ")"
		}
		known = append(known, translator.Column{Name: c.Name, Type: of, Expr: x, Digits: digits(c.Type)})
	}
	return known
}

// digits are those of a type of numbers.
func digits(t udf.Type) writer.Digits {
	if t.Kind == mapping.TypeDecimal {
		return writer.Digits{Width: int(t.Width), Scale: int(t.Scale)}
	}
	return writer.Digits{Width: map[mapping.Type]int{
		mapping.TypeTinyInt: 3, mapping.TypeUTinyInt: 3, mapping.TypeSmallInt: 5, mapping.TypeUSmallInt: 5, mapping.TypeInteger: 10,
		mapping.TypeUInteger: 10,
	}[t.Kind]}
}

// Routine implements [translator.Database].
func (d described) Routine(ctx context.Context, path []string) (*writer.Routine, error) {
	parts, err := d.Catalog.WithoutProject(ctx, splitPath(path))
	if err != nil {
		return nil, err
	}
	parts[len(parts)-1] = writer.RoutineName(parts[len(parts)-1])
	view := quote.Path(parts...)
	if columns := d.Describe(ctx, "SELECT * FROM "+view); len(columns) != 3 || columns[0].Name != "mallard_routine" {
		return nil, translator.ErrNotFound
	}
	rows, err := d.Catalog.Rows(ctx, "SELECT mallard_routine, kind, definition FROM "+view)
	if err != nil || len(rows) != 1 {
		return nil, err
	}
	if rows[0][0] != writer.RoutineFormat {
		return nil, fmt.Errorf("function %s is of another version of Mallard", quote.Path(path...))
	}
	return writer.DecodeRoutine(fmt.Sprint(rows[0][1]), fmt.Sprint(rows[0][2]))
}

// Place implements [translator.Database].
func (d described) Place(ctx context.Context, path []string) (string, error) {
	parts, err := d.parts(ctx, path)
	return quote.Path(parts...), err
}

// Value implements [translator.Database].
func (d described) Value(ctx context.Context, sql string) (any, error) {
	rows, err := d.Catalog.Rows(ctx, "SELECT "+sql)
	if err != nil {
		return nil, err
	}
	return rows[0][0], nil
}

// Variables implements [translator.Database].
func (d described) Variables() []translator.Variable { return d.Planner.Variables() }

// Function implements [translator.Database].
func (d described) Function(name string) string {
	return "system.main." + d.Models.FunctionName(native.Prefix+name)
}

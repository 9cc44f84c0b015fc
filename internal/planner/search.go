package planner

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/spelling"
	"github.com/mallardml/mallard/internal/udf"
	"github.com/mallardml/mallard/objecttable"
)

// tableFunction writes VECTOR_SEARCH, EXTERNAL_OBJECT_TRANSFORM and RANGE_SESSIONIZE; "" leaves a table function of the user's own.
func (ex *expander) tableFunction(ctx context.Context, f *dialect.TableFunction, args []string) (string, error) {
	var sql string
	var err error
	if ex.plan != nil {
		ex.plan.uses = append(ex.plan.uses, use{Span: f.Span, name: f.Name})
	}
	switch f.Name {
	case "VECTOR_SEARCH":
		sql, err = ex.vectorSearch(ctx, f, args)
	case "EXTERNAL_OBJECT_TRANSFORM":
		sql, err = ex.objectTransform(ctx, f, args)
	case "RANGE_SESSIONIZE":
		sql, err = ex.rangeSessionize(ctx, f, args)
	default:
		err = errors.New(f.Name + " is not part of this version")
	}
	return sql, dialect.At(f.Span, err)
}

// searched is a call of VECTOR_SEARCH, as far as it was read.
type searched struct {
	*expander
	objecttable.VectorSearch
	base, query []Column                // when they are known
	spans       map[string]dialect.Span // of the arguments, by name
}

// searchPositions are the arguments that may stand without a name; the column of the query may stand fourth, as in older calls.
var searchPositions = [...]string{"base table", "column to search", "query table", "query_column_to_search"}

// vectorSearch writes VECTOR_SEARCH({TABLE base | (query)}, 'column', {TABLE q | (query)} …) and its form with query_value
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/search_functions#vector_search).
func (ex *expander) vectorSearch(ctx context.Context, f *dialect.TableFunction, args []string) (string, error) {
	v := &searched{expander: ex, spans: map[string]dialect.Span{}}
	place := 0
	for i, a := range f.Args {
		name := a.Name
		if name == "" {
			if place == len(searchPositions) {
				return "", dialect.At(a.Span, errors.New("VECTOR_SEARCH: the arguments from here on need names, such as top_k => 10"))
			}
			name = searchPositions[place]
			place++
		}
		v.spans[name] = a.Span
		if err := v.argument(ctx, name, a, args[i]); err != nil {
			return "", err
		}
	}
	if c, ok := named(v.query, v.LookFor()); ok && v.QueryColumn == "" {
		if err := wantsVector(fmt.Sprintf("column `%s` of the query table", c.Name), c.Type); err != nil {
			return "", dialect.At(v.spans["query table"], fmt.Errorf("%w; name another with query_column_to_search => '…'", err))
		}
	}
	sql, err := v.SQL()
	var wrong *objecttable.SearchError
	if errors.As(err, &wrong) {
		if span, ok := v.spans[wrong.Argument]; ok {
			err = dialect.At(span, err)
		}
	}
	return sql, err
}

// argument reads one argument, whose SQL is given too.
func (v *searched) argument(ctx context.Context, name string, a dialect.Argument, sql string) (err error) {
	switch name {
	case "base table", "query table":
		return v.table(ctx, name, a, sql)
	case "column to search":
		v.Column, err = searchedColumn(a, name, "base table", v.base)
	case "query_column_to_search":
		v.QueryColumn, err = searchedColumn(a, name, "query table", v.query)
	case "distance_type":
		v.DistanceType, err = searchedText(a, name)
	case "options":
		v.Options, err = searchedText(a, name)
	case "query_value":
		v.QueryValue = sql
		if !a.Query {
			sql = "SELECT " + sql
		}
		if c := v.Describe(ctx, sql); len(c) == 1 && (a.Const == nil || a.Const.Kind != dialect.Null) {
			err = dialect.At(a.Span, wantsVector("query_value", c[0].Type))
		}
	case "top_k":
		if a.Const == nil || a.Const.Kind != dialect.Int || a.Const.Int == 0 {
			return dialect.At(a.Span, errors.New("VECTOR_SEARCH: top_k must be an INT64 constant: how many of the nearest are wanted, "+
				"or a negative number for all"))
		}
		v.TopK = a.Const.Int
	default:
		names := []string{"query_column_to_search", "query_value", "top_k", "distance_type", "options"}
		err := fmt.Errorf("VECTOR_SEARCH has no argument `%s`; it takes %s", name, strings.Join(names, ", "))
		return dialect.At(a.NameSpan, spelling.Meant(err, name, names))
	}
	return err
}

// table reads the table that is searched, or that of what is looked for.
func (v *searched) table(ctx context.Context, name string, a dialect.Argument, sql string) error {
	if !a.Query && a.Table == nil {
		return dialect.At(a.Span, fmt.Errorf("VECTOR_SEARCH: the %s is written TABLE name or (query)", name))
	}
	columns := v.Describe(ctx, sql)
	written := ""
	if a.Table != nil {
		written = a.Table.String()
	}
	if name == "base table" {
		v.Base, v.BaseName, v.base = sql, written, columns
	} else {
		v.Query, v.QueryName, v.query, v.QueryColumns = sql, written, columns, nameList(columns)
	}
	return nil
}

// searchedText reads an argument that is a text.
func searchedText(a dialect.Argument, name string) (string, error) {
	if a.Const == nil || a.Const.Kind != dialect.String {
		return "", dialect.At(a.Span, fmt.Errorf("VECTOR_SEARCH: %s must be a STRING constant", name))
	}
	return a.Const.Str, nil
}

// searchedColumn reads the name of a column that must be one of these; an unknown list holds every name.
func searchedColumn(a dialect.Argument, argument, table string, columns []Column) (string, error) {
	name, err := searchedText(a, argument)
	if err != nil || columns == nil {
		return name, err
	}
	c, ok := named(columns, name)
	if !ok {
		names := nameList(columns)
		err := fmt.Errorf("VECTOR_SEARCH: `%s` is no column of the %s, which has %s", name, table, strings.Join(names, ", "))
		return "", dialect.At(a.Span, spelling.Meant(err, name, names))
	}
	return name, dialect.At(a.Span, wantsVector(fmt.Sprintf("column `%s` of the %s", name, table), c.Type))
}

// wantsVector refuses what is no list of numbers; a type that is not known before the statement runs may be one.
func wantsVector(what string, t udf.Type) error {
	switch t.Kind {
	case mapping.TypeSQLNull, mapping.TypeInvalid, mapping.TypeAny:
		return nil
	case mapping.TypeList, mapping.TypeArray:
		switch e := t.Children[0]; e.Kind {
		case mapping.TypeFloat, mapping.TypeDouble, mapping.TypeDecimal, mapping.TypeSQLNull, mapping.TypeInvalid,
			mapping.TypeTinyInt, mapping.TypeSmallInt, mapping.TypeInteger, mapping.TypeBigInt, mapping.TypeHugeInt,
			mapping.TypeUTinyInt, mapping.TypeUSmallInt, mapping.TypeUInteger, mapping.TypeUBigInt, mapping.TypeUHugeInt:
			return nil
		}
	}
	return fmt.Errorf("VECTOR_SEARCH: %s must be an ARRAY<FLOAT64>, such as an embedding, and is %s", what, t)
}

// objectTransform writes EXTERNAL_OBJECT_TRANSFORM(TABLE t, ['SIGNED_URL'])
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/table-functions-built-in#external_object_transform).
func (ex *expander) objectTransform(ctx context.Context, f *dialect.TableFunction, args []string) (string, error) {
	const form = "EXTERNAL_OBJECT_TRANSFORM is written EXTERNAL_OBJECT_TRANSFORM(TABLE object_table, ['SIGNED_URL'])"
	if len(f.Args) != 2 || f.Args[0].Table == nil || f.Args[1].Const == nil || f.Args[1].Const.Kind != dialect.Array {
		return "", errors.New(form)
	}
	list := f.Args[1].Const.List
	if len(list) != 1 || list[0].Kind != dialect.String || !strings.EqualFold(list[0].Str, "SIGNED_URL") {
		return "", dialect.At(f.Args[1].Span, errors.New("EXTERNAL_OBJECT_TRANSFORM knows one transform: ['SIGNED_URL']"))
	}
	if _, ok, err := ex.objectTable(ctx, f.Args[0].Table.Parts); err != nil {
		return "", dialect.At(f.Args[0].Span, err)
	} else if !ok {
		return "", dialect.At(f.Args[0].Span, fmt.Errorf("`%s` is no object table; EXTERNAL_OBJECT_TRANSFORM reads one", f.Args[0].Table))
	}
	return "(SELECT __o.*, system.main.object_signed_url(__o.uri, __o.ref.authorizer) AS signed_url FROM (" + args[0] + "\n) AS __o)", nil
}

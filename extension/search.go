package extension

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/mallardml/mallard/dialect"
	"github.com/mallardml/mallard/objecttable"
)

// vectorSearch writes VECTOR_SEARCH({TABLE base | (query)}, 'column', {TABLE q | (query)} …) and its form with query_value
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/search_functions#vector_search). The column of the
// query may also stand fourth, as in older calls.
func (w *writer) vectorSearch(ctx context.Context, f *dialect.TableFunction, args []string) (string, error) {
	var v objecttable.VectorSearch
	var base []string // its columns, when they are known
	positions := []string{"base table", "column to search", "query table", "query_column_to_search"}
	place := 0
	for i, a := range f.Args {
		name := a.Name
		if name == "" {
			if place == len(positions) {
				return "", at(a.Span, errors.New("VECTOR_SEARCH: the arguments from here on need names, such as top_k => 10"))
			}
			name = positions[place]
			place++
		}
		table := a.Query || a.Table != nil
		text := func() (string, error) {
			if a.Const == nil || a.Const.Kind != dialect.String {
				return "", at(a.Span, fmt.Errorf("VECTOR_SEARCH: %s must be a STRING constant", name))
			}
			return a.Const.Str, nil
		}
		// column reads the name of a column that must be one of these; an unknown list holds every name.
		column := func(what string, columns []string) (string, error) {
			name, err := text()
			if err == nil && columns != nil && !contains(columns, name) {
				err = at(a.Span, fmt.Errorf("VECTOR_SEARCH: `%s` is no column of the %s, which has %s", name, what, strings.Join(columns, ", ")))
			}
			return name, err
		}
		var err error
		switch name {
		case "base table", "query table":
			if !table {
				return "", at(a.Span, fmt.Errorf("VECTOR_SEARCH: the %s is written TABLE name or (query)", name))
			}
			columns := nameList(queryColumns(ctx, w.conn.Conn, args[i]))
			if name == "base table" {
				v.Base, base = args[i], columns
			} else {
				v.Query, v.QueryColumns = args[i], columns
			}
		case "column to search":
			v.Column, err = column("base table", base)
		case "query_column_to_search":
			v.QueryColumn, err = column("query table", v.QueryColumns)
		case "distance_type":
			v.DistanceType, err = text()
		case "options":
			v.Options, err = text()
		case "query_value":
			v.QueryValue = args[i]
		case "top_k":
			if a.Const == nil || a.Const.Kind != dialect.Int || a.Const.Int == 0 {
				return "", at(a.Span, errors.New("VECTOR_SEARCH: top_k must be an INT64 constant from 1; a negative one takes all"))
			}
			v.TopK = a.Const.Int
		default:
			return "", at(a.Span, fmt.Errorf("VECTOR_SEARCH has no argument `%s`; it takes query_column_to_search, query_value, top_k, distance_type and options", name))
		}
		if err != nil {
			return "", err
		}
	}
	return v.SQL()
}

// objectTransform writes EXTERNAL_OBJECT_TRANSFORM(TABLE t, ['SIGNED_URL'])
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/table-functions-built-in#external_object_transform).
func (w *writer) objectTransform(ctx context.Context, f *dialect.TableFunction, args []string) (string, error) {
	const form = "EXTERNAL_OBJECT_TRANSFORM is written EXTERNAL_OBJECT_TRANSFORM(TABLE object_table, ['SIGNED_URL'])"
	if len(f.Args) != 2 || f.Args[0].Table == nil || f.Args[1].Const == nil || f.Args[1].Const.Kind != dialect.Array {
		return "", errors.New(form)
	}
	list := f.Args[1].Const.List
	if len(list) != 1 || list[0].Kind != dialect.String || !strings.EqualFold(list[0].Str, "SIGNED_URL") {
		return "", at(f.Args[1].Span, errors.New("EXTERNAL_OBJECT_TRANSFORM knows one transform: ['SIGNED_URL']"))
	}
	if _, ok, err := w.objectTable(ctx, f.Args[0].Table.Parts); err != nil {
		return "", at(f.Args[0].Span, err)
	} else if !ok {
		return "", at(f.Args[0].Span, fmt.Errorf("`%s` is no object table; EXTERNAL_OBJECT_TRANSFORM reads one", f.Args[0].Table))
	}
	return "(SELECT __o.*, system.main.object_signed_url(__o.uri, __o.ref.authorizer) AS signed_url FROM (" + args[0] + "\n) AS __o)", nil
}

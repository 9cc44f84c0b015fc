package analyzer

import (
	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"google.golang.org/protobuf/proto"
)

// Catalog is what the names of a statement stand for.
type Catalog struct {
	Tables         []Table
	Functions      []*resolved.FunctionProto
	TableFunctions []*resolved.TableValuedFunctionProto
	Inline         bool // the table functions' texts take the place of their calls
	Procedures     []*resolved.ProcedureProto
	Connections    []string
	Constants      []googlesql.Field // the variables of a script; their values are not needed
}

// Table is a table or view.
type Table struct {
	Path       []string // as the statement names it: `a.b.c` in one pair of backticks is one part
	Columns    []googlesql.Field
	Pseudo     int  // so many columns at the end are no part of SELECT *
	ValueTable bool // its only column is the row
}

// message writes the catalog as the service reads it. The number of a table is its serialization id.
func (c *Catalog) message(language *resolved.LanguageOptionsProto) *resolved.SimpleCatalogProto {
	root := &resolved.SimpleCatalogProto{
		Name:                   proto.String("catalog"),
		BuiltinFunctionOptions: &resolved.ZetaSQLBuiltinFunctionOptionsProto{LanguageOptions: language},
		CustomFunction:         missing(),
	}
	for _, f := range append(lackingFunctions(), c.Functions...) {
		at := folder(root, f.NamePath)
		at.CustomFunction = append(at.CustomFunction, f)
	}
	for _, p := range c.Procedures {
		at := folder(root, p.NamePath)
		at.Procedure = append(at.Procedure, p)
	}
	for _, f := range c.TableFunctions {
		at := folder(root, f.NamePath)
		at.CustomTvf = append(at.CustomTvf, f)
	}
	for i, t := range c.Tables {
		at := folder(root, t.Path)
		table := &resolved.SimpleTableProto{
			Name:                      proto.String(t.Path[len(t.Path)-1]),
			SerializationId:           proto.Int64(int64(i)),
			IsValueTable:              proto.Bool(t.ValueTable),
			AllowDuplicateColumnNames: proto.Bool(false),
		}
		for i, f := range t.Columns {
			table.Column = append(table.Column, &resolved.SimpleColumnProto{
				Name: proto.String(f.Name), Type: TypeProto(f.Type), IsPseudoColumn: proto.Bool(i >= len(t.Columns)-t.Pseudo),
			})
		}
		at.Table = append(at.Table, table)
	}
	for _, v := range c.Constants {
		root.Constant = append(root.Constant, &resolved.SimpleConstantProto{NamePath: []string{v.Name}, Type: TypeProto(v.Type),
			Value: &resolved.ValueProto{}})
	}
	for _, name := range c.Connections {
		root.Connection = append(root.Connection, &resolved.SimpleConnectionProto{Name: proto.String(name)})
	}
	return root
}

// folder is the catalog in which a path ends.
func folder(root *resolved.SimpleCatalogProto, path []string) *resolved.SimpleCatalogProto {
	for _, part := range path[:len(path)-1] {
		root = child(root, part)
	}
	return root
}

func child(of *resolved.SimpleCatalogProto, name string) *resolved.SimpleCatalogProto {
	for _, c := range of.Catalog {
		if c.GetName() == name {
			return c
		}
	}
	c := &resolved.SimpleCatalogProto{Name: proto.String(name)}
	of.Catalog = append(of.Catalog, c)
	return c
}

// lackingFunctions are BigQuery's functions that are none of Google's analyzer.
func lackingFunctions() []*resolved.FunctionProto {
	argument := func(kind resolved.SignatureArgumentKind, t googlesql.Kind) *resolved.FunctionArgumentTypeProto {
		a := &resolved.FunctionArgumentTypeProto{Kind: &kind, NumOccurrences: proto.Int32(-1)}
		if t != 0 {
			a.Type = TypeProto(googlesql.Type{Kind: t})
		}
		return a
	}
	fixed := resolved.SignatureArgumentKind_ARG_TYPE_FIXED
	return []*resolved.FunctionProto{{
		NamePath: []string{"contains_substr"}, Group: proto.String("mallard"), Mode: resolved.FunctionEnums_SCALAR.Enum(),
		Signature: []*resolved.FunctionSignatureProto{{
			ReturnType: argument(fixed, googlesql.Bool),
			Argument: []*resolved.FunctionArgumentTypeProto{argument(resolved.SignatureArgumentKind_ARG_TYPE_ARBITRARY, 0),
				argument(fixed, googlesql.String)},
		}},
	}}
}

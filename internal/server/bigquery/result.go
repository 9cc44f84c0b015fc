package bigquery

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/udf"
)

// result is what a query gave: the rows of a table, which is in the anonymous dataset but for queries with a destination of their own.
type result struct {
	columns []googlesql.Field
	table   string // as DuckDB's SQL calls it; "" for none
	rows    int64
	bytes   int64 // about what its rows take in memory
	own     bool  // the table is the job's, and goes with it
	users   atomic.Int32
}

// shared is the result for one more user.
func (r *result) shared() *result {
	if r != nil {
		r.users.Add(1)
	}
	return r
}

// release ends the use of a result by whoever had it.
func (s *Service) release(r *result) {
	if err := r.drop(context.Background(), s); err != nil {
		s.Logger.Warn("a result was not dropped", "table", r.table, "error", err)
	}
}

// chunked is a connection of Mallard's that gives chunks of DuckDB's.
type chunked interface {
	QueryChunks(ctx context.Context, query string, args []driver.NamedValue) (*duckapi.Chunks, error)
	Raw() *duckdb.Conn
	Changed(database, schema, table string)
}

// raw lends the driver's connection under c.
func raw(c *sql.Conn, f func(chunked) error) error {
	return c.Raw(func(dc any) error {
		n, ok := dc.(chunked)
		if !ok {
			return fmt.Errorf("a connection of type %T gives no chunks", dc)
		}
		return f(n)
	})
}

// columnsOf gives the columns of a result with GoogleSQL's types. Those without a name get BigQuery's: f0_, f1_ and so on.
func columnsOf(res *mapping.Result) ([]googlesql.Field, error) {
	var columns []googlesql.Field
	seen := map[string]bool{}
	for i := range mapping.ColumnCount(res) {
		t := mapping.ColumnLogicalType(res, i)
		of, err := typeOf(udf.TypeOf(t))
		mapping.DestroyLogicalType(&t)
		name := mapping.ColumnName(res, i)
		if err != nil {
			return nil, fault(400, "invalidQuery", "column %s: %v", name, err)
		}
		if key := strings.ToLower(name); seen[key] {
			return nil, fault(400, "invalidQuery", "Duplicate column names in the result are not supported. Found duplicate(s): %s", name)
		} else {
			seen[key] = true
		}
		columns = append(columns, googlesql.Field{Name: name, Type: of})
	}
	return columns, nil
}

// typeOf is GoogleSQL's type of a column. Fields without a name get BigQuery's: _field_1, _field_2 and so on; a column of NULLs is INT64.
func typeOf(t udf.Type) (googlesql.Type, error) {
	if t.Kind == mapping.TypeSQLNull {
		return googlesql.Type{Kind: googlesql.Int64}, nil
	}
	of, err := t.GoogleSQL()
	return named(of), err
}

func named(t googlesql.Type) googlesql.Type {
	if t.Elem != nil {
		elem := named(*t.Elem)
		t.Elem = &elem
	}
	fields := make([]googlesql.Field, len(t.Fields))
	for i, f := range t.Fields {
		fields[i] = googlesql.Field{Name: f.Name, Type: named(f.Type)}
		if f.Name == "" {
			fields[i].Name = fmt.Sprintf("_field_%d", i+1)
		}
	}
	if t.Fields != nil {
		t.Fields = fields
	}
	return t
}

// definition is the columns of a table in DuckDB's SQL.
func definition(columns []googlesql.Field) (string, error) {
	parts := make([]string, len(columns))
	for i, c := range columns {
		of := c.Type.DuckDB()
		if of == "" {
			return "", fault(400, "invalidQuery", "column %s: %s is a type that no value is kept in", c.Name, c.Type)
		}
		parts[i] = quote.Name(c.Name) + " " + of
	}
	return "(" + strings.Join(parts, ", ") + ")", nil
}

// keep reads a result into a table of the anonymous dataset, chunk by chunk: no row is held twice.
func (s *Service) keep(ctx context.Context, from *duckapi.Chunks, name string) (r *result, err error) {
	columns, err := columnsOf(&from.Result)
	if err != nil {
		return nil, err
	}
	r = &result{columns: columns, table: quote.Path(Anonymous, "main", name), own: true}
	r.users.Store(1)
	if len(columns) == 0 {
		r.table = ""
		return r, nil
	}
	def, err := definition(columns)
	if err != nil {
		return nil, err
	}
	c, err := s.DB.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	err = raw(c, func(n chunked) error {
		if _, err := n.Raw().ExecContext(ctx, "CREATE TABLE "+r.table+" "+def, nil); err != nil {
			return err
		}
		h, err := duckapi.Connection(n.Raw())
		if err == nil {
			err = r.append(ctx, h, from, Anonymous, "main", name, s.Limits.Bytes)
		}
		if err != nil {
			_, drop := n.Raw().ExecContext(context.WithoutCancel(ctx), "DROP TABLE "+r.table, nil)
			return errors.Join(err, drop)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r, err
}

// append puts the chunks into the table: as many bytes as are allowed, where most is not 0.
func (r *result) append(ctx context.Context, h mapping.Connection, from *duckapi.Chunks, database, schema, name string, most int64) error {
	var a mapping.Appender
	defer func() { mapping.AppenderDestroy(&a) }()
	if mapping.AppenderCreateExt(h, database, schema, name, &a) == mapping.StateError {
		return fmt.Errorf("keeping the result: %s", mapping.AppenderError(a))
	}
	types := make([]udf.Type, mapping.ColumnCount(&from.Result))
	for i := range types {
		t := mapping.ColumnLogicalType(&from.Result, mapping.IdxT(i))
		types[i] = udf.TypeOf(t)
		mapping.DestroyLogicalType(&t)
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		chunk, err := from.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		size := int(mapping.DataChunkGetSize(chunk))
		r.rows += int64(size)
		for i, of := range types {
			v := mapping.DataChunkGetVector(chunk, mapping.IdxT(i))
			r.bytes += vectorBytes(v, of, size)
			if hasLists(of) && nullElement(v, of, 0, size) {
				return fault(400, "invalidQuery", "Array cannot have a null element; error in writing field %s", r.columns[i].Name)
			}
		}
		if most > 0 && r.bytes > most {
			return fault(403, "responseTooLarge", "Response too large to return: more than %d bytes are not kept. "+
				"Consider specifying a destination table in your job configuration.", most)
		}
		if mapping.AppendDataChunk(a, chunk) == mapping.StateError {
			return fmt.Errorf("keeping the result: %s", mapping.AppenderError(a))
		}
	}
	if mapping.AppenderClose(a) == mapping.StateError {
		return fmt.Errorf("keeping the result: %s", mapping.AppenderError(a))
	}
	return nil
}

// from is the query of rows from one on. Those of a table of the job's have the numbers of their places.
func (r *result) from(first, most int64) string {
	if r.own {
		return fmt.Sprintf("SELECT * FROM %s WHERE rowid >= %d AND rowid < %d", r.table, first, first+most)
	}
	return fmt.Sprintf("SELECT * FROM %s LIMIT %d OFFSET %d", r.table, most, first)
}

// vectorBytes is about what the first rows of a vector take.
func vectorBytes(v mapping.Vector, t udf.Type, rows int) int64 {
	each := int64(8)
	switch t.Kind {
	case mapping.TypeVarchar, mapping.TypeBlob, mapping.TypeBit, mapping.TypeGeometry, mapping.TypeBigNum:
		sum := 16 * int64(rows)
		for c, row := udf.Read(v), 0; row < rows; row++ {
			if !c.Null(row) {
				sum += int64(len(c.Text(row)))
			}
		}
		return sum
	case mapping.TypeList:
		return 16*int64(rows) + vectorBytes(mapping.ListVectorGetChild(v), t.Children[0], int(mapping.ListVectorGetSize(v)))
	case mapping.TypeArray:
		return vectorBytes(mapping.ArrayVectorGetChild(v), t.Children[0], rows*int(t.Size))
	case mapping.TypeStruct:
		sum := int64(0)
		for i, c := range t.Children {
			sum += vectorBytes(mapping.StructVectorGetChild(v, mapping.IdxT(i)), c, rows)
		}
		return sum
	case mapping.TypeHugeInt, mapping.TypeDecimal, mapping.TypeInterval, mapping.TypeUUID:
		each = 16
	}
	return each * int64(rows)
}

// hasLists reports whether there are lists in values of a type.
func hasLists(t udf.Type) bool {
	return t.Kind == mapping.TypeList || t.Kind == mapping.TypeArray || slices.ContainsFunc(t.Children, hasLists)
}

// nullElement reports whether a list in some rows of a vector has a NULL in it, which BigQuery lets no result have.
func nullElement(v mapping.Vector, t udf.Type, from, to int) bool {
	c := udf.Read(v)
	switch t.Kind {
	case mapping.TypeStruct:
		for i, inner := range t.Children {
			child := mapping.StructVectorGetChild(v, mapping.IdxT(i))
			for row := from; row < to && hasLists(inner); row++ {
				if !c.Null(row) && nullElement(child, inner, row, row+1) {
					return true
				}
			}
		}
	case mapping.TypeList, mapping.TypeArray:
		elem := t.Children[0]
		for row := from; row < to; row++ {
			if c.Null(row) {
				continue
			}
			first, n, child := row*int(t.Size), int(t.Size), mapping.Vector{}
			if t.Kind == mapping.TypeList {
				at := c.List(row)
				first, n = int(at.Offset), int(at.Length)
				child = mapping.ListVectorGetChild(v)
			} else {
				child = mapping.ArrayVectorGetChild(v)
			}
			in := udf.Read(child)
			for i := first; i < first+n && in.Mask != nil; i++ {
				if in.Null(i) {
					return true
				}
			}
			if hasLists(elem) && nullElement(child, elem, first, first+n) {
				return true
			}
		}
	}
	return false
}

// drop forgets the rows.
func (r *result) drop(ctx context.Context, s *Service) error {
	if r == nil || !r.own || r.table == "" || r.users.Add(-1) > 0 {
		return nil
	}
	return s.exec(ctx, "DROP TABLE IF EXISTS "+r.table)
}

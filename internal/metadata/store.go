// Package metadata keeps what BigQuery knows of datasets, tables, columns and routines and DuckDB does not: labels, descriptions,
// expirations, partitioning and the like. It is one table, mallard_metadata.bigquery_metadata, in the database that they lie in. Start with
// [Open].
//
// The table is made when something is first kept, in the transaction of the statement that keeps it; EXPORT DATABASE carries it as
// any other, and a database without it, which may be open for reading only, knows nothing more.
package metadata

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/quote"
)

// Schema is the table's schema. It is none that others write to: a statement that keeps something may be asking remote models, whose
// answers are kept in another transaction meanwhile.
const Schema = "mallard_metadata"

const table = "bigquery_metadata"

// Answers and its schema are those of the answers of remote models (package answercache). Files of earlier versions keep them in the
// schema OldAnswersSchema; a schema of that name stands in the way of the catalog whose macros other DuckDBs call.
const (
	Answers          = "answers"
	AnswersSchema    = "mallard_answers"
	OldAnswersSchema = "mallard"
)

// Hidden is a condition in DuckDB's SQL on the columns schema_name and table_name: the table is one of Mallard's own, which lists leave
// out.
const Hidden = "(schema_name = '" + Schema + "' AND table_name = '" + table + "' OR schema_name IN ('" + AnswersSchema +
	"', '" + OldAnswersSchema + "') AND table_name = '" + Answers + "')"

// Rows runs a statement of DuckDB's and gives its rows.
type Rows func(ctx context.Context, query string) ([][]driver.Value, error)

// Queryer is a database that takes DuckDB's SQL: *sql.DB, *sql.Conn or *sql.Tx. One that reads GoogleSQL has a DuckDB connection
// under it, which mallard.WithDuckDB lends.
type Queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Store is the metadata of one database. What it writes belongs to the transaction that is open on the connection. It is as safe
// for concurrent use as what it is over: two transactions that change the same key conflict, as they would on any row.
type Store struct {
	rows     Rows
	database string
}

// Open gives the metadata of a database by its name in DuckDB; "" is the current database. Nothing is read yet.
func Open(q Queryer, database string) *Store {
	return New(func(ctx context.Context, query string) ([][]driver.Value, error) { return all(ctx, q, query) }, database)
}

// New is [Open] over a function.
func New(rows Rows, database string) *Store { return &Store{rows, database} }

// all gives the rows of a statement.
func all(ctx context.Context, q Queryer, query string) (list [][]driver.Value, err error) {
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		row, to := make([]driver.Value, len(names)), make([]any, len(names))
		for i := range row {
			to[i] = &row[i]
		}
		if err := rows.Scan(to...); err != nil {
			return nil, err
		}
		list = append(list, row)
	}
	return list, rows.Err()
}

// name is the table's name.
func (s *Store) name(ctx context.Context) (string, error) {
	if s.database == "" {
		rows, err := s.rows(ctx, "SELECT current_database()")
		if err != nil {
			return "", err
		}
		s.database = fmt.Sprint(rows[0][0])
	}
	return quote.Path(s.database, Schema, table), nil
}

// read gives the records for which a condition holds.
func (s *Store) read(ctx context.Context, where string) ([]Entry, error) {
	from, err := s.name(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.rows(ctx, "SELECT kind, dataset, coalesce(name, '') AS name, coalesce(field, '') AS field, value FROM "+from+" WHERE "+
		where+
		" ORDER BY lower(dataset), lower(name), lower(field), kind")
	if err != nil {
		if duckapi.Absent(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("metadata: %w", err)
	}
	list := make([]Entry, len(rows))
	for i, r := range rows {
		e := &list[i]
		e.Key = Key{Kind(fmt.Sprint(r[0])), fmt.Sprint(r[1]), fmt.Sprint(r[2]), fmt.Sprint(r[3])}
		if err := json.Unmarshal([]byte(fmt.Sprint(r[4])), &e.Value); err != nil {
			return nil, fmt.Errorf("metadata of %s: %w", e.Key, err)
		}
	}
	return list, nil
}

// Get gives what is kept of something: the zero value where nothing is.
func (s *Store) Get(ctx context.Context, k Key) (Value, error) {
	list, err := s.read(ctx, k.where())
	if err != nil || len(list) == 0 {
		return Value{}, err
	}
	return list[0].Value, nil
}

// List gives all that is kept of a dataset and of what is in it, sorted by names; "" is every dataset.
func (s *Store) List(ctx context.Context, dataset string) ([]Entry, error) {
	if dataset == "" {
		return s.read(ctx, "true")
	}
	return s.read(ctx, same("dataset", dataset))
}

// Of gives what is kept of a table, view or model, and of its columns.
func (s *Store) Of(ctx context.Context, dataset, name string) ([]Entry, error) {
	return s.read(ctx, Key{Table, dataset, name, ""}.within())
}

// Named gives what is kept of a kind that belongs to no dataset.
func (s *Store) Named(ctx context.Context, kind Kind) ([]Entry, error) {
	return s.read(ctx, "kind = "+quote.Text(string(kind)))
}

// Limited gives what is kept of tables that expire, and of snapshots.
func (s *Store) Limited(ctx context.Context) ([]Entry, error) {
	return s.read(ctx, "kind IN ('table', 'view') AND (contains(value, '\"expires\"') OR contains(value, '\"snapshotOf\"'))")
}

// Set keeps a value in place of what was kept. Nothing is kept of a zero value.
func (s *Store) Set(ctx context.Context, k Key, v Value) error {
	return s.Update(ctx, k, func(old *Value) { *old = v })
}

// Update changes what is kept of something.
func (s *Store) Update(ctx context.Context, k Key, change func(*Value)) error {
	if !slices.Contains(kinds, k.Kind) {
		return fmt.Errorf("metadata: there is no kind %q", k.Kind)
	}
	list, err := s.read(ctx, k.where())
	if err != nil {
		return err
	}
	var v Value
	if len(list) > 0 {
		v = list[0].Value
	}
	change(&v)
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	into, err := s.name(ctx)
	if err != nil {
		return err
	}
	switch {
	case string(text) == "{}":
		if len(list) == 0 {
			return nil
		}
		return s.do(ctx, "DELETE FROM "+into+" WHERE "+k.where())
	case len(list) > 0:
		return s.do(ctx, "UPDATE "+into+" SET kind = "+quote.Text(string(k.Kind))+", value = "+quote.Text(string(text))+" WHERE "+k.where())
	}
	values := "(" + quote.Text(string(k.Kind)) + ", " + quote.Text(k.Dataset) + ", " + quote.Text(k.Name) + ", " + quote.Text(k.Column) +
		", " + quote.Text(string(text)) + ")"
	if err := s.Prepare(ctx); err != nil {
		return err
	}
	return s.do(ctx, "INSERT INTO "+into+" VALUES "+values)
}

// Prepare makes the table, unless it is there. Two transactions that make it conflict, so one that does much makes it first.
func (s *Store) Prepare(ctx context.Context) error {
	name, err := s.name(ctx)
	if err != nil {
		return err
	}
	if _, err := s.rows(ctx, "SELECT 1 FROM "+name+" LIMIT 0"); err == nil || !duckapi.Absent(err) {
		return err
	}
	return s.do(ctx, "CREATE SCHEMA IF NOT EXISTS "+quote.Path(s.database, Schema),
		"CREATE TABLE IF NOT EXISTS "+name+" (kind VARCHAR, dataset VARCHAR, name VARCHAR, field VARCHAR, value VARCHAR)")
}

func (s *Store) do(ctx context.Context, statements ...string) error {
	for _, q := range statements {
		if _, err := s.rows(ctx, q); err != nil {
			return fmt.Errorf("metadata: %w", err)
		}
	}
	return nil
}

// Rename follows a name: of a dataset, of a table, view, model or routine with its columns, or of a column with its fields. What was
// kept under the new name goes.
func (s *Store) Rename(ctx context.Context, from, to Key) error {
	list, err := s.read(ctx, from.within())
	if err != nil || len(list) == 0 {
		return err
	}
	if !sameKey(from, to) { // another spelling of the same name is the same key
		if err := s.Drop(ctx, to); err != nil {
			return err
		}
	}
	into, err := s.name(ctx)
	if err != nil {
		return err
	}
	set := "dataset = " + quote.Text(to.Dataset)
	switch {
	case from.Column != "":
		set = fmt.Sprintf("field = %s || substr(field, %d)", quote.Text(to.Column), len([]rune(from.Column))+1)
	case from.Kind != Dataset:
		set += ", name = " + quote.Text(to.Name)
	}
	return s.do(ctx, "UPDATE "+into+" SET "+set+" WHERE "+from.within())
}

// Drop forgets something, and what is in it.
func (s *Store) Drop(ctx context.Context, k Key) error {
	list, err := s.read(ctx, k.within())
	if err != nil || len(list) == 0 { // a DELETE of nothing would make a transaction that writes
		return err
	}
	from, err := s.name(ctx)
	if err != nil {
		return err
	}
	return s.do(ctx, "DELETE FROM "+from+" WHERE "+k.within())
}

// Prune forgets what is not there any more: statements of DuckDB's own may have dropped it.
func (s *Store) Prune(ctx context.Context) error {
	from, err := s.name(ctx)
	if err != nil {
		return err
	}
	in := "database_name = " + quote.Text(s.database)
	gone := "m.kind NOT IN ('connection', 'policy') AND (NOT EXISTS (FROM duckdb_schemas() AS d WHERE d." + in +
		" AND lower(d.schema_name) = lower(m.dataset)) OR m.kind NOT IN ('dataset', 'routine') AND " +
		"NOT EXISTS (FROM (SELECT schema_name, table_name FROM duckdb_tables() WHERE " + in +
		" UNION ALL SELECT schema_name, view_name FROM duckdb_views() WHERE " + in + ") AS t(s, n) " +
		"WHERE lower(t.s) = lower(m.dataset) AND lower(t.n) = lower(m.name)) OR m.kind = 'column' AND " +
		"NOT EXISTS (FROM duckdb_columns() AS c WHERE c." + in +
		" AND lower(c.schema_name) = lower(m.dataset) AND lower(c.table_name) = lower(m.name) AND " +
		"(lower(c.column_name) = lower(m.field) OR starts_with(lower(m.field), lower(c.column_name) || '.'))))"
	rows, err := s.rows(ctx, "SELECT 1 FROM "+from+" AS m WHERE "+gone+" LIMIT 1")
	if err != nil || len(rows) == 0 {
		if err != nil && !duckapi.Absent(err) {
			return fmt.Errorf("metadata: %w", err)
		}
		return nil
	}
	return s.do(ctx, "DELETE FROM "+from+" AS m WHERE "+gone)
}

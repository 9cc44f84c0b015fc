package bigquery

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/googlesql/writer"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/server/wire"
)

// Dispositions (https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/Job).
const (
	createIfNeeded    = "CREATE_IF_NEEDED"
	createNever       = "CREATE_NEVER"
	writeEmpty        = "WRITE_EMPTY"
	writeAppend       = "WRITE_APPEND"
	writeTruncate     = "WRITE_TRUNCATE"
	writeTruncateData = "WRITE_TRUNCATE_DATA"
	addFields         = "ALLOW_FIELD_ADDITION"
	relaxFields       = "ALLOW_FIELD_RELAXATION"
)

// dispositions checks the words of a job; "" is the kind's default.
func dispositions(create, write string) error {
	if !slices.Contains([]string{"", createIfNeeded, createNever}, create) {
		return invalid("Invalid value for createDisposition: %.50s is not a valid value", create)
	}
	if !slices.Contains([]string{"", writeEmpty, writeAppend, writeTruncate, writeTruncateData}, write) {
		return invalid("Invalid value for writeDisposition: %.50s is not a valid value", write)
	}
	return nil
}

// destination is a table that a job writes.
type destination struct {
	relation
	there     bool // it exists already
	bare      bool // without columns, which the rows bring
	write     string
	additions []string                // schemaUpdateOptions
	fields    []*api.TableFieldSchema // of a table that is made; nil are those of its rows
	// settings gives what is kept of a table that is made, by its fields; nil is nothing.
	settings func([]*api.TableFieldSchema) (metadata.Value, error)
}

// set gives the settings as a change of what is kept.
func (to *destination) set(fields []*api.TableFieldSchema) (func(*metadata.Value), error) {
	if to.settings == nil {
		return func(*metadata.Value) {}, nil
	}
	given, err := to.settings(fields)
	return func(v *metadata.Value) {
		v.Description, v.FriendlyName = cmp.Or(given.Description, v.Description), cmp.Or(given.FriendlyName, v.FriendlyName)
		v.Expires, v.Partitioning = cmp.Or(given.Expires, v.Expires), cmp.Or(given.Partitioning, v.Partitioning)
		v.PartitionLife = cmp.Or(given.PartitionLife, v.PartitionLife)
		if given.Labels != nil {
			v.Labels = given.Labels
		}
		if given.Clustering != nil {
			v.Clustering = given.Clustering
		}
		if given.Properties != nil {
			v.Properties = given.Properties
		}
	}, err
}

// partitionedByTime reports whether the time at which rows come is their partition.
func (to *destination) partitionedByTime(fields []*api.TableFieldSchema) (bool, error) {
	if to.settings == nil {
		return false, nil
	}
	v, err := to.settings(fields)
	return v.Partitioning != nil && v.Partitioning.Column == "", err
}

// destination finds the table that a job is to write, and checks that it may.
func (s *Service) destination(ctx context.Context, project string, ref *api.TableReference, create, write string) (*destination, error) {
	if ref.ProjectId != "" {
		project = ref.ProjectId
	}
	d, err := s.dataset(ctx, project, ref.DatasetId)
	if err != nil {
		return nil, err
	}
	name, id, parted := strings.Cut(ref.TableId, "$")
	if err := tableID(name); err != nil {
		return nil, err
	}
	to := &destination{relation: relation{schema: d, table: name, kind: "TABLE"}, write: write}
	have, err := s.relations(ctx, d, name)
	if err != nil {
		return nil, err
	}
	if to.there = len(have) > 0; to.there {
		to.relation = have[0]
	}
	if to.there && to.kind == "TABLE" && !to.anonymous() {
		columns, err := s.columns(ctx, to.relation)
		if err != nil {
			return nil, err
		}
		to.bare = len(columns) == 0
	}
	if parted {
		if !to.there {
			return nil, notFound("Not found: Table %s, of which a partition is to be written; make it first", to)
		}
		if to.part, err = s.partition(ctx, to.relation, id); err != nil {
			return nil, err
		}
	}
	switch {
	case to.there && to.kind != "TABLE":
		return nil, invalid("%s is not allowed for this operation because it is currently a %s.", to, to.kind)
	case !to.there && create == createNever:
		return nil, notFound("Not found: Table %s", to)
	case to.there && write == writeEmpty:
		var t api.Table
		if err := s.count(ctx, to.relation, nil, &t); err != nil {
			return nil, err
		}
		if t.NumRows > 0 {
			return nil, duplicate("Already Exists: Table %s", to)
		}
	}
	return to, nil
}

// replaces reports whether what the table has goes, its columns too.
func (to *destination) replaces() bool {
	return to.part.id == "" && (to.bare || to.write == writeTruncate || to.write == writeEmpty)
}

// write puts chunks into a table: all of them, or none.
func (s *Service) write(ctx context.Context, to *destination, from *duckapi.Chunks) (*result, error) {
	columns, err := columnsOf(&from.Result)
	if err != nil {
		return nil, err
	}
	if len(columns) == 0 {
		return nil, fault(400, "invalidQuery", "The statement has no columns to write into table %s", to)
	}
	fields := wire.Schema(columns).Fields
	set, err := to.set(fields)
	if err != nil {
		return nil, err
	}
	byTime, err := to.partitionedByTime(fields)
	if err != nil {
		return nil, err
	}
	if to.there && !to.replaces() || byTime {
		staged, err := s.keep(ctx, from, newID("staged"))
		if err != nil {
			return nil, err
		}
		defer s.release(staged)
		return s.insertFrom(ctx, to, staged.table, columns)
	}
	def, err := definition(columns)
	if err != nil {
		return nil, err
	}
	r := &result{columns: columns, table: to.sql()}
	c, err := s.DB.Conn(ctx)
	if err != nil {
		return nil, err
	}
	err = raw(c, func(n chunked) error {
		run := func(ctx context.Context, sql string) error {
			_, err := n.Raw().ExecContext(ctx, sql, nil)
			return err
		}
		if err := run(ctx, "BEGIN TRANSACTION"); err != nil {
			return err
		}
		err := run(ctx, "CREATE OR REPLACE TABLE "+to.sql()+" "+def)
		if err == nil {
			h, fail := duckapi.Connection(n.Raw())
			if err = fail; err == nil {
				err = r.append(ctx, h, from, to.database, to.name, to.table, 0)
			}
		}
		if err != nil {
			return errors.Join(err, run(context.WithoutCancel(ctx), "ROLLBACK"))
		}
		defer n.Changed(to.database, to.name, to.table)
		return run(ctx, "COMMIT")
	})
	if err = errors.Join(err, c.Close()); err != nil {
		return nil, err
	}
	return r, s.written(ctx, to, set)
}

// insertFrom puts the rows of a table of DuckDB's into one that is there, or makes it: all of them, or none.
func (s *Service) insertFrom(ctx context.Context, to *destination, table string, columns []googlesql.Field) (*result, error) {
	r := &result{columns: columns, table: to.sql()}
	if to.fields == nil {
		to.fields = wire.Schema(columns).Fields
	}
	set, err := to.set(to.fields)
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, func(t *change) error {
		if to.there && !to.replaces() {
			return t.add(ctx, s, to, table, columns)
		}
		if err := t.define(to.relation, to.fields, "CREATE OR REPLACE TABLE", set); err != nil {
			return err
		}
		return t.duck("INSERT INTO " + to.sql() + " (" + list(columns) + ") SELECT " + list(columns) + " FROM " + table)
	})
	if err != nil {
		return nil, err
	}
	var count api.Table
	if err := s.count(ctx, to.relation, nil, &count); err != nil {
		return nil, err
	}
	r.rows = int64(count.NumRows)
	return r, s.written(ctx, to, set)
}

// add puts the rows of a table of DuckDB's into one that is there, or into a partition of it.
func (t *change) add(ctx context.Context, s *Service, to *destination, table string, columns []googlesql.Field) error {
	have, err := s.columns(ctx, to.relation)
	if err != nil {
		return err
	}
	statements, err := to.fit(columns, have)
	if err != nil {
		return err
	}
	into, values := list(columns), list(columns)
	switch p := to.part; {
	case p.time != "":
		into, values = into+", "+quote.Name(writer.PartitionTime), values+", "+p.time
	case p.id != "":
		strangers := 0
		if err := extension.WithDuckDBSQL(ctx, t.c, func(c *sql.Conn) error {
			return c.QueryRowContext(ctx, "SELECT count(*) FROM "+table+" WHERE ("+p.rows+") IS NOT true").Scan(&strangers)
		}); err != nil {
			return err
		}
		if strangers > 0 {
			return invalid("Some rows belong to different partitions rather than destination partition %s", p.id)
		}
	}
	switch {
	case to.part.id != "" && to.write != writeAppend:
		statements = append(statements, "DELETE FROM "+to.sql()+" WHERE "+to.part.rows)
	case to.write == writeTruncateData:
		statements = append(statements, "TRUNCATE "+to.sql())
	}
	return t.duck(append(statements, "INSERT INTO "+to.sql()+" ("+into+") SELECT "+values+" FROM "+table)...)
}

// list writes the names of columns.
func list(columns []googlesql.Field) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = quote.Name(c.Name)
	}
	return strings.Join(names, ", ")
}

// fit gives the statements that make a table take columns, whose names and types must be its own.
func (to *destination) fit(columns, have []googlesql.Field) (statements []string, err error) {
	for _, c := range columns {
		i := slices.IndexFunc(have, func(f googlesql.Field) bool { return strings.EqualFold(f.Name, c.Name) })
		switch {
		case i >= 0 && have[i].Type.Equal(c.Type):
		case i >= 0:
			return nil, invalid("Provided Schema does not match Table %s. Field %s has changed type from %s to %s", to, c.Name, have[i].Type, c.Type)
		case slices.Contains(to.additions, addFields):
			statements = append(statements, "ALTER TABLE "+to.sql()+" ADD COLUMN "+quote.Name(c.Name)+" "+c.Type.DuckDB())
		default:
			return nil, invalid("Provided Schema does not match Table %s. Cannot add fields (field: %s)", to, c.Name)
		}
	}
	if !slices.Contains(to.additions, relaxFields) {
		return statements, nil
	}
	for _, h := range have { // what the rows' own schema does not require may be NULL from now on, or absent
		if f := fieldNamed(to.fields, []string{h.Name}); f == nil || f.Mode != wire.Required {
			statements = append(statements, "ALTER TABLE "+to.sql()+" ALTER COLUMN "+quote.Name(h.Name)+" DROP NOT NULL")
		}
	}
	return statements, nil
}

// written notes when a table was made and changed, and what is kept of one that was made.
func (s *Service) written(ctx context.Context, to *destination, set func(*metadata.Value)) error {
	if to.anonymous() {
		return nil
	}
	of, err := s.kept(ctx, to.database, to.schema.key())
	if err != nil {
		return err
	}
	err = s.change(ctx, func(t *change) error {
		return t.update(to.database, to.key(), func(v *metadata.Value) {
			now := time.Now().UTC().Truncate(time.Millisecond)
			if v.Created == nil || !to.there {
				v.Created = &now
			}
			if !to.there || to.replaces() {
				set(v)
			}
			if !to.there && v.Expires == nil && of.TableLife > 0 {
				at := now.Add(of.TableLife)
				v.Expires = &at
			}
		})
	})
	if err != nil {
		return fmt.Errorf("noting when table %s was written: %w", to, err)
	}
	return nil
}

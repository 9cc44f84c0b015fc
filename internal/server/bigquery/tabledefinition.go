package bigquery

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/googlesql/writer"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/server/wire"
)

// define makes a table of the fields by GoogleSQL's CREATE TABLE, so that what a schema says holds for rows from everywhere: modes,
// lengths, precisions and defaults. set changes what is kept of the table.
func (t *change) define(r relation, fields []*api.TableFieldSchema, verb string, set func(*metadata.Value)) error {
	if _, err := wire.Columns(fields); err != nil {
		return invalid("%v", err)
	}
	columns := make([]string, len(fields))
	for i, f := range fields {
		if name := innerDefault(f); name != "" {
			return invalid("Field %s: only columns have a defaultValueExpression, and not fields of a RECORD", name)
		}
		of, err := wire.Declare(f)
		if err != nil {
			return invalid("%v", err)
		}
		columns[i] = googlesql.QuoteName(f.Name) + " " + of
		if f.DefaultValueExpression != "" {
			value, err := defaultOf(f)
			if err != nil {
				return err
			}
			columns[i] += " DEFAULT " + value
		}
	}
	was, err := t.kept(r.database, r.key())
	if err != nil {
		return err
	}
	v := was
	set(&v)
	statement := verb + " " + r.googleSQL() + " (" + strings.Join(columns, ", ") + ")"
	switch p := v.Partitioning; {
	case len(fields) == 0 && p != nil:
		return unsupported("Table %s: a table without columns is not partitioned; give it a schema", r)
	case len(fields) == 0: // DuckDB has none without columns, and this one nobody sees
		err = t.duck(verb + " " + r.sql() + " (" + quote.Name(writer.PartitionTime) + " TIMESTAMPTZ)")
	case p != nil && p.Column == "":
		err = t.googleSQL(statement + " PARTITION BY " + p.By)
	default:
		err = t.googleSQL(statement)
	}
	if err != nil {
		return err
	}
	if r.anonymous() {
		return nil
	}
	if err := t.update(r.database, r.key(), func(made *metadata.Value) { // which has the dataset's default expirations
		v.Created, v.Expires = cmp.Or(was.Created, made.Created), cmp.Or(v.Expires, made.Expires)
		v.PartitionLife = cmp.Or(v.PartitionLife, made.PartitionLife)
		*made = v
	}); err != nil {
		return err
	}
	return t.keepFields(r, nil, fields)
}

// innerDefault is the path of a field inside one that has a default; "" where there is none.
func innerDefault(of *api.TableFieldSchema) string {
	for _, f := range of.Fields {
		if f.DefaultValueExpression != "" {
			return of.Name + "." + f.Name
		}
		if name := innerDefault(f); name != "" {
			return of.Name + "." + name
		}
	}
	return ""
}

// defaultOf is the default of a field, in parentheses.
func defaultOf(f *api.TableFieldSchema) (string, error) {
	value, err := dialect.Parenthesize(f.DefaultValueExpression, dialect.GoogleSQL)
	if err != nil {
		return "", invalid("Field %s: defaultValueExpression is no expression: %v", f.Name, err)
	}
	return value, nil
}

// partitioningOf reads what a table is partitioned by. The expression is that of the clause PARTITION BY.
func partitioningOf(t *api.TimePartitioning, r *api.RangePartitioning, fields []*api.TableFieldSchema,
	filter bool) (*metadata.Partitioning, error) {
	switch {
	case t != nil && r != nil:
		return nil, invalid("A table has either timePartitioning or rangePartitioning")
	case r != nil:
		if r.Field == "" || r.Range == nil || r.Range.Interval <= 0 || r.Range.End <= r.Range.Start {
			return nil, invalid("rangePartitioning wants a field and a range with a start, a later end and an interval above 0")
		}
		return &metadata.Partitioning{
			Column: r.Field, Range: []int64{r.Range.Start, r.Range.End, r.Range.Interval}, RequireFilter: filter,
			By: fmt.Sprintf("RANGE_BUCKET(%s, GENERATE_ARRAY(%d, %d, %d))", googlesql.NameIfNeeded(r.Field), r.Range.Start, r.Range.End,
				r.Range.Interval),
		}, partitioned(fields, r.Field, "INTEGER", "INT64")
	case t == nil:
		return nil, nil
	}
	p := &metadata.Partitioning{
		Column: t.Field, Unit: strings.ToUpper(cmp.Or(t.Type, "DAY")), RequireFilter: filter || t.RequirePartitionFilter,
	}
	switch p.Unit {
	case "HOUR", "DAY", "MONTH", "YEAR":
	default:
		return nil, invalid("Invalid value for timePartitioning.type: %.50s is not a valid value", t.Type)
	}
	column := googlesql.NameIfNeeded(t.Field)
	kind := "TIMESTAMP"
	if f := fieldNamed(fields, []string{t.Field}); f != nil {
		kind = strings.ToUpper(f.Type)
	}
	switch {
	case t.Field == "" && p.Unit == "DAY":
		p.By = "_PARTITIONDATE"
	case t.Field == "":
		p.By = "TIMESTAMP_TRUNC(_PARTITIONTIME, " + p.Unit + ")"
	case kind == "DATE" && p.Unit == "DAY":
		p.By = column
	default:
		p.By = kind + "_TRUNC(" + column + ", " + p.Unit + ")"
	}
	if t.Field == "" {
		return p, nil
	}
	return p, partitioned(fields, t.Field, "TIMESTAMP", "DATETIME", "DATE")
}

// partitioned refuses a column that no table is partitioned by.
func partitioned(fields []*api.TableFieldSchema, name string, types ...string) error {
	if fields == nil {
		return nil // the rows will tell
	}
	f := fieldNamed(fields, []string{name})
	if f == nil {
		return invalid("The field specified for partitioning cannot be found in the schema: %s", name)
	}
	for _, t := range types {
		if strings.EqualFold(f.Type, t) && !strings.EqualFold(f.Mode, wire.Repeated) {
			return nil
		}
	}
	return invalid("The field specified for partitioning, %s, has the type %s; %s can be", name, f.Type, strings.Join(types, ", "))
}

// clusteringOf reads the columns of a clustering.
func clusteringOf(c *api.Clustering, fields []*api.TableFieldSchema) ([]string, error) {
	if c == nil {
		return nil, nil
	}
	if len(c.Fields) > 4 {
		return nil, invalid("Too many clustering columns: at most 4 are allowed")
	}
	for _, name := range c.Fields {
		if fields != nil && fieldNamed(fields, []string{name}) == nil {
			return nil, invalid("The field specified for clustering cannot be found in the schema: %s", name)
		}
	}
	return c.Fields, nil
}

// settingsOf is what a job says of a table that it makes.
func settingsOf(t *api.TimePartitioning, r *api.RangePartitioning, c *api.Clustering, e *api.EncryptionConfiguration,
	fields []*api.TableFieldSchema) (v metadata.Value, err error) {
	if v.Properties, err = properties(&api.Table{EncryptionConfiguration: e}, "encryptionConfiguration"); err != nil {
		return v, err
	}
	if v.Partitioning, err = partitioningOf(t, r, fields, false); err != nil {
		return v, err
	}
	if t != nil {
		v.PartitionLife = time.Duration(t.ExpirationMs) * time.Millisecond
	}
	v.Clustering, err = clusteringOf(c, fields)
	return v, err
}

// schemaOf is the schema of a table with what is kept of its columns.
func (s *Service) schemaOf(ctx context.Context, r relation) (*api.TableSchema, metadata.Value, error) {
	columns, err := s.columns(ctx, r)
	if err != nil {
		return nil, metadata.Value{}, err
	}
	schema := wire.Schema(columns)
	if r.anonymous() {
		return schema, metadata.Value{}, nil
	}
	v, err := s.describe(ctx, r, schema)
	return schema, v, err
}

package bigquery

import (
	"cmp"
	"fmt"
	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/server/wire"
	api "google.golang.org/api/bigquery/v2"
	"strings"
	"time"
)

func (s *Service) insertTable(c *call) (any, error) {
	var in api.Table
	if err := c.body(&in); err != nil {
		return nil, err
	}
	if in.TableReference == nil || in.TableReference.TableId == "" {
		return nil, invalid("Required parameter is missing: tableReference.tableId")
	}
	d, err := s.dataset(c.ctx(), c.project(), c.path("datasetId"))
	if err != nil {
		return nil, err
	}
	if ref := in.TableReference; ref.ProjectId != "" && ref.ProjectId != d.project || ref.DatasetId != "" && ref.DatasetId != d.dataset {
		return nil, invalid("The table's dataset is %s:%s, and that of the path %s", ref.ProjectId, ref.DatasetId, d)
	}
	r := relation{schema: d, table: in.TableReference.TableId, kind: "TABLE"}
	if err := tableID(r.table); err != nil {
		return nil, err
	}
	if have, err := s.relations(c.ctx(), d, r.table); err != nil {
		return nil, err
	} else if len(have) > 0 {
		return nil, duplicate("Already Exists: Table %s", r)
	}
	if in.View != nil {
		r.kind = "VIEW"
	}
	err = s.change(c.ctx(), func(t *change) error { return s.createTable(t, r, &in) })
	if duckapi.AlreadyExists(err) {
		return nil, duplicate("Already Exists: Table %s", r)
	}
	if err != nil {
		return nil, err
	}
	if r, err = s.relation(c.ctx(), d.project, d.dataset, r.table); err != nil {
		return nil, err
	}
	return s.tableResource(c, r)
}

// createTable makes a table or a view, and keeps what DuckDB does not.
func (s *Service) createTable(t *change, r relation, in *api.Table) error {
	if err := checkSchema(in.Schema); err != nil {
		return err
	}
	switch {
	case in.View != nil:
		if in.View.UseLegacySql {
			return unsupported("Table %s: legacy SQL is not run; set view.useLegacySql to false", r)
		}
		if err := t.googleSQL("CREATE VIEW " + r.googleSQL() + " AS " + in.View.Query); err != nil {
			return err
		}
	case in.MaterializedView != nil || in.ExternalDataConfiguration != nil || in.SnapshotDefinition != nil || in.CloneDefinition != nil:
		return unsupported("Table %s: materialized views, external tables, snapshots and clones are made by SQL", r)
	default:
		var fields []*api.TableFieldSchema
		if in.Schema != nil {
			fields = in.Schema.Fields
		}
		columns, err := wire.Columns(fields)
		if err != nil {
			return invalid("%v", err)
		}
		if len(columns) == 0 {
			return unsupported("Table %s: DuckDB has no table without columns; give it a schema", r)
		}
		def, err := definition(columns)
		if err != nil {
			return err
		}
		if err := t.duck("CREATE TABLE " + r.sql() + " " + def); err != nil {
			return err
		}
		for _, f := range fields {
			if strings.EqualFold(f.Mode, wire.Required) {
				if err := t.duck("ALTER TABLE " + r.sql() + " ALTER COLUMN " + quote.Name(f.Name) + " SET NOT NULL"); err != nil {
					return err
				}
			}
		}
	}
	v, err := tableValue(in)
	if err != nil {
		return err
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	v.Created = &now
	if r.anonymous() {
		return nil
	}
	if err := t.update(r.database, r.key(), func(kept *metadata.Value) { *kept = v }); err != nil {
		return err
	}
	if in.Schema != nil {
		return t.keepFields(r, nil, in.Schema.Fields)
	}
	return nil
}

// checkSchema refuses a schema with types that there are not, and names twice.
func checkSchema(schema *api.TableSchema) error {
	if schema == nil {
		return nil
	}
	if _, err := wire.Columns(schema.Fields); err != nil {
		return invalid("%v", err)
	}
	return nil
}

// tableProperties are the fields of a table that are kept as they come, and change nothing.
var tableProperties = []string{
	"defaultCollation", "defaultRoundingMode", "encryptionConfiguration", "maxStaleness", "resourceTags", "tableConstraints", "restrictions",
}

// tableValue is what is kept of a table.
func tableValue(in *api.Table) (v metadata.Value, err error) {
	if err := checkLabels(in.Labels); err != nil {
		return v, err
	}
	v = metadata.Value{Description: in.Description, FriendlyName: in.FriendlyName, Labels: in.Labels, Expires: instant(in.ExpirationTime)}
	if in.Clustering != nil {
		v.Clustering = in.Clustering.Fields
	}
	if in.View != nil {
		v.Query = in.View.Query
	}
	if p := in.TimePartitioning; p != nil {
		v.Partitioning = &metadata.Partitioning{
			Column: p.Field, Unit: cmp.Or(p.Type, "DAY"), RequireFilter: in.RequirePartitionFilter || p.RequirePartitionFilter,
		}
		v.PartitionLife = time.Duration(p.ExpirationMs) * time.Millisecond
		v.Partitioning.By = cmp.Or(p.Field, "_PARTITIONTIME")
	}
	if p := in.RangePartitioning; p != nil && p.Range != nil {
		v.Partitioning = &metadata.Partitioning{
			Column: p.Field, Range: []int64{p.Range.Start, p.Range.End, p.Range.Interval}, RequireFilter: in.RequirePartitionFilter,
		}
		v.Partitioning.By = fmt.Sprintf("RANGE_BUCKET(%s, GENERATE_ARRAY(%d, %d, %d))",
			googlesql.NameIfNeeded(p.Field), p.Range.Start, p.Range.End, p.Range.Interval)
	}
	v.Properties, err = properties(in, tableProperties...)
	return v, err
}

// fieldProperties are the fields of a column that are kept as they come.
var fieldProperties = []string{
	"collation", "maxLength", "policyTags", "precision", "roundingMode", "scale", "dataPolicies", "timestampPrecision",
}

// keepFields keeps what DuckDB does not of columns, and of fields in them.
func (t *change) keepFields(r relation, path []string, fields []*api.TableFieldSchema) error {
	for _, f := range fields {
		at := append(path[:len(path):len(path)], f.Name)
		props, err := properties(f, fieldProperties...)
		if err != nil {
			return err
		}
		k := metadata.Key{Kind: metadata.Column, Dataset: r.name, Name: r.table, Column: strings.Join(at, ".")}
		err = t.keep(r.database, func(m *metadata.Store) error {
			return m.Update(t.ctx, k, func(v *metadata.Value) { v.Description, v.Properties = f.Description, props })
		})
		if err != nil {
			return err
		}
		if err := t.keepFields(r, at, f.Fields); err != nil {
			return err
		}
	}
	return nil
}

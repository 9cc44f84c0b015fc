package bigquery

import (
	"strings"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/writer"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/server/wire"
)

// patchTable is tables.patch, and tables.update, which replaces all that can be changed.
func (s *Service) patchTable(c *call) (any, error) {
	r, err := s.relation(c.ctx(), c.project(), c.path("datasetId"), c.path("tableId"))
	if err != nil {
		return nil, err
	}
	if r.part.id != "" {
		return nil, invalid("Partition %s of table %s cannot be changed by itself", r.part.id, r)
	}
	current, err := s.tableResource(c, r)
	if err != nil {
		return nil, err
	}
	if err := checkMatch(c.r, current.Etag); err != nil {
		return nil, err
	}
	var in api.Table
	if c.r.Method == "PUT" {
		err = c.table(&in)
		if in.Schema == nil {
			in.Schema = current.Schema
		}
	} else {
		err = c.patched(withoutFilter(current), &in)
	}
	if err != nil {
		return nil, err
	}
	if err := checkSchema(in.Schema); err != nil {
		return nil, err
	}
	if r.anonymous() {
		return current, nil // nothing is kept of results
	}
	v, err := tableValue(&in)
	if err != nil {
		return nil, err
	}
	if m := current.MaterializedView; m != nil && (in.MaterializedView == nil || in.MaterializedView.Query != m.Query) {
		return nil, invalid("The query of materialized view %s cannot be changed; drop the view, and make it anew", r)
	}
	err = s.change(c.ctx(), func(t *change) error {
		was, err := t.kept(r.database, r.key()) // a statement that replaces a view forgets it
		if err != nil {
			return err
		}
		switch {
		case r.kind == "EXTERNAL" && in.ExternalDataConfiguration != nil: // its uris may name other files now
			return s.createExternal(t, r, &in, v, "CREATE OR REPLACE VIEW ")
		case r.kind == "VIEW" && in.View != nil && in.View.Query != current.View.Query:
			if err := t.googleSQL("CREATE OR REPLACE VIEW " + r.googleSQL() + " AS " + in.View.Query); err != nil {
				return err
			}
		case r.kind == "TABLE" && in.Schema != nil:
			if err := t.alter(r, nil, current.Schema.Fields, in.Schema.Fields); err != nil {
				return err
			}
		}
		err = t.update(r.database, r.key(), func(kept *metadata.Value) {
			v.Created, v.Options, v.Materialized = kept.Created, kept.Options, kept.Materialized
			v.SnapshotOf, v.Snapshot = kept.SnapshotOf, kept.Snapshot
			v.Properties = withPolicy(v.Properties, was.Properties)
			if v.Query == "" {
				v.Query = kept.Query
			}
			if kept.Partitioning != nil && v.Partitioning != nil {
				v.Partitioning.By = kept.Partitioning.By // the expression is the statement's
			}
			*kept = v
		})
		if err != nil || in.Schema == nil || r.kind != "TABLE" && r.kind != "VIEW" {
			return err
		}
		return t.keepFields(r, nil, in.Schema.Fields)
	})
	if err != nil {
		return nil, err
	}
	return s.getTable(c)
}

// withoutFilter leaves out the second place of a table's requirePartitionFilter, which a body may change in the other one alone.
func withoutFilter(t *api.Table) *api.Table {
	shown := *t
	if shown.TimePartitioning = copied(t.TimePartitioning); shown.TimePartitioning != nil {
		shown.TimePartitioning.RequirePartitionFilter = false
	}
	return &shown
}

// alter changes columns, or the fields in the column of a path: new ones at the end, and REQUIRED ones that become NULLABLE
// (https://docs.cloud.google.com/bigquery/docs/managing-table-schemas).
func (t *change) alter(r relation, path []string, have, want []*api.TableFieldSchema) error {
	for _, h := range have {
		w := fieldNamed(want, []string{h.Name})
		at := append(path[:len(path):len(path)], h.Name)
		if w == nil {
			return invalid("Provided Schema does not match Table %s. Field %s is missing in new schema", r, strings.Join(at, "."))
		}
		was, err := wire.TypeOf(h)
		if err != nil {
			return err
		}
		is, err := wire.TypeOf(w)
		if err != nil {
			return err
		}
		if was.Kind != is.Kind || was.Elem != nil && was.Elem.Kind != is.Elem.Kind {
			return invalid("Provided Schema does not match Table %s. Field %s has changed type from %s to %s", r, strings.Join(at, "."), was, is)
		}
		required := strings.EqualFold(w.Mode, wire.Required)
		switch {
		case required && h.Mode != wire.Required:
			return invalid("Provided Schema does not match Table %s. Field %s has changed mode from %s to REQUIRED",
				r, strings.Join(at, "."), h.Mode)
		case h.Mode == wire.Required && !required && len(path) > 0:
			return unsupported("Table %s: field %s, which is inside a RECORD, cannot become %s: DuckDB keeps the checks of a table", r,
				strings.Join(at, "."), wire.Nullable)
		case h.Mode == wire.Required && !required:
			if err := t.duck("ALTER TABLE " + r.sql() + " ALTER COLUMN " + quote.Name(h.Name) + " DROP NOT NULL"); err != nil {
				return err
			}
		}
		if err := t.alterColumn(r, at, h, w); err != nil {
			return err
		}
		if len(h.Fields) > 0 {
			if h.Mode == wire.Repeated {
				at = append(at, "element") // DuckDB's name of what a list holds
			}
			if err := t.alter(r, at, h.Fields, w.Fields); err != nil {
				return err
			}
		}
	}
	for _, w := range want {
		if fieldNamed(have, []string{w.Name}) != nil {
			continue
		}
		if strings.EqualFold(w.Mode, wire.Required) {
			return invalid("Provided Schema does not match Table %s. Cannot add required fields to an existing schema. (field: %s)", r, w.Name)
		}
		of, err := wire.TypeOf(w)
		if err != nil {
			return err
		}
		names := append(path[:len(path):len(path)], w.Name)
		add := "ALTER TABLE " + r.sql() + " ADD COLUMN " + quote.Path(names...) + " " + of.DuckDB()
		if of.Kind == googlesql.Array {
			add += " DEFAULT []" // rows that are there have no NULL in it
		}
		if err := t.duck(add); err != nil {
			return err
		}
		if err := t.alterColumn(r, names, &api.TableFieldSchema{}, w); err != nil {
			return err
		}
	}
	if len(path) == 0 && len(have) == 0 && len(want) > 0 { // it had no columns
		return t.duck("ALTER TABLE " + r.sql() + " DROP COLUMN " + quote.Name(writer.PartitionTime))
	}
	return nil
}

// alterColumn changes the parameters of a column's type, and its default.
func (t *change) alterColumn(r relation, path []string, have, want *api.TableFieldSchema) error {
	name := strings.Join(path, ".")
	head := "ALTER TABLE " + r.googleSQL() + " ALTER COLUMN " + googlesql.QuoteName(want.Name)
	if have.MaxLength != want.MaxLength {
		return unsupported("Table %s: the maxLength of field %s cannot be changed: DuckDB keeps the checks of a table", r, name)
	}
	if have.Precision != want.Precision || have.Scale != want.Scale {
		if len(path) > 1 {
			return unsupported("Table %s: the precision of field %s, which is inside a RECORD, cannot be changed", r, name)
		}
		of, err := wire.Declare(&api.TableFieldSchema{Name: want.Name, Type: want.Type, Mode: want.Mode, Precision: want.Precision,
			Scale: want.Scale})
		if err != nil {
			return invalid("%v", err)
		}
		if err := t.googleSQL(head + " SET DATA TYPE " + strings.TrimSuffix(of, " NOT NULL")); err != nil {
			return err
		}
	}
	switch {
	case have.DefaultValueExpression == want.DefaultValueExpression:
		return nil
	case len(path) > 1:
		return invalid("Field %s: only columns have a defaultValueExpression, and not fields of a RECORD", name)
	case want.DefaultValueExpression == "":
		return t.googleSQL(head + " DROP DEFAULT")
	}
	value, err := defaultOf(want)
	if err != nil {
		return err
	}
	return t.googleSQL(head + " SET DEFAULT " + value)
}

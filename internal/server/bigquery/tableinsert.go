package bigquery

import (
	"cmp"
	"errors"
	"strings"
	"time"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/server/wire"
)

func (s *Service) insertTable(c *call) (any, error) {
	var in api.Table
	if err := c.table(&in); err != nil {
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
	if in.View != nil || in.MaterializedView != nil {
		r.kind = "VIEW"
	}
	if in.ExternalDataConfiguration != nil {
		r.kind = "EXTERNAL"
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

// table reads a table from the request's body. A materialized view refreshes itself unless the body says that it does not.
func (c *call) table(into *api.Table) error {
	text, err := c.read()
	if err != nil {
		return err
	}
	var given struct {
		MaterializedView *struct {
			EnableRefresh *bool `json:"enableRefresh"`
		} `json:"materializedView"`
	}
	if err := errors.Join(decodeRequest(text, into), decode(text, &given)); err != nil {
		return err
	}
	if into.MaterializedView != nil && given.MaterializedView.EnableRefresh == nil {
		into.MaterializedView.EnableRefresh = true
	}
	return nil
}

// createTable makes a table or a view, and keeps what DuckDB does not.
func (s *Service) createTable(t *change, r relation, in *api.Table) error {
	if err := checkSchema(in.Schema); err != nil {
		return err
	}
	v, err := tableValue(in)
	if err != nil {
		return err
	}
	if r.kind == "TABLE" {
		var fields []*api.TableFieldSchema
		if in.Schema != nil {
			fields = in.Schema.Fields
		}
		return t.define(r, fields, "CREATE TABLE", func(kept *metadata.Value) { *kept = v })
	}
	if r.kind == "EXTERNAL" {
		return s.createExternal(t, r, in, v, "CREATE VIEW ")
	}
	statement := "CREATE VIEW "
	if in.MaterializedView != nil {
		statement = "CREATE MATERIALIZED VIEW "
	}
	if err := t.googleSQL(statement + r.googleSQL() + " AS " + v.Query); err != nil || r.anonymous() {
		return err
	}
	if err := t.update(r.database, r.key(), func(kept *metadata.Value) {
		v.Created, v.Materialized, v.Expires = kept.Created, kept.Materialized, cmp.Or(v.Expires, kept.Expires)
		*kept = v
	}); err != nil || in.Schema == nil {
		return err
	}
	return t.keepFields(r, nil, in.Schema.Fields)
}

// createExternal makes an external table.
func (s *Service) createExternal(t *change, r relation, in *api.Table, v metadata.Value, verb string) error {
	query, err := s.external(t.ctx, in.ExternalDataConfiguration, in.Schema)
	if err != nil {
		return err
	}
	if err := t.duck(verb + r.sql() + " AS " + query); err != nil {
		return err
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	return t.update(r.database, r.key(), func(kept *metadata.Value) {
		v.Created = cmp.Or(kept.Created, &now)
		v.Properties = withPolicy(v.Properties, kept.Properties)
		*kept = v
	})
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
	"defaultRoundingMode", "encryptionConfiguration", "externalDataConfiguration", "materializedView", "maxStaleness", "resourceTags",
	"restrictions", "tableConstraints",
}

// tableValue is what is kept of a table.
func tableValue(in *api.Table) (v metadata.Value, err error) {
	if err := checkLabels(in.Labels); err != nil {
		return v, err
	}
	v = metadata.Value{Description: in.Description, FriendlyName: in.FriendlyName, Labels: in.Labels, Expires: instant(in.ExpirationTime)}
	switch {
	case in.View != nil && in.MaterializedView != nil:
		return v, invalid("A table has either a view or a materializedView")
	case in.View != nil:
		v.Query = in.View.Query
	case in.MaterializedView != nil:
		v.Query = in.MaterializedView.Query
	}
	var fields []*api.TableFieldSchema
	if in.Schema != nil {
		fields = in.Schema.Fields
	}
	if v.Clustering, err = clusteringOf(in.Clustering, fields); err != nil {
		return v, err
	}
	if v.Partitioning, err = partitioningOf(in.TimePartitioning, in.RangePartitioning, fields, in.RequirePartitionFilter); err != nil {
		return v, err
	}
	if in.TimePartitioning != nil {
		v.PartitionLife = time.Duration(in.TimePartitioning.ExpirationMs) * time.Millisecond
	}
	if m := in.MaterializedView; m != nil {
		m.ForceSendFields = append(m.ForceSendFields, "EnableRefresh")
	}
	v.Properties, err = properties(in, tableProperties...)
	return v, err
}

// fieldProperties are the fields of a column that are kept as they come.
var fieldProperties = []string{
	"categories", "dataGovernanceTagsInfo", "dataPolicies", "dataPolicyList", "policyTags", "roundingMode", "timestampPrecision",
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
			return m.Update(t.ctx, k, func(v *metadata.Value) {
				v.Description, v.Properties = f.Description, props
				if len(path) == 0 {
					v.Default = f.DefaultValueExpression
				}
			})
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

package bigquery

import (
	"cmp"
	"context"
	"database/sql"
	"strings"
	"time"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/quote"
)

// datasetProperties are the fields of a dataset that are kept as they come, and change nothing.
var datasetProperties = []string{
	"access", "defaultRoundingMode", "defaultEncryptionConfiguration", "isCaseInsensitive", "maxTimeTravelHours",
	"resourceTags", "restrictions", "storageBillingModel", "externalCatalogDatasetOptions",
}

func (s *Service) insertDataset(c *call) (any, error) {
	var in api.Dataset
	if err := c.body(&in); err != nil {
		return nil, err
	}
	if in.DatasetReference == nil || in.DatasetReference.DatasetId == "" {
		return nil, invalid("Required parameter is missing: datasetReference.datasetId")
	}
	if p := in.DatasetReference.ProjectId; p != "" && p != c.project() {
		return nil, invalid("The dataset's project is %s, and that of the path %s", p, c.project())
	}
	d, err := s.schema(c.ctx(), c.project(), in.DatasetReference.DatasetId)
	if err != nil {
		return nil, err
	}
	v, err := s.datasetValue(&in)
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	v.Created = &now
	if there, err := s.exists(c.ctx(), d); err != nil {
		return nil, err
	} else if there {
		return nil, duplicate("Already Exists: Dataset %s", d)
	}
	err = s.change(c.ctx(), func(t *change) error {
		if err := t.duck("CREATE SCHEMA " + d.sql()); err != nil {
			return err
		}
		return t.update(d.database, d.key(), func(kept *metadata.Value) { *kept = v })
	})
	if duckapi.AlreadyExists(err) {
		return nil, duplicate("Already Exists: Dataset %s", d)
	}
	if err != nil {
		return nil, err
	}
	return s.datasetResource(c, d)
}

func (d schema) key() metadata.Key { return metadata.Key{Kind: metadata.Dataset, Dataset: d.name} }

// datasetValue is what is kept of a dataset.
func (s *Service) datasetValue(in *api.Dataset) (v metadata.Value, err error) {
	if err := checkLabels(in.Labels); err != nil {
		return v, err
	}
	if in.DefaultTableExpirationMs < 0 || in.DefaultTableExpirationMs > 0 && in.DefaultTableExpirationMs < 3_600_000 {
		return v, invalid("Invalid value for defaultTableExpirationMs: %d is less than an hour", in.DefaultTableExpirationMs)
	}
	v = metadata.Value{
		Description: in.Description, FriendlyName: in.FriendlyName, Labels: in.Labels, Location: location(cmp.Or(in.Location, s.Location)),
		TableLife:     time.Duration(in.DefaultTableExpirationMs) * time.Millisecond,
		PartitionLife: time.Duration(in.DefaultPartitionExpirationMs) * time.Millisecond,
	}
	v.Properties, err = properties(in, datasetProperties...)
	return v, err
}

// kept reads what is kept of something.
func (s *Service) kept(ctx context.Context, database string, k metadata.Key) (v metadata.Value, err error) {
	err = s.duck(ctx, func(c *sql.Conn) (err error) {
		v, err = metadata.Open(c, database).Get(ctx, k)
		return err
	})
	return v, err
}

func (s *Service) datasetResource(c *call, d schema) (*api.Dataset, error) {
	var v metadata.Value
	var err error
	if !d.anonymous() {
		if v, err = s.kept(c.ctx(), d.database, d.key()); err != nil {
			return nil, err
		}
	}
	r := &api.Dataset{
		Kind: "bigquery#dataset", Id: d.String(), SelfLink: selfLink(c, "/projects/%s/datasets/%s", d.project, d.dataset),
		DatasetReference: &api.DatasetReference{ProjectId: d.project, DatasetId: d.dataset},
		Description:      v.Description, FriendlyName: v.FriendlyName, Labels: v.Labels, Location: cmp.Or(v.Location, s.Location),
		DefaultTableExpirationMs: v.TableLife.Milliseconds(), DefaultPartitionExpirationMs: v.PartitionLife.Milliseconds(), Type: "DEFAULT",
		MaxTimeTravelHours: 168,
		CreationTime:       millis(v.Created), LastModifiedTime: millis(v.Modified),
		Access: []*api.DatasetAccess{
			{Role: "WRITER", SpecialGroup: "projectWriters"}, {Role: "OWNER", SpecialGroup: "projectOwners"},
			{Role: "OWNER", UserByEmail: s.User}, {Role: "READER", SpecialGroup: "projectReaders"},
		},
	}
	if err := restore(v.Properties, r); err != nil {
		return nil, err
	}
	// A schema that SQL has made may have no times; clients want them.
	r.CreationTime = cmp.Or(r.CreationTime, s.started.UnixMilli())
	r.LastModifiedTime = cmp.Or(r.LastModifiedTime, r.CreationTime)
	r.Etag = etag(r)
	return r, nil
}

func (s *Service) getDataset(c *call) (any, error) {
	d, err := s.dataset(c.ctx(), c.project(), c.path("datasetId"))
	if err != nil {
		return nil, err
	}
	return s.datasetResource(c, d)
}

// patchDataset is datasets.patch, and datasets.update, which replaces all that can be changed.
func (s *Service) patchDataset(c *call) (any, error) {
	d, err := s.dataset(c.ctx(), c.project(), c.path("datasetId"))
	if err != nil {
		return nil, err
	}
	current, err := s.datasetResource(c, d)
	if err != nil {
		return nil, err
	}
	if err := checkMatch(c.r, current.Etag); err != nil {
		return nil, err
	}
	var in api.Dataset
	if c.r.Method == "PUT" {
		err = c.body(&in)
	} else {
		err = c.patched(current, &in)
	}
	if err != nil {
		return nil, err
	}
	if in.Location != "" && location(in.Location) != current.Location {
		return nil, invalid("Dataset %s: its location is %s, and cannot be changed to %s", d, current.Location, in.Location)
	}
	in.Location = current.Location
	v, err := s.datasetValue(&in)
	if err != nil {
		return nil, err
	}
	if d.anonymous() {
		return nil, fault(403, "accessDenied", "Dataset %s is the server's own", d)
	}
	err = s.change(c.ctx(), func(t *change) error {
		return t.update(d.database, d.key(), func(kept *metadata.Value) {
			v.Created, v.Options = cmp.Or(kept.Created, instant(current.CreationTime)), kept.Options
			*kept = v
		})
	})
	if err != nil {
		return nil, err
	}
	return s.datasetResource(c, d)
}

func (s *Service) deleteDataset(c *call) (any, error) {
	d, err := s.dataset(c.ctx(), c.project(), c.path("datasetId"))
	if err != nil {
		return nil, err
	}
	if d.anonymous() || strings.EqualFold(d.name, "main") {
		return nil, fault(403, "accessDenied", "Dataset %s cannot be deleted", d)
	}
	if !c.flag("deleteContents") {
		used, err := s.used(c.ctx(), d)
		if err != nil {
			return nil, err
		}
		if used {
			return nil, fault(400, "resourceInUse", "Dataset %s is still in use", d)
		}
	}
	err = s.change(c.ctx(), func(t *change) error {
		if err := t.keep(d.database, func(m *metadata.Store) error { return m.Drop(c.ctx(), d.key()) }); err != nil {
			return err
		}
		return t.duck("DROP SCHEMA " + d.sql() + " CASCADE")
	})
	if err != nil {
		return nil, err
	}
	return noContent{}, nil
}

// used reports whether something is in a dataset.
func (s *Service) used(ctx context.Context, d schema) (used bool, err error) {
	in := "database_name = " + quote.Text(d.database) + " AND schema_name = " + quote.Text(d.name)
	err = s.duck(ctx, func(c *sql.Conn) error {
		return c.QueryRowContext(ctx, "SELECT EXISTS (FROM duckdb_tables() WHERE "+in+") OR EXISTS (FROM duckdb_views() WHERE "+in+
			") OR EXISTS (FROM duckdb_functions() WHERE "+in+" AND NOT internal)").Scan(&used)
	})
	return used, err
}

func (s *Service) listDatasets(c *call) (any, error) {
	d, err := s.schema(c.ctx(), c.project(), "main")
	if err != nil {
		return nil, err
	}
	var names []string
	kept := map[string]metadata.Value{}
	err = s.duck(c.ctx(), func(conn *sql.Conn) (err error) {
		// main is DuckDB's own, and shown when something is in it.
		names, err = texts(c.ctx(), conn, `SELECT schema_name FROM duckdb_schemas() AS s WHERE database_name = ? AND NOT internal
			AND schema_name NOT IN ('information_schema', 'pg_catalog', ?)
			AND (schema_name <> 'main' OR EXISTS (FROM duckdb_tables() AS t WHERE t.database_name = s.database_name AND t.schema_name = 'main')
				OR EXISTS (FROM duckdb_views() AS v WHERE v.database_name = s.database_name AND v.schema_name = 'main' AND NOT internal))
			ORDER BY 1`, d.database, metadata.Schema)
		if err != nil {
			return err
		}
		all, err := metadata.Open(conn, d.database).List(c.ctx(), "")
		for _, e := range all {
			if e.Kind == metadata.Dataset {
				kept[strings.ToLower(e.Dataset)] = e.Value
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if c.flag("all") && d.project == s.Project {
		names = append(names, Anonymous)
	}
	list := &api.DatasetList{Kind: "bigquery#datasetList"}
	for _, name := range names {
		if strings.HasPrefix(name, "_") && !c.flag("all") {
			continue
		}
		v := kept[strings.ToLower(name)]
		if !labelled(v.Labels, c.param("filter")) {
			continue
		}
		list.Datasets = append(list.Datasets, &api.DatasetListDatasets{
			Kind: "bigquery#dataset", Id: d.project + ":" + name, DatasetReference: &api.DatasetReference{ProjectId: d.project, DatasetId: name},
			FriendlyName: v.FriendlyName, Labels: v.Labels, Location: cmp.Or(v.Location, s.Location), Type: "DEFAULT",
		})
	}
	if list.Datasets, list.NextPageToken, err = pageOf(c, list.Datasets); err != nil {
		return nil, err
	}
	list.Etag = etag(list)
	return list, nil
}

// labelled reports whether labels satisfy a filter: "labels.key:value labels.other".
func labelled(labels map[string]string, filter string) bool {
	for _, f := range strings.Fields(filter) {
		if strings.EqualFold(f, "AND") {
			continue
		}
		key, value, valued := strings.Cut(strings.TrimPrefix(f, "labels."), ":")
		have, ok := labels[key]
		if !ok || valued && value != "*" && have != value {
			return false
		}
	}
	return true
}

package bigquery

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/modelspec"
)

// model finds the model that a request names.
func (s *Service) model(c *call) (relation, error) {
	r, ok, err := s.modelNamed(c.ctx(), c.project(), c.path("datasetId"), c.path("modelId"))
	if err == nil && !ok {
		err = notFound("Not found: Model %s", r)
	}
	return r, err
}

// modelNamed finds a model; ok is false where there is none.
func (s *Service) modelNamed(ctx context.Context, project, dataset, name string) (r relation, ok bool, err error) {
	d, err := s.dataset(ctx, project, dataset)
	if err != nil {
		return relation{}, false, err
	}
	all, err := s.relations(ctx, d, name)
	if i := slices.IndexFunc(all, func(r relation) bool { return r.kind == "MODEL" }); i >= 0 {
		return all[i], true, err
	}
	return relation{schema: d, table: name}, false, err
}

func (s *Service) getModel(c *call) (any, error) {
	r, err := s.model(c)
	if err != nil {
		return nil, err
	}
	return s.modelResource(c.ctx(), r)
}

func (s *Service) listModels(c *call) (any, error) {
	d, err := s.dataset(c.ctx(), c.project(), c.path("datasetId"))
	if err != nil {
		return nil, err
	}
	all, err := s.relations(c.ctx(), d, "")
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(r relation) bool { return r.kind != "MODEL" })
	list := &api.ListModelsResponse{}
	if all, list.NextPageToken, err = pageOf(c, all); err != nil {
		return nil, err
	}
	for _, r := range all {
		m, err := s.modelResource(c.ctx(), r)
		if err != nil {
			return nil, err
		}
		// The list leaves out what the model is made of.
		list.Models = append(list.Models, &api.Model{
			ModelReference: m.ModelReference, CreationTime: m.CreationTime, LastModifiedTime: m.LastModifiedTime, ModelType: m.ModelType,
			Labels: m.Labels, ExpirationTime: m.ExpirationTime, FriendlyName: m.FriendlyName, Location: m.Location, Etag: m.Etag,
		})
	}
	return list, nil
}

// modelResource is a model as the API shows it. One that is imported was trained elsewhere: its training run has no more than a time.
func (s *Service) modelResource(ctx context.Context, r relation) (*api.Model, error) {
	spec := r.spec
	m := &api.Model{
		ModelReference: &api.ModelReference{ProjectId: r.project, DatasetId: r.dataset, ModelId: r.table}, ModelType: spec.Type,
		Description: spec.Description, Labels: spec.Labels, CreationTime: spec.Created.UnixMilli(), LastModifiedTime: spec.Modified.UnixMilli(),
		Location: s.Location,
	}
	var err error
	if spec.Remote() {
		m.ModelType = "MODEL_TYPE_UNSPECIFIED"
		m.RemoteModelInfo = remoteInfo(r.project, spec)
		if m.FeatureColumns, err = columnFields(spec.InputColumns); err != nil {
			return nil, err
		}
		if m.LabelColumns, err = columnFields(spec.OutputColumns); err != nil {
			return nil, err
		}
	} else {
		m.TrainingRuns = []*api.TrainingRun{{
			StartTime: spec.Created.UTC().Format(time.RFC3339Nano), TrainingStartTime: spec.Created.UnixMilli(),
			TrainingOptions: &api.TrainingOptions{ModelUri: spec.Path},
		}}
		if m.FeatureColumns, err = portFields(spec.Inputs); err != nil {
			return nil, err
		}
		if m.LabelColumns, err = portFields(spec.Outputs); err != nil {
			return nil, err
		}
	}
	if !r.anonymous() {
		v, err := s.kept(ctx, r.database, r.key())
		if err != nil {
			return nil, err
		}
		m.FriendlyName, m.ExpirationTime = v.FriendlyName, millis(v.Expires)
		m.LastModifiedTime = max(m.LastModifiedTime, millis(v.Modified))
		if err := restore(v.Properties, m); err != nil {
			return nil, err
		}
		d, err := s.kept(ctx, r.database, r.schema.key())
		if err != nil {
			return nil, err
		}
		m.Location = cmp.Or(d.Location, s.Location)
	}
	m.Etag = etag(m)
	return m, nil
}

// remoteInfo says where a remote model is asked.
func remoteInfo(project string, spec *modelspec.Spec) *api.RemoteModelInfo {
	info := &api.RemoteModelInfo{Endpoint: spec.Endpoint, Connection: spec.Connection, MaxBatchingRows: int64(spec.BatchSize)}
	if strings.HasPrefix(spec.Endpoint, "CLOUD_AI_") { // the option REMOTE_SERVICE_TYPE takes the place of an endpoint
		info.Endpoint, info.RemoteServiceType = "", spec.Endpoint
	}
	if parts := strings.Split(spec.Connection, "."); len(parts) == 2 {
		info.Connection = project + "." + spec.Connection
	}
	return info
}

func columnFields(columns []modelspec.Column) (all []*api.StandardSqlField, err error) {
	for _, c := range columns {
		t, err := googlesql.ParseType(c.Type)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name, err)
		}
		all = append(all, standardField(googlesql.Field{Name: c.Name, Type: t}))
	}
	return all, nil
}

// portFields are the inputs or outputs of a model with the types that they have in statements.
func portFields(ports []modelspec.Port) (all []*api.StandardSqlField, err error) {
	known, err := modelspec.Ports(ports)
	if err != nil {
		return nil, err
	}
	for i := range known {
		text := known[i].SQLType(functions.BigQuery)
		if scalar, _, array := strings.Cut(text, "["); array { // DuckDB's way to write an array; BigQuery has none of arrays
			text = "ARRAY<" + scalar + ">"
		}
		t, err := googlesql.ParseType(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", known[i].Name, err)
		}
		all = append(all, standardField(googlesql.Field{Name: known[i].Name, Type: t}))
	}
	return all, nil
}

func (s *Service) patchModel(c *call) (any, error) {
	r, err := s.model(c)
	if err != nil {
		return nil, err
	}
	current, err := s.modelResource(c.ctx(), r)
	if err != nil {
		return nil, err
	}
	if err := checkMatch(c.r, current.Etag); err != nil {
		return nil, err
	}
	var in api.Model
	if err := c.patched(current, &in); err != nil {
		return nil, err
	}
	if err := checkLabels(in.Labels); err != nil {
		return nil, err
	}
	props, err := properties(&in, "encryptionConfiguration")
	if err != nil {
		return nil, err
	}
	labels := make([]string, 0, len(in.Labels))
	for k, v := range in.Labels {
		labels = append(labels, "("+googlesql.QuoteText(k)+", "+googlesql.QuoteText(v)+")")
	}
	slices.Sort(labels)
	err = s.change(c.ctx(), func(t *change) error {
		err := t.googleSQL(fmt.Sprintf("ALTER MODEL %s SET OPTIONS(description=%s, labels=[%s])",
			r.googleSQL(), googlesql.QuoteText(in.Description), strings.Join(labels, ", ")))
		if err != nil || r.anonymous() {
			return err
		}
		return t.update(r.database, r.key(), func(v *metadata.Value) {
			v.FriendlyName, v.Expires, v.Properties = in.FriendlyName, instant(in.ExpirationTime), props
		})
	})
	if err != nil {
		return nil, err
	}
	return s.getModel(c)
}

func (s *Service) deleteModel(c *call) (any, error) {
	r, err := s.model(c)
	if err != nil {
		return nil, err
	}
	return noContent{}, s.change(c.ctx(), func(t *change) error {
		if !r.anonymous() {
			if err := t.keep(r.database, func(m *metadata.Store) error { return m.Drop(c.ctx(), r.key()) }); err != nil {
				return err
			}
		}
		return t.googleSQL("DROP MODEL " + r.googleSQL())
	})
}

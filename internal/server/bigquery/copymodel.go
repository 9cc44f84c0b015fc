package bigquery

import (
	"cmp"
	"context"
	"crypto/rand"
	"time"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/internal/metadata"
)

// modelCopied gives the model that a copy job is about: the one source of the job, where a model has its name.
func (s *Service) modelCopied(ctx context.Context, project string, c *api.JobConfigurationTableCopy) (from relation, ok bool, err error) {
	if len(c.SourceTables) != 1 {
		return relation{}, false, nil
	}
	ref := c.SourceTables[0]
	return s.modelNamed(ctx, cmp.Or(ref.ProjectId, project), ref.DatasetId, ref.TableId)
}

// copyModel makes a model under another name. The copy shares the model's files, which the store knows by their content.
func (s *Service) copyModel(ctx context.Context, project string, c *api.JobConfigurationTableCopy, from relation) error {
	expires, err := expiration(c.DestinationExpirationTime)
	if err != nil {
		return err
	}
	d, err := s.dataset(ctx, cmp.Or(c.DestinationTable.ProjectId, project), c.DestinationTable.DatasetId)
	if err != nil {
		return err
	}
	if err := tableID(c.DestinationTable.TableId); err != nil {
		return err
	}
	have, err := s.relations(ctx, d, c.DestinationTable.TableId)
	if err != nil {
		return err
	}
	to := relation{schema: d, table: c.DestinationTable.TableId, kind: "MODEL"}
	spec := *from.spec
	spec.ID, spec.Created = rand.Text(), time.Now().UTC()
	spec.Modified = spec.Created
	switch {
	case len(have) == 0 && c.CreateDisposition == createNever:
		return notFound("Not found: Model %s", to)
	case len(have) == 0:
	case have[0].kind != "MODEL":
		return invalid("%s is not allowed for this operation because it is currently a %s.", have[0], have[0].kind)
	case c.WriteDisposition != writeTruncate:
		return duplicate("Already Exists: Model %s", to)
	default:
		to.table, spec.ID = have[0].table, have[0].spec.ID
	}
	kept := metadata.Value{Expires: expires}
	if !from.anonymous() {
		v, err := s.kept(ctx, from.database, from.key())
		if err != nil {
			return err
		}
		kept.FriendlyName, kept.Properties = v.FriendlyName, v.Properties
	}
	return s.change(ctx, func(t *change) error {
		if err := t.duck("CREATE OR REPLACE VIEW " + to.sql() + " AS " + spec.ViewSQL()); err != nil || to.anonymous() {
			return err
		}
		return t.update(to.database, to.key(), func(v *metadata.Value) { *v = kept })
	})
}

package bigquery

import (
	"cmp"
	"context"
	"crypto/rand"
	"strconv"
	"strings"
	"time"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/server/wire"
)

// prepareCopy checks the description of a copy job, and says how it is run.
func (s *Service) prepareCopy(j *job) error {
	c := j.config.Copy
	if c.SourceTable != nil {
		c.SourceTables = append([]*api.TableReference{c.SourceTable}, c.SourceTables...)
		c.SourceTable = nil
	}
	switch {
	case c.DestinationTable == nil:
		return invalid("Required parameter is missing: configuration.copy.destinationTable")
	case len(c.SourceTables) == 0:
		return invalid("Required parameter is missing: configuration.copy.sourceTable")
	}
	switch strings.ToUpper(c.OperationType) {
	case "", "COPY", "CLONE", "OPERATION_TYPE_UNSPECIFIED":
	case "SNAPSHOT", "RESTORE":
		if len(c.SourceTables) > 1 {
			return invalid("operationType %s takes one source table", c.OperationType)
		}
	default:
		return invalid("Invalid value for operationType: %.50s is not a valid value", c.OperationType)
	}
	if err := dispositions(c.CreateDisposition, c.WriteDisposition); err != nil {
		return err
	}
	j.statistics = &api.JobStatistics{Copy: &api.JobStatistics5{ForceSendFields: []string{"CopiedRows", "CopiedLogicalBytes"}}}
	j.run = s.runCopy
	return nil
}

// runCopy writes the rows of tables into another, or copies a model.
func (s *Service) runCopy(ctx context.Context, j *job) error {
	c := j.config.Copy
	if from, ok, err := s.modelCopied(ctx, j.project, c); err != nil {
		return err
	} else if ok {
		return s.copyModel(ctx, j.project, c, from)
	}
	to, err := s.destination(ctx, j.project, c.DestinationTable, c.CreateDisposition, cmp.Or(c.WriteDisposition, writeEmpty))
	if err != nil {
		return err
	}
	var queries []string
	var columns []googlesql.Field
	copied := int64(0)
	var kept metadata.Value
	expires, err := expiration(c.DestinationExpirationTime)
	if err != nil {
		return err
	}
	for i, ref := range c.SourceTables {
		r, err := s.relation(ctx, cmp.Or(ref.ProjectId, j.project), ref.DatasetId, ref.TableId)
		if err != nil {
			return err
		}
		if operation := strings.ToUpper(c.OperationType); operation == "SNAPSHOT" || operation == "RESTORE" {
			return s.runClone(ctx, j, to, r, operation, expires)
		}
		if r.kind != "TABLE" {
			return invalid("%s is not allowed for this operation because it is currently a %s.", r, r.kind)
		}
		schema, v, err := s.schemaOf(ctx, r)
		if err != nil {
			return err
		}
		own, err := wire.Columns(schema.Fields)
		if err != nil {
			return err
		}
		if i == 0 {
			columns, to.fields = own, schema.Fields
			if kept, err = settingsOf(nil, nil, nil, c.DestinationEncryptionConfiguration, nil); err != nil {
				return err
			}
			kept.Partitioning, kept.PartitionLife, kept.Clustering, kept.Expires = v.Partitioning, v.PartitionLife, v.Clustering, expires
		} else if !googlesql.StructOf(own...).Equal(googlesql.StructOf(columns...)) {
			return invalid("The schemas of the source tables are not the same: %s differs", r)
		}
		var t api.Table
		if err := s.count(ctx, r, nil, &t); err != nil {
			return err
		}
		copied += int64(t.NumRows)
		queries = append(queries, "SELECT "+list(own)+" FROM "+r.from())
	}
	to.settings = func([]*api.TableFieldSchema) (metadata.Value, error) { return kept, nil }
	if _, err := s.insertFrom(ctx, to, "("+strings.Join(queries, " UNION ALL ")+")", columns); err != nil {
		return err
	}
	j.change(func() { j.statistics.Copy.CopiedRows = copied })
	return nil
}

// runClone makes a snapshot of a table, or a table of a snapshot.
func (s *Service) runClone(ctx context.Context, j *job, to *destination, from relation, operation string, expires *time.Time) error {
	want, statement := "TABLE", "CREATE SNAPSHOT TABLE "
	if operation == "RESTORE" {
		want, statement = "SNAPSHOT", "CREATE TABLE "
	}
	kept, err := s.kept(ctx, from.database, from.key())
	if err != nil {
		return err
	}
	is := from.kind
	if kept.SnapshotOf != "" {
		is = "SNAPSHOT"
	}
	switch {
	case is != want:
		return invalid("%s is not allowed for this operation because it is currently a %s.", from, is)
	case to.there && (operation != "RESTORE" || to.write != writeTruncate):
		return duplicate("Already Exists: Table %s", to)
	case to.there:
		statement = "CREATE OR REPLACE TABLE "
	}
	var t api.Table
	if err := s.count(ctx, from, nil, &t); err != nil {
		return err
	}
	statement += to.googleSQL() + " CLONE " + from.googleSQL()
	if expires != nil {
		statement += " OPTIONS (expiration_timestamp = TIMESTAMP_MILLIS(" + strconv.FormatInt(expires.UnixMilli(), 10) + "))"
	}
	if err := s.change(ctx, func(t *change) error { return t.googleSQL(statement) }); err != nil {
		return err
	}
	j.change(func() { j.statistics.Copy.CopiedRows = int64(t.NumRows) })
	return nil
}

// expiration reads when a copy expires: RFC 3339, or milliseconds.
func expiration(text string) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		return instant(ms), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return nil, invalid("Invalid value for destinationExpirationTime: %.50q", text)
	}
	return &t, nil
}

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
